//! The operation run: states, counters and failures of any long-running work
//! (`docs/rules.md`, section Operation runs).

use serde::{Deserialize, Serialize};

use crate::reason::ReasonCode;

/// The failures kept with a run; later ones only count.
pub const MAX_FAILURES_KEPT: usize = 200;

/// The state of an operation run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Waits for a worker.
    Pending,
    /// A worker holds it.
    Running,
    /// Everything succeeded or was skipped.
    Completed,
    /// Some succeeded and some failed.
    CompletedWithErrors,
    /// Nothing succeeded, or it could not go on.
    Failed,
    /// Stopped before its end: cancelled, or its turn never came.
    Aborted,
}

/// A change of state that the rules do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an operation run that is {from} cannot become {to}")]
pub struct IllegalTransition {
    /// The state it is in.
    pub from: OperationStatus,
    /// The state that was asked for.
    pub to: OperationStatus,
}

impl OperationStatus {
    /// Every state.
    pub const ALL: &'static [Self] =
        &[Self::Pending, Self::Running, Self::Completed, Self::CompletedWithErrors, Self::Failed, Self::Aborted];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the run has ended. An ended run never changes its state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// The one function through which every change of state goes.
    ///
    /// A pending run may start, or end `failed` (no worker could take it) or
    /// `aborted` (cancelled, or its turn never came). A running run may end.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every other pair, staying the same included.
    pub const fn transition(self, to: Self) -> Result<Self, IllegalTransition> {
        let legal = match self {
            Self::Pending => matches!(to, Self::Running | Self::Failed | Self::Aborted),
            Self::Running => to.is_terminal(),
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Aborted => false,
        };
        if legal { Ok(to) } else { Err(IllegalTransition { from: self, to }) }
    }

    /// How the state is shown to people.
    #[must_use]
    pub const fn bucket(self) -> OperationBucket {
        match self {
            Self::Pending => OperationBucket::Queued,
            Self::Running => OperationBucket::Running,
            Self::Completed => OperationBucket::Succeeded,
            Self::CompletedWithErrors => OperationBucket::PartiallySucceeded,
            Self::Failed | Self::Aborted => OperationBucket::Failed,
        }
    }
}

crate::names::named!(OperationStatus, UnknownOperationStatus, "state of an operation run");

/// The five words people see for the six states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationBucket {
    /// Waits for its turn.
    Queued,
    /// Is being worked on.
    Running,
    /// All of it succeeded, or was rightly skipped.
    Succeeded,
    /// Some succeeded and some failed.
    PartiallySucceeded,
    /// Nothing succeeded, or it could not go on.
    Failed,
}

impl OperationBucket {
    /// The name as stored and as used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::PartiallySucceeded => "partially_succeeded",
            Self::Failed => "failed",
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::PartiallySucceeded => "Partially succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// How one item of a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemOutcome {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It was left out for a reason that is no fault.
    Skipped,
}

/// The counters of a run, in items (an inventory sync counts policy types).
///
/// `processed = succeeded + failed + skipped ≤ total` holds for every value that
/// [`Counters::new`] and [`Counters::record`] make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counters {
    /// All items of the run.
    pub total: u32,
    /// Items that have ended, however they did.
    pub processed: u32,
    /// Items that succeeded.
    pub succeeded: u32,
    /// Items that failed.
    pub failed: u32,
    /// Items that were skipped.
    pub skipped: u32,
}

/// More items ended than the run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every item of the run has ended already: {total} of them")]
pub struct CountersExceeded {
    /// The items of the run.
    pub total: u32,
}

impl Counters {
    /// Counters of a run that has ended none of its `total` items.
    #[must_use]
    pub const fn new(total: u32) -> Self {
        Self { total, processed: 0, succeeded: 0, failed: 0, skipped: 0 }
    }

    /// Counts the end of one item.
    ///
    /// # Errors
    /// [`CountersExceeded`] when every item has ended already; nothing changes then.
    pub const fn record(&mut self, outcome: ItemOutcome) -> Result<(), CountersExceeded> {
        if self.processed >= self.total {
            return Err(CountersExceeded { total: self.total });
        }
        self.processed += 1;
        match outcome {
            ItemOutcome::Succeeded => self.succeeded += 1,
            ItemOutcome::Failed => self.failed += 1,
            ItemOutcome::Skipped => self.skipped += 1,
        }
        Ok(())
    }

    /// Counts every item that has not ended as skipped, as an aborted run does.
    pub const fn skip_rest(&mut self) {
        self.skipped += self.total.saturating_sub(self.processed);
        self.processed = self.total;
    }

    /// Whether the invariant holds, for values that come from elsewhere.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let sum = u64::from(self.succeeded) + u64::from(self.failed) + u64::from(self.skipped);
        sum == u64::from(self.processed) && self.processed <= self.total
    }
}

/// The state in which a run ends that was neither cancelled nor given up:
/// `completed` when nothing failed, `completed_with_errors` when some succeeded
/// and some failed, `failed` when nothing succeeded or items were left undone.
#[must_use]
pub const fn conclude(counters: &Counters) -> OperationStatus {
    if counters.processed < counters.total {
        OperationStatus::Failed
    } else if counters.failed == 0 {
        OperationStatus::Completed
    } else if counters.succeeded > 0 {
        OperationStatus::CompletedWithErrors
    } else {
        OperationStatus::Failed
    }
}

