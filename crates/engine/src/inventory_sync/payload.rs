//! What a dispatched inventory sync carries with its operation run.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::selection::{ResolvedSelection, Selection, SelectionHash};

/// The payload of an `inventory.sync` run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPayload {
    /// What is to be read, filtered and sorted.
    pub selection: Selection,
    /// Its hash.
    pub selection_hash: SelectionHash,
}

impl SyncPayload {
    pub(crate) fn new(resolved: &ResolvedSelection) -> Self {
        Self { selection: resolved.selection.clone(), selection_hash: resolved.hash.clone() }
    }
}
