//! Numbers about the inventory, taken from what runs noted: no items are counted.

use serde::Serialize;
use tenantatlas_domain::presence::Confidence;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, registry};
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;

use super::query::ItemFilter;
use super::view::{FullRead, ScopeView, TypeState};
use crate::scopes::OtherRead;

/// One type of a view: how its last read went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The key of the type.
    pub policy_type: String,
    /// How the latest completed run ended for it; `None` when the run did not hold it.
    pub outcome: Option<TypeOutcome>,
    /// Items the run saw.
    pub present: u64,
    /// Items that are missing.
    pub missing: u64,
    /// Items of which the run can say nothing.
    pub not_read: u64,
    /// Items that are known in all.
    pub known: u64,
    /// Items that the run found new or changed.
    pub changed: u64,
    /// Why it was not read to the end.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// When the run finished with it.
    pub finished_at: Option<Timestamp>,
    /// The last run of the scope that read it to the end.
    pub last_full_read: Option<FullRead>,
    /// How another selection read it to the end since then.
    pub read_elsewhere: Option<OtherRead>,
}

/// The numbers of a view, over the types asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventoryCounts {
    /// Items that are known in all.
    pub known: u64,
    /// Items the latest completed run saw.
    pub present: u64,
    /// Items that are missing.
    pub missing: u64,
    /// How sure that is; the same for all of them. `None` when none is missing.
    pub missing_confidence: Option<Confidence>,
    /// Items of which the run can say nothing. Never counted as missing.
    pub not_read: u64,
    /// Items that the run found new or changed.
    pub changed: u64,
    /// Types read to the end.
    pub types_read: u64,
    /// Types the run was to read.
    pub types_selected: u64,
}

/// A type that the latest completed run of a view did not read to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRead {
    /// The key of the type.
    pub policy_type: String,
    /// How the run ended for it; `None` when the run did not hold it.
    pub outcome: Option<TypeOutcome>,
    /// Why, as a code.
    pub reason_code: Option<ReasonCode>,
    /// Why, in a sanitised sentence.
    pub reason: String,
    /// Items of it that are known all the same.
    pub known: u64,
    /// When it was last read to the end in the scope.
    pub last_full_read_at: Option<Timestamp>,
}

impl ScopeView {
    /// The types that a filter asks for and that the latest completed run did not read to the end, in the order of the
    /// registry: of these a list may lack items. Types that are off by default count where something of them is known.
    #[must_use]
    pub fn not_read(&self, filter: &ItemFilter) -> Vec<NotRead> {
        let asked_for = |policy_type: &&'static PolicyType| {
            let known =
                self.types.get(policy_type.key).is_some_and(|state| state.known.items > 0 || state.run.is_some());
            (policy_type.default_on || known || filter.policy_types.iter().any(|key| key == policy_type.key))
                && (filter.policy_types.is_empty() || filter.policy_types.iter().any(|key| key == policy_type.key))
                && (filter.categories.is_empty() || filter.categories.contains(&policy_type.category))
        };
        registry()
            .all()
            .iter()
            .copied()
            .filter(asked_for)
            .filter_map(|policy_type| self.not_read_of(policy_type.key))
            .collect()
    }

    fn not_read_of(&self, key: &str) -> Option<NotRead> {
        let state = self.types.get(key).cloned().unwrap_or_default();
        if state.outcome() == Some(TypeOutcome::Succeeded) {
            return None;
        }
        let run = state.run.as_ref();
        let told =
            run.and_then(|run| run.message.clone()).or_else(|| state.reason().map(|code| code.sentence().to_owned()));
        let otherwise = match (run, &self.run) {
            (Some(_), _) => "The last sync did not read it to the end.",
            (None, Some(_)) => "The last sync was not to read it.",
            (None, None) => "No sync has completed yet.",
        };
        Some(NotRead {
            policy_type: key.to_owned(),
            outcome: state.outcome(),
            reason_code: state.reason(),
            reason: told.unwrap_or_else(|| otherwise.to_owned()),
            known: state.known.items,
            last_full_read_at: state.last_full_read.map(|read| read.at),
        })
    }

    /// How the last read of each type went, by key.
    #[must_use]
    pub fn coverage(&self) -> Vec<Coverage> {
        self.types
            .iter()
            .map(|(key, state)| {
                let succeeded = state.outcome() == Some(TypeOutcome::Succeeded);
                let run = state.run.as_ref();
                Coverage {
                    policy_type: key.clone(),
                    outcome: state.outcome(),
                    present: state.present(),
                    missing: if succeeded { state.unseen() } else { 0 },
                    not_read: if succeeded { 0 } else { state.unseen() },
                    known: state.known.items,
                    changed: state.changed(),
                    reason_code: state.reason(),
                    message: run.and_then(|run| run.message.clone()),
                    finished_at: run.and_then(|run| run.finished_at),
                    last_full_read: state.last_full_read,
                    read_elsewhere: state.read_elsewhere.clone(),
                }
            })
            .collect()
    }

    /// The numbers over these types, or over all when none is named.
    #[must_use]
    pub fn counts(&self, policy_types: &[String]) -> InventoryCounts {
        let clean = self.run.as_ref().is_some_and(|run| run.status == SyncRunStatus::Success && !run.had_errors);
        let mut counts = InventoryCounts::default();
        let mut steady = true;
        for row in self.coverage() {
            if !policy_types.is_empty() && !policy_types.contains(&row.policy_type) {
                continue;
            }
            counts.known += row.known;
            counts.present += row.present;
            counts.missing += row.missing;
            steady &= row.missing == 0 || !self.types.get(&row.policy_type).is_some_and(TypeState::was_unsteady);
            counts.not_read += row.not_read;
            counts.changed += row.changed;
            counts.types_selected += u64::from(row.outcome.is_some());
            counts.types_read += u64::from(row.outcome == Some(TypeOutcome::Succeeded));
        }
        if counts.missing > 0 {
            counts.missing_confidence = Some(if clean && steady { Confidence::High } else { Confidence::Low });
        }
        counts
    }

    pub(super) fn types_where(&self, wanted: impl Fn(&TypeState) -> bool) -> impl Iterator<Item = &String> {
        self.types.iter().filter(move |(_, state)| wanted(state)).map(|(key, _)| key)
    }
}
