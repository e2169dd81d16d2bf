//! One setting and its value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use super::wording::{listed_title, member_words, property_title, switch_words};
use crate::normalise::Withheld;
use crate::normalise::walk::moment;

crate::names::named! {
    /// What became of a setting or of an assignment between two bodies.
    pub enum ChangeKind: UnknownChangeKind, "kind of change" {
        /// It is in the newer one only.
        Added = "added",
        /// It is in the older one only.
        Removed = "removed",
        /// It is in both, with another content.
        Changed = "changed",
    }
}

/// What stands in a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A text; also a point in time, in the form that Graph gives.
    Text(String),
    /// One of the options of a definition.
    Choice {
        /// The id of the option.
        id: String,
        /// Its name, where it is known.
        name: Option<String>,
    },
    /// Several values.
    List(Vec<SettingValue>),
    /// The body of a script or a payload: content, which is shown on demand only.
    Content(String),
    /// A value that is not kept, or that Graph does not tell.
    Withheld {
        /// Why: `credential`, `personal`, `image`, `content`, or `unreadable` where Graph does not tell it.
        kind: String,
        /// Equal for equal values of one tenant; of an unreadable one that of the reference that stands in its place.
        fingerprint: Option<String>,
    },
}

impl SettingValue {
    /// A single value; `None` for what is a list, an object or nothing.
    pub(super) fn scalar(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(text) if !text.is_empty() => Some(Self::Text(text.clone())),
            Value::Object(_) => Withheld::of(value).map(|withheld| Self::withheld(&withheld)),
            Value::Null | Value::String(_) | Value::Array(_) => None,
        }
    }

    pub(super) fn withheld(withheld: &Withheld<'_>) -> Self {
        Self::Withheld { kind: withheld.kind.to_owned(), fingerprint: withheld.fingerprint.map(str::to_owned) }
    }

    /// An option by its id.
    pub(super) fn choice(id: &str) -> Self {
        Self::Choice { id: id.to_owned(), name: None }
    }

    /// The text of a script or payload, out of base64 and of the encodings that scripts are written in; `None` for any other
    /// value.
    #[must_use]
    pub fn content_text(&self) -> Option<String> {
        let Self::Content(text) = self else { return None };
        let decoded = STANDARD.decode(text.trim()).ok();
        Some(decoded.and_then(|bytes| text_of(&bytes)).unwrap_or_else(|| text.clone()))
    }

    /// Whether Graph does not tell it.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Withheld { kind, .. } if kind == "unreadable")
    }

    /// What it counts as in a comparison: equal for values that a person would call the same.
    pub(super) fn counted(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("\"{}", moment(text).as_deref().unwrap_or(text)),
            Self::Choice { id, .. } => format!("\"{id}"),
            Self::List(values) => values.iter().map(|value| format!("{},", value.counted())).collect(),
            Self::Content(text) => format!("content {text}"),
            Self::Withheld { kind, fingerprint } => format!("{kind} {}", fingerprint.as_deref().unwrap_or_default()),
        }
    }

    /// For programs. Content is told by its length unless it is `revealed`; of an option the id and the name.
    #[must_use]
    pub fn to_json(&self, revealed: bool) -> Value {
        match self {
            Self::Flag(flag) => json!(flag),
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Choice { id, name } => json!({"option": id, "name": name}),
            Self::List(values) => values.iter().map(|value| value.to_json(revealed)).collect(),
            Self::Content(text) if revealed => json!(text),
            Self::Content(text) => json!({"withheld": "content", "bytes": text.len()}),
            Self::Withheld { kind, fingerprint } => json!({"withheld": kind, "fingerprint": fingerprint}),
        }
    }

    /// For people, in one line; content is told by its length.
    #[must_use]
    pub fn words(&self) -> String {
        self.words_of(None)
    }

    /// The same of a property of this name, in the words that Microsoft's portals have for its values.
    #[must_use]
    pub fn words_of(&self, property: Option<&str>) -> String {
        match self {
            Self::Flag(flag) => {
                let switch = property.and_then(|property| switch_words(property, *flag));
                switch.unwrap_or(if *flag { "Yes" } else { "No" }).to_owned()
            }
            Self::Number(number) => number.to_string(),
            Self::Text(text) => member_words(property, text).unwrap_or_else(|| text.clone()),
            Self::Choice { id, name } => name.clone().unwrap_or_else(|| id.clone()),
            Self::List(values) => values.iter().map(|value| value.words_of(property)).collect::<Vec<_>>().join(", "),
            Self::Content(text) => format!("content of {} bytes", text.len()),
            Self::Withheld { kind, .. } => match kind.as_str() {
                "unreadable" => "a secret that Microsoft does not tell",
                "personal" => "the name of a person, not kept",
                "image" => "a picture, not kept",
                "content" => "a file, not kept",
                _ => "a credential, not kept",
            }
            .to_owned(),
        }
    }
}

