//! What the type picker shows.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::OperationRunId;

use crate::done::Done;

/// Everything the picker needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picker {
    /// The types, in their groups.
    pub categories: Vec<PickerCategory>,
    /// The selection that is marked at first: keys.
    pub chosen: Vec<String>,
    /// Whether foundations are added at first.
    pub foundations: bool,
    /// Whether dependencies are followed at first.
    pub dependencies: bool,
    /// Ready-made selections that apply here.
    pub presets: Vec<PickerPreset>,
}

/// A group of types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickerCategory {
    /// Stable name.
    pub slug: String,
    /// The words.
    pub label: String,
    /// Its types.
    pub types: Vec<PickerType>,
}

/// One type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickerType {
    /// Stable key.
    pub key: String,
    /// The words.
    pub label: String,
    /// Other names by which people look for it, in small letters.
    pub aliases: Vec<String>,
    /// Whether it is one of those that the switch for foundations adds.
    pub foundation: bool,
    /// The permission that the last check found missing.
    pub missing_permission: Option<String>,
    /// Why it is off by default, or how its last read went, when that is worth a word.
    pub remark: Option<String>,
    /// Requests its last read took; an estimate for the next.
    pub requests: u32,
    /// What it is read with: types with the same number share their requests.
    pub listing: u32,
}

/// A ready-made selection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickerPreset {
    /// Stable name, used in the address.
    pub slug: String,
    /// The words.
    pub label: String,
    /// The keys it marks.
    pub keys: Vec<String>,
    /// Whether it adds foundations.
    pub foundations: bool,
    /// Whether it follows dependencies.
    pub dependencies: bool,
}

/// The answer to starting a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedSync {
    /// The operation run, new or already active.
    pub run_id: OperationRunId,
    /// Whether the same selection was being synced already.
    pub already_running: bool,
    /// Types that were left out, with the reason.
    pub dropped: Vec<String>,
}

impl StartedSync {
    /// What the page of the run says of it, where that is not what was asked for. Inlined like [`Done::code`].
    #[inline(always)]
    #[must_use]
    pub fn done(&self) -> Option<Done> {
        if self.already_running {
            Some(Done::AlreadyRunning)
        } else {
            (!self.dropped.is_empty()).then_some(Done::TypesLeftOut)
        }
    }
}
