//! The body of a policy: what a version keeps of an object (`docs/rules.md`, section Versions).
//!
//! An object as single reads give it, taken apart into slots (the object itself, each collection and each script by itself),
//! without credentials, with what is lacking of it, and with the hash of its normalised content.

mod content;
mod withhold;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use content::leave_out_payloads;
pub use withhold::TakenOut;

use crate::normalise::{ContentHash, Normaliser};
use crate::reason::ReasonCode;
use crate::registry::{PARENT_ID_PROPERTY, PolicyType, Recipe, odata_type};
use withhold::{Withholding, remove_marks};

/// The slot of the object itself. Its name is no property of Graph.
pub const OBJECT_SLOT: &str = "";

/// Paths of unreadable values that are kept with a version, at most; the rest is counted.
pub const MAX_PATHS: usize = 20;

crate::names::named! {
    /// Whether all of an object is in its version.
    pub enum Completeness: UnknownCompleteness, "completeness" {
        /// All that can be read.
        Complete = "complete",
        /// Something is lacking.
        Partial = "partial",
    }
}

/// What a version lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Lack {
    /// The object states another number of settings than came.
    SettingsCount {
        /// As stated.
        stated: u64,
        /// As came.
        came: u64,
    },
    /// What is below the object was refused.
    ChildRefused {
        /// The slot that is lacking.
        slot: String,
        /// Why.
        reason_code: ReasonCode,
    },
    /// The body of a script came as null.
    ScriptNull {
        /// The slot that is lacking.
        slot: String,
    },
    /// Graph does not tell secrets of it.
    SecretsUnreadable {
        /// How many.
        count: u64,
        /// Where the first of them stand, as JSON pointers.
        paths: Vec<String>,
    },
}

impl Lack {
    /// The slot that did not come, or not whole; `None` where all came that can.
    #[must_use]
    pub fn slot(&self) -> Option<&str> {
        match self {
            Self::SettingsCount { .. } => Some("settings"),
            Self::ChildRefused { slot, .. } | Self::ScriptNull { slot } => Some(slot),
            Self::SecretsUnreadable { .. } => None,
        }
    }

    /// What is lacking, as a part of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::SettingsCount { stated, came } => format!("{came} of {stated} settings came"),
            Self::ChildRefused { slot, reason_code } => format!("{slot} could not be read: {}", reason_code.words()),
            Self::ScriptNull { slot } => format!("{slot} came without content"),
            Self::SecretsUnreadable { count: 1, .. } => "1 secret that Microsoft does not tell".to_owned(),
            Self::SecretsUnreadable { count, .. } => format!("{count} secrets that Microsoft does not tell"),
        }
    }
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// [`OBJECT_SLOT`], or the property that it becomes.
    pub name: String,
    /// Its content, without credentials.
    pub value: Value,
    /// The hash of its normalised content.
    pub content_hash: ContentHash,
}

impl Slot {
    /// A slot with the hash that it has under the rules of today: also of a content that was kept under those of before.
    #[must_use]
    pub fn of(normaliser: &Normaliser, policy_type: &'static PolicyType, name: &str, value: Value) -> Self {
        if name == OBJECT_SLOT {
            let content_hash = normaliser.content_hash(policy_type, &value);
            return Self { name: name.to_owned(), value, content_hash };
        }
        let whole = Value::Object(Map::from_iter([(name.to_owned(), value)]));
        let content_hash = normaliser.content_hash(policy_type, &whole);
        let value = match whole {
            Value::Object(mut members) => members.remove(name).unwrap_or_default(),
            other => other,
        };
        Self { name: name.to_owned(), value, content_hash }
    }
}

/// The body of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Its parts, that of the object first.
    pub slots: Vec<Slot>,
    /// What is lacking.
    pub lacks: Vec<Lack>,
    /// The hash of the normalised content of all parts together.
    pub content_hash: ContentHash,
    /// The own `@odata.type` of the object, without `#microsoft.graph.`.
    pub odata_type: Option<String>,
    /// How many settings it has at its first level, where it is a policy of settings.
    pub settings: Option<u64>,
    /// How many values are told by their fingerprint only.
    pub withheld: u64,
}

