//! Whether an item is there: derived, never stored, and always relative to one
//! scope, a tenant and a selection hash (`docs/rules.md`, section Missing).

use serde::{Deserialize, Serialize};

use crate::ids::SyncRunId;
use crate::reason::ReasonCode;
use crate::sync::{SyncRunStatus, TypeOutcome};
use crate::time::Timestamp;

/// How sure a "missing" is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The type was read to the end, but something else in the run went wrong, or the list changed while it was read.
    Low,
    /// The whole run went through without an error.
    High,
}

/// What the last full read of a type in a scope said about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LastFullRead {
    /// The run that read the type to the end.
    pub run_id: SyncRunId,
    /// When that run finished.
    pub at: Timestamp,
    /// Whether the item was seen then.
    pub seen: bool,
}

/// What the latest completed run of a scope says about one policy type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeReading {
    /// How the run ended.
    pub run_status: SyncRunStatus,
    /// Whether the run met errors.
    pub had_errors: bool,
    /// How the type ended; `None` when the run did not hold the type.
    pub outcome: Option<TypeOutcome>,
    /// Why the type was not read to the end.
    pub reason: Option<ReasonCode>,
    /// Whether an object came twice while the list was read, so that another may not have come at all.
    pub unsteady: bool,
}

/// The state of one item in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Presence {
    /// Seen in the latest completed run.
    Present,
    /// Its type was read to the end and it was not there.
    Missing {
        /// How sure that is.
        confidence: Confidence,
    },
    /// Its type was not read to the end and it was not seen. Never counted as missing.
    NotRead {
        /// Why the type was not read.
        reason: Option<ReasonCode>,
        /// What the last full read said, and when.
        last_full_read: Option<LastFullRead>,
    },
}

impl Presence {
    /// The name of the state alone: `present`, `missing` or `not_read`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing { .. } => "missing",
            Self::NotRead { .. } => "not_read",
        }
    }
}

/// The table of `docs/rules.md`, section Missing.
///
/// `reading` is what the latest completed run of the scope says about the item's
/// type, `seen` whether that run saw the item, `last_full_read` the last run of
/// the same scope that read the type to the end. Runs of other selections must
/// not be passed in.
#[must_use]
pub fn derive_presence(reading: &TypeReading, seen: bool, last_full_read: Option<LastFullRead>) -> Presence {
    match (reading.outcome, seen) {
        (_, true) => Presence::Present,
        (Some(TypeOutcome::Succeeded), false) => {
            let clean = reading.run_status == SyncRunStatus::Success && !reading.had_errors && !reading.unsteady;
            Presence::Missing { confidence: if clean { Confidence::High } else { Confidence::Low } }
        }
        (Some(TypeOutcome::Failed | TypeOutcome::Skipped) | None, false) => {
            Presence::NotRead { reason: reading.reason, last_full_read }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_as_the_rules_say() {
        let before = Some(LastFullRead {
            run_id: SyncRunId::from_uuid(uuid::Uuid::from_u128(7)),
            at: Timestamp::from_millis(5),
            seen: true,
        });
        let outcomes = [None, Some(TypeOutcome::Succeeded), Some(TypeOutcome::Failed), Some(TypeOutcome::Skipped)];
        for run_status in SyncRunStatus::ALL.iter().copied() {
            for had_errors in [false, true] {
                for outcome in outcomes {
                    for (reason, unsteady) in [(None, false), (Some(ReasonCode::GraphThrottled), true)] {
                        for last_full_read in [None, before] {
                            let reading = TypeReading { run_status, had_errors, outcome, reason, unsteady };
                            assert_eq!(derive_presence(&reading, true, last_full_read), Presence::Present);
                            let unseen = derive_presence(&reading, false, last_full_read);
                            if outcome == Some(TypeOutcome::Succeeded) {
                                let sure = run_status == SyncRunStatus::Success && !had_errors && !unsteady;
                                let confidence = if sure { Confidence::High } else { Confidence::Low };
                                assert_eq!(unseen, Presence::Missing { confidence });
                            } else {
                                assert_eq!(unseen, Presence::NotRead { reason, last_full_read });
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_state_is_a_flat_word_in_json() {
        let missing = Presence::Missing { confidence: Confidence::Low };
        assert_eq!(serde_json::to_string(&missing).unwrap(), r#"{"state":"missing","confidence":"low"}"#);
        assert_eq!(missing.as_str(), "missing");
    }
}
