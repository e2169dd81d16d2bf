//! What a dispatched inventory sync carries with its operation run.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::selection::{ResolvedSelection, Selection, SelectionHash};
use tenantatlas_store::sync_runs::Continuation;

/// The payload of an `inventory.sync` run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPayload {
    /// What is to be read, filtered and sorted.
    pub selection: Selection,
    /// Its hash.
    pub selection_hash: SelectionHash,
    /// What a retry continues and reads; absent when all of the selection is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Continuation>,
}

impl SyncPayload {
    pub(crate) fn new(resolved: &ResolvedSelection) -> Self {
        Self { selection: resolved.selection.clone(), selection_hash: resolved.hash.clone(), continuation: None }
    }
}
