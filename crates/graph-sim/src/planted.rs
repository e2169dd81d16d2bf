//! The list of what was planted and must never be stored.

use serde::Serialize;
use serde_json::Value;

use crate::catalogue::IdForm;
use crate::context::Collection;
use crate::object::{Along, CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64, Object, SECRET_MARK, SECRET_MARK_BASE64};
use crate::tenant::{TenantState, kinds};

/// A planted secret.
#[derive(Debug, Clone, Serialize)]
pub struct PlantedSecret {
    /// The type of the object that holds it.
    pub policy_type: String,
    /// The object's id.
    pub id: String,
    /// Where in the object, as a JSON pointer.
    pub pointer: String,
    /// The value as it is on the wire.
    pub value: String,
    /// Whether it lets somebody in. What an administrator wrote, a person and a picture do not.
    pub credential: bool,
}

/// The planted secrets of a tenant, up to a number of them.
pub fn planted_secrets(tenant: &TenantState, most: usize) -> Vec<PlantedSecret> {
    let mut found = Vec::new();
    for (number, _, kind) in kinds() {
        let mut expand: Vec<String> = kind.expandable.iter().map(|(name, _)| (*name).to_owned()).collect();
        if kind.family.is_some() {
            expand.push("settings".to_owned());
        }
        for index in (0..tenant.extent(number)).filter(|index| tenant.exists(number, *index)) {
            let mut body = Vec::new();
            let along = Along { expand: &expand, detail: true, ..Along::default() };
            Object { tenant, kind, number, index }.write(&mut body, along, Collection { base: "", path: "" });
            let Ok(object) = serde_json::from_slice::<Value>(&body) else { continue };
            let form = if kind.id == IdForm::Fixed("") { IdForm::Fixed(kind.key) } else { kind.id };
            let id = tenant.id(number, form, index);
            let mut add = |pointer: &str, value: &str| {
                found.push(PlantedSecret {
                    policy_type: kind.key.to_owned(),
                    id: id.clone(),
                    pointer: pointer.to_owned(),
                    value: value.to_owned(),
                    credential: value.contains(CREDENTIAL_MARK) || value.contains(CREDENTIAL_MARK_BASE64),
                });
            };
            walk(&object, &mut String::new(), &mut add);
            if found.len() >= most {
                found.truncate(most);
                return found;
            }
        }
    }
    found
}

fn walk(value: &Value, pointer: &mut String, add: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains(SECRET_MARK) || text.contains(SECRET_MARK_BASE64) => add(pointer, text),
        Value::Object(object) => {
            for (name, value) in object {
                pointer.push('/');
                pointer.push_str(name);
                walk(value, pointer, add);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (nth, value) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&nth.to_string());
                walk(value, pointer, add);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
