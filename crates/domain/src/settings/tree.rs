//! Reading the properties of objects of any kind.

use serde_json::{Map, Value};

use super::catalogue;
use super::setting::{Order, Setting, SettingValue};
use super::templates;
use crate::normalise::Withheld;
use crate::normalise::noise::{counts, is_built_in, is_set};
use crate::normalise::secrets::{Held, ObjectKind, held};
use crate::registry::{PolicyType, Recipe};

/// Properties that name an element of a list, the best first.
const NAMING: [&str; 9] =
    ["omaUri", "locale", "appConfigKey", "payloadId", "targetId", "ruleName", "bundleId", "packageId", "displayName"];

/// Reads one body.
pub(super) struct Tree {
    policy_type: &'static PolicyType,
    recipe: &'static Recipe,
    built_in: bool,
}

impl Tree {
    pub(super) fn new(policy_type: &'static PolicyType, recipe: &'static Recipe, body: &Value) -> Self {
        Self { policy_type, recipe, built_in: is_built_in(policy_type, body) }
    }

    /// What one member of the object itself tells.
    pub(super) fn of_object(&self, members: &Map<String, Value>, key: &str, value: &Value) -> Vec<Setting> {
        if self.recipe.is_script(key)
            && let Value::String(script) = value
        {
            return if script.is_empty() { Vec::new() } else { vec![content(key, script)] };
        }
        self.member(members, key, value, true)
    }

    /// What the members of an object within another tell.
    pub(super) fn of_members(&self, members: &Map<String, Value>) -> Vec<Setting> {
        members.iter().flat_map(|(key, value)| self.member(members, key, value, false)).collect()
    }

    fn member(&self, members: &Map<String, Value>, key: &str, value: &Value, top: bool) -> Vec<Setting> {
        if !counts(self.policy_type, key, members, top, !top, self.built_in) || says_nothing(key, value) {
            return Vec::new();
        }
        if let Some(own) = self.told(members, key, value) {
            let key = key.to_owned();
            return vec![Setting { key, value: Some(own), counts: true, is_property: true, ..Setting::default() }];
        }
        match value {
            Value::Array(elements) => self.list(key, elements),
            Value::Object(inner) => self.object(key, inner).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The value of a member, where it is a single one.
    pub(super) fn told(&self, members: &Map<String, Value>, key: &str, value: &Value) -> Option<SettingValue> {
        if let Some(withheld) = Withheld::of(value) {
            let mut told = SettingValue::withheld(&withheld);
            if let SettingValue::Withheld { fingerprint, .. } = &mut told
                && fingerprint.is_none()
                && withheld.is_unreadable()
            {
                let reference = members.get("secretReferenceValueId").and_then(Withheld::of);
                *fingerprint = reference.and_then(|reference| reference.fingerprint).map(str::to_owned);
            }
            return Some(told);
        }
        match held(ObjectKind::of(members), members, key, value) {
            Held::Open => SettingValue::scalar(value),
            Held::Content => match value {
                Value::String(text) => Some(SettingValue::Content(text.clone())),
                other => SettingValue::scalar(other),
            },
            // A body holds none of these: they are never shown, whoever sealed it.
            Held::Kept(_) => Some(SettingValue::Withheld { kind: "credential".to_owned(), fingerprint: None }),
            Held::Unreadable(_) => Some(SettingValue::Withheld { kind: "unreadable".to_owned(), fingerprint: None }),
        }
    }

    fn object(&self, key: &str, inner: &Map<String, Value>) -> Option<Setting> {
        if catalogue::is_instance(inner) {
            return Some(catalogue::instance(self, inner));
        }
        let parts = self.of_members(inner);
        if !parts.is_empty() {
            return Some(Setting { key: key.to_owned(), parts, is_property: true, ..Setting::default() });
        }
        // Of which nothing but the id is left is a pointer: the id is its content.
        let id = inner.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())?;
        let value = Some(SettingValue::Text(id.to_owned()));
        Some(Setting { key: key.to_owned(), value, counts: true, is_property: true, ..Setting::default() })
    }

    fn list(&self, key: &str, elements: &[Value]) -> Vec<Setting> {
        let special = catalogue::instances(self, elements).or_else(|| templates::settings(self, key, elements));
        if let Some(settings) = special {
            return settings;
        }
        let order = if is_set(key) { Order::Free } else { Order::Kept };
        let single: Option<Vec<SettingValue>> =
            elements.iter().filter(|element| !says_nothing("", element)).map(SettingValue::scalar).collect();
        let key = key.to_owned();
        match single {
            Some(values) if values.is_empty() => Vec::new(),
            Some(values) => {
                let value = Some(SettingValue::List(values));
                vec![Setting { key, value, order, counts: true, is_property: true, ..Setting::default() }]
            }
            None => {
                let parts = elements.iter().filter_map(|element| self.element(element)).collect();
                vec![Setting { key, order, parts, is_property: true, ..Setting::default() }]
            }
        }
    }

    /// An element of a list of objects. That there is one counts, even if nothing in it does.
    pub(super) fn element(&self, element: &Value) -> Option<Setting> {
        match element {
            Value::Object(members) => {
                if catalogue::is_instance(members) {
                    return Some(catalogue::instance(self, members));
                }
                let parts = self.of_members(members);
                let key = natural_key(members);
                if parts.is_empty() {
                    let id = members.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
                    let value = id.map(|id| SettingValue::Text(id.to_owned()));
                    return Some(Setting { key, value, counts: true, ..Setting::default() });
                }
                Some(Setting { key, parts, ..Setting::default() })
            }
            Value::Array(inner) => {
                let parts: Vec<Setting> = inner.iter().filter_map(|element| self.element(element)).collect();
                (!parts.is_empty()).then(|| Setting { order: Order::Kept, parts, ..Setting::default() })
            }
            single => {
                let value = SettingValue::scalar(single)?;
                Some(Setting { value: Some(value), counts: true, ..Setting::default() })
            }
        }
    }
}

/// The body of a script.
fn content(key: &str, text: &str) -> Setting {
    let value = Some(SettingValue::Content(text.to_owned()));
    Setting { key: key.to_owned(), value, counts: true, is_property: true, ..Setting::default() }
}

/// What names an element of a list, so that it is found again in another list.
fn natural_key(members: &Map<String, Value>) -> String {
    let named = NAMING.iter().find_map(|name| members.get(*name)?.as_str());
    named.unwrap_or_default().trim().to_owned()
}

/// Whether null, an empty text, an empty list and Microsoft's word for nothing stand there: they are all the same as absent.
pub(super) fn says_nothing(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || (matches!(key, "locale" | "language") && text == "os-default"),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
