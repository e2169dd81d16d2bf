//! What stands in the body of a policy for a value that is not kept.

use serde_json::{Map, Value, json};

use super::secrets::Unreadable;
use crate::sanitise::SecretKind;

/// The only member of what stands for a value that is not kept: `{kind, path, fingerprint?, form?}`. It is ours and not
/// Graph's.
pub const WITHHELD: &str = "@tenantatlas.withheld";

/// The kind of a value that Graph itself does not tell.
const UNREADABLE: &str = "unreadable";

/// What stands for a value that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld<'value> {
    /// `credential`, `personal`, `image`, or `unreadable` where Graph does not tell the value.
    pub kind: &'value str,
    /// Where it stands in its slot, as a JSON pointer; what stands within an encoded text is told after `#`.
    pub path: &'value str,
    /// Equal for equal values of one tenant. Of an unreadable one that of the reference that Graph gives in its place, where
    /// it gives one.
    pub fingerprint: Option<&'value str>,
    /// How an unreadable value looks.
    pub form: Option<&'value str>,
}

impl<'value> Withheld<'value> {
    /// Reads what stands for a value; `None` for any other value.
    #[must_use]
    pub fn of(value: &'value Value) -> Option<Self> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        let told = members.get(WITHHELD)?.as_object()?;
        let text = |name: &str| told.get(name).and_then(Value::as_str);
        Some(Self { kind: text("kind")?, path: text("path")?, fingerprint: text("fingerprint"), form: text("form") })
    }

    /// By what it counts in the content of the object: what cannot be read says nothing.
    #[must_use]
    pub fn counted(&self) -> Option<&'value str> {
        self.fingerprint.filter(|_| self.kind != UNREADABLE)
    }

    /// Whether Graph does not tell the value.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.kind == UNREADABLE
    }
}

/// What stands for a value that was read and is not kept.
pub(crate) fn kept_away(kind: SecretKind, path: &str, fingerprint: &str) -> Value {
    let kind = match kind {
        SecretKind::Credential => "credential",
        SecretKind::Personal => "personal",
        SecretKind::Image => "image",
        SecretKind::Content => "content",
    };
    marker(json!({"kind": kind, "path": path, "fingerprint": fingerprint}))
}

/// What stands for a value that Graph does not tell.
pub(crate) fn unreadable(form: Unreadable, path: &str, reference: Option<&str>) -> Value {
    let mut told = json!({"kind": UNREADABLE, "path": path, "form": form.as_str()});
    if let (Some(reference), Some(told)) = (reference, told.as_object_mut()) {
        told.insert("fingerprint".to_owned(), Value::from(reference));
    }
    marker(told)
}

/// What stands for a payload that is shown only when it is asked for.
pub(crate) fn content(path: &str) -> Value {
    marker(json!({"kind": "content", "path": path}))
}

fn marker(told: Value) -> Value {
    Value::Object(Map::from_iter([(WITHHELD.to_owned(), told)]))
}
