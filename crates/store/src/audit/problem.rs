//! What a verification of the log finds wrong, and where.

use serde::Serialize;
use serde_json::json;

/// Where a problem was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Entry(i64),
    Log,
    Guard,
    Witness,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    text: String,
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"sequence": self.seq(), "problem": self.sentence()}).serialize(serializer)
    }
}

impl Problem {
    pub(super) fn of_entry(seq: i64, text: impl Into<String>) -> Self {
        Self { place: Place::Entry(seq), text: text.into() }
    }

    pub(super) fn of_log(text: impl Into<String>) -> Self {
        Self { place: Place::Log, text: text.into() }
    }

    pub(super) fn of_guard(text: impl Into<String>) -> Self {
        Self { place: Place::Guard, text: text.into() }
    }

    pub(super) fn of_witness(text: impl Into<String>) -> Self {
        Self { place: Place::Witness, text: text.into() }
    }

    /// The number of the first entry that is not as it was written, or is missing, when it is about one.
    #[must_use]
    pub const fn seq(&self) -> Option<i64> {
        match self.place {
            Place::Entry(seq) => Some(seq),
            _ => None,
        }
    }

    /// What is wrong, as a sentence without its full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.place {
            Place::Entry(seq) => format!("entry {seq} {}", self.text),
            _ => self.text.clone(),
        }
    }
}
