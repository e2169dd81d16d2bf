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
    /// What the comparison is called: by the run that it compares with, whose id tells when it began.
    pub(super) fn name(&self) -> String {
        let Some(baseline) = self.baseline else { return "Comparison with the run before".to_owned() };
        match began(baseline) {
            Some(at) => format!("Comparison with the run of {}", at.strftime("%-d %b %H:%M UTC")),
            None => "Comparison with a chosen run".to_owned(),
        }
    }

    /// The same for comparisons that do the same.
    pub(super) fn key(&self) -> String {
        let scope = self.selection_hash.as_ref().map_or("main", SelectionHash::as_str);
        match self.baseline {
            Some(baseline) => format!("{scope}:{baseline}"),
            None => scope.to_owned(),
        }
    }
}

/// When a run was made, as its id tells.
fn began(run: SyncRunId) -> Option<jiff::Timestamp> {
    let (seconds, _) = run.as_uuid().get_timestamp()?.to_unix();
    jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn comparisons_are_told_apart_by_what_they_compare_with() {
        let with = |baseline| DriftPayload { baseline, ..DriftPayload::default() }.name();
        assert_eq!(with(None), "Comparison with the run before");
        // 2026-11-27T20:17:00Z in the first 48 bits of a version 7.
        let id = Uuid::from_u128((1_795_810_620_000_u128 << 80) | (7 << 76) | (2 << 62));
        assert_eq!(with(Some(id.into())), "Comparison with the run of 27 Nov 20:17 UTC");
        assert_eq!(with(Some(Uuid::nil().into())), "Comparison with a chosen run");
    }
}
