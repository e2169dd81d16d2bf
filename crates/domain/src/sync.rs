//! How an inventory sync run ends (`docs/rules.md`, section Inventory sync, Outcome).

use serde::{Deserialize, Serialize};

/// How one policy type ended in a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeOutcome {
    /// Read to the end. Only this says anything about absence.
    Succeeded,
    /// Not read to the end because of a fault.
    Failed,
    /// Nothing to read, for a reason that is no fault: no licence, not in this cloud.
    Skipped,
}

impl TypeOutcome {
    /// Every outcome.
    pub const ALL: &'static [Self] = &[Self::Succeeded, Self::Failed, Self::Skipped];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// The state of a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncRunStatus {
    /// Reads.
    Running,
    /// No type failed.
    Success,
    /// Some types failed and some succeeded.
    Partial,
    /// No type succeeded, or the run was cancelled.
    Failed,
    /// Never read anything: the lock was held or a limit was reached.
    Skipped,
}

impl SyncRunStatus {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Running, Self::Success, Self::Partial, Self::Failed, Self::Skipped];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the run has ended and read something, so that it can be the
    /// latest completed run of its scope (`docs/rules.md`, section Missing).
    #[must_use]
    pub const fn is_completed(self) -> bool {
        matches!(self, Self::Success | Self::Partial | Self::Failed)
    }
}

crate::names::named!(TypeOutcome, UnknownTypeOutcome, "policy type outcome");
crate::names::named!(SyncRunStatus, UnknownSyncRunStatus, "sync run state");

/// How a run ends whose types ended like this: `success` when none failed (also
/// when all were rightly skipped), `partial` when some failed and some
/// succeeded, `failed` when some failed and none succeeded.
#[must_use]
pub fn conclude_sync(outcomes: impl IntoIterator<Item = TypeOutcome>) -> SyncRunStatus {
    let (mut succeeded, mut failed) = (false, false);
    for outcome in outcomes {
        succeeded |= outcome == TypeOutcome::Succeeded;
        failed |= outcome == TypeOutcome::Failed;
    }
    match (succeeded, failed) {
        (_, false) => SyncRunStatus::Success,
        (true, true) => SyncRunStatus::Partial,
        (false, true) => SyncRunStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_read_back() {
        for status in SyncRunStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
        }
        for outcome in TypeOutcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(*outcome));
            assert_eq!(serde_json::to_string(outcome).unwrap(), format!("\"{outcome}\""));
        }
    }

    #[test]
    fn a_run_of_skipped_types_only_is_no_failure() {
        assert_eq!(conclude_sync([TypeOutcome::Skipped; 3]), SyncRunStatus::Success);
    }

    proptest! {
        #[test]
        fn the_end_depends_on_which_outcomes_occur_not_on_their_order(
            outcomes in proptest::collection::vec(proptest::sample::select(TypeOutcome::ALL), 0..10)
        ) {
            let failed = outcomes.contains(&TypeOutcome::Failed);
            let succeeded = outcomes.contains(&TypeOutcome::Succeeded);
            let status = conclude_sync(outcomes.iter().copied());
            prop_assert_eq!(status == SyncRunStatus::Success, !failed);
            prop_assert_eq!(status == SyncRunStatus::Partial, failed && succeeded);
            prop_assert_eq!(status, conclude_sync(outcomes.into_iter().rev()));
        }
    }
}