/// Whether a listed failure was a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It should have succeeded.
    Failed,
    /// It was left out for a reason that is no fault.
    Skipped,
}

/// One line of what did not succeed in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code.
    pub reason_code: ReasonCode,
    /// A short sanitised sentence.
    pub reason: String,
    /// The item, such as a policy type key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// Failed or skipped.
    #[serde(rename = "type")]
    pub kind: FailureKind,
}

impl Failure {
    /// The application permission that it names, where one is missing.
    #[must_use]
    pub fn permission(&self) -> Option<&str> {
        let name =
            self.reason.split([':', ' ']).next().filter(|_| self.reason_code == ReasonCode::PermissionMissing)?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        (name.split('.').filter(|part| !part.is_empty()).count() > 2 && name.chars().all(plain)).then_some(name)
    }
}

/// A permission that is missing, with for how many of the units that a run counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPermission {
    /// The permission.
    pub permission: String,
    /// How many units could not be done without it.
    pub count: u32,
}

/// The permissions that failures name, the one that stopped most first.
#[must_use]
pub fn missing_permissions<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> Vec<MissingPermission> {
    let mut counted = std::collections::BTreeMap::<&str, u32>::new();
    for permission in failures.into_iter().filter_map(Failure::permission) {
        *counted.entry(permission).or_default() += 1;
    }
    let missing =
        counted.into_iter().map(|(permission, count)| MissingPermission { permission: permission.to_owned(), count });
    let mut missing: Vec<_> = missing.collect();
    missing.sort_by_key(|one| std::cmp::Reverse(one.count));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_permission_that_failures_name_is_counted_and_no_other_word() {
        let failure = |reason_code: ReasonCode, reason: &str| Failure {
            reason_code,
            reason: reason.to_owned(),
            item_id: None,
            kind: FailureKind::Failed,
        };
        let named = |reason: &str| failure(ReasonCode::PermissionMissing, reason);
        let failures = [
            named("B.Read.All: add it."),
            named("A.Read.All: add it."),
            named("A.Read.All (the token carries it): add it."),
            named("The app lacks a permission."),
            failure(ReasonCode::Internal, "C.Read.All: no."),
        ];
        let missing = missing_permissions(&failures);
        let told: Vec<_> = missing.iter().map(|one| (one.permission.as_str(), one.count)).collect();
        assert_eq!(told, [("A.Read.All", 2), ("B.Read.All", 1)]);
    }

    fn status() -> impl Strategy<Value = OperationStatus> {
        proptest::sample::select(OperationStatus::ALL)
    }

    fn outcome() -> impl Strategy<Value = ItemOutcome> {
        proptest::sample::select(&[ItemOutcome::Succeeded, ItemOutcome::Failed, ItemOutcome::Skipped][..])
    }

    #[test]
    fn exactly_the_legal_transitions_are_allowed() {
        use OperationStatus::{Aborted, Completed, CompletedWithErrors, Failed, Pending, Running};
        let legal = [
            (Pending, Running),
            (Pending, Failed),
            (Pending, Aborted),
            (Running, Completed),
            (Running, CompletedWithErrors),
            (Running, Failed),
            (Running, Aborted),
        ];
        for from in OperationStatus::ALL {
            for to in OperationStatus::ALL {
                let allowed = from.transition(*to).is_ok();
                assert_eq!(allowed, legal.contains(&(*from, *to)), "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_state_reads_back_from_its_name() {
        for status in OperationStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
        }
    }

    #[test]
    fn a_failure_names_its_kind_type_in_json() {
        let failure = Failure {
            reason_code: ReasonCode::LicenseMissing,
            reason: "No licence.".to_owned(),
            item_id: None,
            kind: FailureKind::Skipped,
        };
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(json, r#"{"reason_code":"license_missing","reason":"No licence.","type":"skipped"}"#);
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }

    proptest! {
        #[test]
        fn no_walk_leaves_a_terminal_state(walk in proptest::collection::vec(status(), 0..12)) {
            let mut now = OperationStatus::Pending;
            for wanted in walk {
                match now.transition(wanted) {
                    Ok(next) => {
                        prop_assert!(!now.is_terminal());
                        now = next;
                    }
                    Err(error) => prop_assert_eq!(error, IllegalTransition { from: now, to: wanted }),
                }
            }
        }

        #[test]
        fn counters_never_exceed_and_always_add_up(
            total in 0u32..20,
            outcomes in proptest::collection::vec(outcome(), 0..40),
        ) {
            let mut counters = Counters::new(total);
            for (position, outcome) in outcomes.into_iter().enumerate() {
                prop_assert_eq!(counters.record(outcome).is_ok(), position < total as usize);
                prop_assert!(counters.is_consistent());
            }
            counters.skip_rest();
            prop_assert!(counters.is_consistent());
            prop_assert_eq!(counters.processed, total);
        }

        #[test]
        fn the_conclusion_follows_from_the_counters(
            succeeded in 0u32..5, failed in 0u32..5, skipped in 0u32..5, left in 0u32..2,
        ) {
            let processed = succeeded + failed + skipped;
            let counters = Counters { total: processed + left, processed, succeeded, failed, skipped };
            let expected = match (left, succeeded, failed) {
                (1, _, _) => OperationStatus::Failed,
                (_, _, 0) => OperationStatus::Completed,
                (_, 0, _) => OperationStatus::Failed,
                _ => OperationStatus::CompletedWithErrors,
            };
            prop_assert_eq!(conclude(&counters), expected);
        }
    }
}