impl Body {
    /// Makes the body of an object that was read whole, or but for what was `refused`, each by the slot and why.
    #[must_use]
    pub fn of(
        normaliser: &Normaliser,
        policy_type: &'static PolicyType,
        recipe: &Recipe,
        object: Value,
        refused: &[(String, ReasonCode)],
    ) -> Self {
        let mut object = object;
        remove_marks(&mut object);
        let mut members = match object {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.remove(PARENT_ID_PROPERTY);
        for (slot, _) in refused {
            members.remove(slot);
        }
        let mut lacks = lacks(recipe, &members, refused);
        let (binaries, taken_out) = (recipe.binaries, TakenOut::default());
        let mut withholding = Withholding { normaliser, policy_type, binaries, taken_out };
        withholding.object(&mut members, &mut String::new());
        let TakenOut { withheld, mut unreadable } = withholding.taken_out;
        if !unreadable.is_empty() {
            let count = unreadable.len() as u64;
            unreadable.truncate(MAX_PATHS);
            lacks.push(Lack::SecretsUnreadable { count, paths: unreadable });
        }
        let settings = members.get("settings").and_then(Value::as_array).map(|settings| settings.len() as u64);
        let whole = Value::Object(members);
        let content_hash = normaliser.content_hash(policy_type, &whole);
        let odata_type = odata_type(&whole).map(str::to_owned);
        let slots = take_apart(normaliser, policy_type, recipe, whole);
        Self { slots, lacks, content_hash, odata_type, settings, withheld }
    }

    /// Whether all is there.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        if self.lacks.is_empty() { Completeness::Complete } else { Completeness::Partial }
    }

    /// Whether its content differs from that of a version, which has these slots with these hashes and lacks these. What is
    /// lacking on one side says nothing: only what both have is compared, and what is there or not there in one of them as
    /// far as neither lacks it.
    #[must_use]
    pub fn differs_from(&self, slots: &[(String, ContentHash)], lacks: &[Lack]) -> bool {
        let is_lacking = |name: &str| {
            let lacking = |lack: &Lack| lack.slot() == Some(name);
            (self.lacks.iter().any(lacking), lacks.iter().any(lacking))
        };
        let mine = |name: &str| self.slots.iter().find(|slot| slot.name == name).map(|slot| slot.content_hash);
        let theirs = |name: &str| slots.iter().find(|(slot, _)| slot == name).map(|(_, hash)| *hash);
        let names = self.slots.iter().map(|slot| slot.name.as_str()).chain(slots.iter().map(|(name, _)| name.as_str()));
        names.into_iter().any(|name| match is_lacking(name) {
            (false, false) => mine(name) != theirs(name),
            // What came now and was lacking before is news; the reverse is none.
            (false, true) => true,
            (true, _) => false,
        })
    }
}

/// Puts slots together again: the object with all that was taken out of it.
#[must_use]
pub fn put_together(slots: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut whole = Map::new();
    for (name, value) in slots {
        match (name.as_str(), value) {
            (OBJECT_SLOT, Value::Object(members)) => whole.extend(members),
            (_, value) => {
                whole.insert(name, value);
            }
        }
    }
    Value::Object(whole)
}

/// What of an object did not come.
fn lacks(recipe: &Recipe, members: &Map<String, Value>, refused: &[(String, ReasonCode)]) -> Vec<Lack> {
    let refusal =
        |(slot, reason): &(String, ReasonCode)| Lack::ChildRefused { slot: slot.clone(), reason_code: *reason };
    let mut lacks: Vec<Lack> = refused.iter().map(refusal).collect();
    let stated = members.get("settingCount").and_then(Value::as_u64);
    let came = members.get("settings").and_then(Value::as_array).map(|settings| settings.len() as u64);
    if let (Some(stated), Some(came)) = (stated, came)
        && stated != came
    {
        lacks.push(Lack::SettingsCount { stated, came });
    }
    for script in recipe.scripts.iter().filter(|script| script.required) {
        if members.get(script.property).is_none_or(Value::is_null) {
            lacks.push(Lack::ScriptNull { slot: script.property.to_owned() });
        }
    }
    lacks
}

fn take_apart(normaliser: &Normaliser, policy_type: &'static PolicyType, recipe: &Recipe, whole: Value) -> Vec<Slot> {
    let Value::Object(mut members) = whole else { return Vec::new() };
    let mut slots = Vec::new();
    for name in recipe.slots(policy_type) {
        let Some(value) = members.remove(name) else { continue };
        if value.is_null() {
            continue;
        }
        slots.push(Slot::of(normaliser, policy_type, name, value));
    }
    slots.insert(0, Slot::of(normaliser, policy_type, OBJECT_SLOT, Value::Object(members)));
    slots
}

#[cfg(test)]
mod tests;
