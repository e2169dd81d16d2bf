//! What a dispatched comparison carries with its operation run.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::SyncRunId;
use tenantatlas_domain::selection::SelectionHash;

/// The payload of a `drift.generate` run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftPayload {
    /// The selection whose runs are compared; that of the main scope of the tenant when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_hash: Option<SelectionHash>,
    /// The sync run to compare with; the completed run before the latest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<SyncRunId>,
}

impl DriftPayload {
    /// The same for comparisons that do the same.
    pub(super) fn key(&self) -> String {
        let scope = self.selection_hash.as_ref().map_or("main", SelectionHash::as_str);
        match self.baseline {
            Some(baseline) => format!("{scope}:{baseline}"),
            None => scope.to_owned(),
        }
    }
}