/// Bytes as text, where they are some: UTF-16 with its mark, else UTF-8.
fn text_of(bytes: &[u8]) -> Option<String> {
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16(&units).ok();
    }
    let text = std::str::from_utf8(bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes)).ok()?;
    (!text.contains('\0')).then(|| text.to_owned())
}

/// What the order of the parts of a setting, or of its values, means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Something: another order is another content.
    Kept,
    /// Nothing.
    #[default]
    Free,
    /// Nothing, but Graph gives it back as it was written: another order is worth a note.
    Noted,
}

/// A setting, or what holds settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// What tells it from the others beside it: the id of its definition, its property, or what names an element of a list.
    /// Empty for an element that nothing names.
    pub key: String,
    /// The id of its definition, where it has one.
    pub definition_id: Option<String>,
    /// Its name, where the body or a catalogue tells it.
    pub name: Option<String>,
    /// Its category, where the body or a catalogue tells it.
    pub category: Option<String>,
    /// Its value; `None` for a group, and for what only holds others.
    pub value: Option<SettingValue>,
    /// What the order of its parts or values means.
    pub order: Order,
    /// Whether it is a setting, and not only what holds some.
    pub counts: bool,
    /// Whether its value was made for one tenant, so that another one is no difference.
    pub is_noise: bool,
    /// Whether its key is the name of a property of Microsoft's, and no text of the object.
    pub is_property: bool,
    /// What else Graph says of it, such as the template that it comes from: no setting, but part of the content.
    pub(super) rest: Option<String>,
    /// What stands below it.
    pub parts: Vec<Setting>,
}

impl Setting {
    /// What it is called: its name, the id of its definition, or its property in words; `None` for an element of a list that
    /// nothing names.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        let is_property = |key: &str| key.chars().all(|character| character.is_ascii_alphanumeric());
        let key = || match self.property().filter(|key| listed_title(key).is_some() || is_property(key)) {
            Some(key) => property_title(key),
            None => self.key.clone(),
        };
        self.name.clone().or_else(|| (!self.key.is_empty()).then(key))
    }

    /// The property that it is, where no catalog describes it.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        self.definition_id.is_none().then_some(self.key.as_str())
    }

    /// Whether only the id of its definition is known.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.definition_id.is_some() && self.name.is_none()
    }

    /// How many settings it is, with what stands below it.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::from(self.counts) + self.parts.iter().map(Self::count).sum::<u64>()
    }

    /// A text that is equal for equal settings with equal parts.
    pub(super) fn digest(&self) -> String {
        let mut parts: Vec<String> = self.parts.iter().map(Self::digest).collect();
        let mut value = self.value.clone();
        if self.order != Order::Kept {
            parts.sort_unstable();
            if let Some(SettingValue::List(values)) = &mut value {
                values.sort_by_cached_key(SettingValue::counted);
            }
        }
        let value = value.filter(|_| !self.is_noise).map(|value| value.counted()).unwrap_or_default();
        format!("{:?}={value:?}[{}]", self.key, parts.join(","))
    }

    /// Puts what it says below it into a list, each by its path and value: what two elements of a list have in common.
    pub(super) fn leaves(&self, path: &str, into: &mut Vec<String>) {
        let path = format!("{path}/{}", self.key);
        if let Some(value) = &self.value {
            into.push(format!("{path}={}", value.counted()));
        }
        self.parts.iter().for_each(|part| part.leaves(&path, into));
    }
}
