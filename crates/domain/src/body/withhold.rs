//! Taking out of a body what is never kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::normalise::secrets::{Held, ObjectKind, held};
use crate::normalise::withheld::{kept_away, unreadable};
use crate::normalise::{Normaliser, Unreadable, WITHHELD};
use crate::registry::PolicyType;
use crate::sanitise::SecretKind;

/// What was taken out of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOut {
    /// Credentials, pictures and the like that were read, each now told by its fingerprint.
    pub withheld: u64,
    /// Where something stands that Graph does not tell, as JSON pointers.
    pub unreadable: Vec<String>,
}

/// Removes what looks like a mark of ours: nobody but this program writes what stands for a value.
pub(super) fn remove_marks(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove(WITHHELD);
            members.values_mut().for_each(remove_marks);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_marks),
        _ => {}
    }
}

/// One walk over a value.
pub(super) struct Withholding<'walk> {
    pub normaliser: &'walk Normaliser,
    pub policy_type: &'static PolicyType,
    /// Properties of the object that hold a file which only its maker can read.
    pub binaries: &'static [&'static str],
    pub taken_out: TakenOut,
}

impl Withholding<'_> {
    /// Replaces what is never kept, in the object and all that stands in it.
    pub(super) fn object(&mut self, members: &mut Map<String, Value>, pointer: &mut String) {
        let kind = ObjectKind::of(members);
        let judged: Vec<(String, Held)> =
            members.iter().map(|(key, value)| (key.clone(), self.judge(kind, members, key, value, pointer))).collect();
        for (key, held) in judged {
            let Some(value) = members.get_mut(&key) else { continue };
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            self.member(held, &key, value, pointer);
            pointer.truncate(length);
        }
    }

    fn judge(&self, kind: ObjectKind, members: &Map<String, Value>, key: &str, value: &Value, pointer: &str) -> Held {
        match held(kind, members, key, value) {
            Held::Content if pointer.is_empty() && self.binaries.contains(&key) => Held::Kept(SecretKind::Content),
            held => held,
        }
    }

    fn member(&mut self, held: Held, key: &str, value: &mut Value, pointer: &mut String) {
        match held {
            Held::Open => self.inside(value, pointer),
            Held::Content => self.encoded(value, pointer),
            Held::Kept(kind) => {
                if let Some(fingerprint) = self.normaliser.fingerprint_of(self.policy_type, key, value) {
                    *value = kept_away(kind, pointer, &fingerprint);
                    self.taken_out.withheld += 1;
                }
            }
            Held::Unreadable(form) => {
                let given = matches!(form, Unreadable::Token | Unreadable::Reference);
                let reference = if given { self.normaliser.fingerprint_of(self.policy_type, key, value) } else { None };
                *value = unreadable(form, pointer, reference.as_deref());
                // A reference stands beside the value that it leads to, which is told already.
                if form != Unreadable::Reference {
                    self.taken_out.unreadable.push(pointer.clone());
                }
            }
        }
    }

    fn inside(&mut self, value: &mut Value, pointer: &mut String) {
        match value {
            Value::Object(members) => self.object(members, pointer),
            Value::Array(elements) => {
                let length = pointer.len();
                for (position, element) in elements.iter_mut().enumerate() {
                    pointer.push_str(&format!("/{position}"));
                    self.inside(element, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// A text that holds JSON, as it is or in base64, is looked through like any other JSON.
    fn encoded(&mut self, value: &mut Value, pointer: &mut String) {
        let Some(text) = value.as_str() else { return self.inside(value, pointer) };
        let decoded = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (json, in_base64) = match decoded {
            Some(json) => (json, true),
            None => (text.to_owned(), false),
        };
        if !json.trim_start().starts_with(['{', '[']) {
            return;
        }
        let Ok(mut inner) = serde_json::from_str::<Value>(&json) else { return };
        remove_marks(&mut inner);
        let before = self.taken_out.clone();
        let length = pointer.len();
        pointer.push('#');
        self.inside(&mut inner, pointer);
        pointer.truncate(length);
        if self.taken_out != before {
            let json = inner.to_string();
            *value = Value::from(if in_base64 { STANDARD.encode(json) } else { json });
        }
    }
}
