//! What drifted between two runs of a scope, and what becomes of a finding about it (`docs/rules.md`, section Drift).
//!
//! A finding is about one object and one kind of change. It is known by *what* drifted ([`fingerprint`]) and never by the
//! values, so that the same drift found again is the same finding. Nothing here reads a clock or a database.

mod compare;
mod facts;
mod gap;
mod judge;
mod pairs;
mod severity;

use sha2::{Digest as _, Sha256};

pub use compare::{Change, DriftValue, ItemState, Sides, changes, value_of};
pub use facts::{FactChange, changed_facts};
pub use gap::{Gap, GapCode, GapNow, UnknownGapCode};
pub use judge::{Acceptance, Reopened, Sight, Standing, UnknownReopened, Verdict, judge};
pub use pairs::{Moved, Pairing, pair};
pub use severity::{Severity, UnknownSeverity, default_severity};

use crate::ids::TenantId;
use crate::normalise::ContentHash;
use crate::selection::SelectionHash;

crate::names::named! {
    /// How an object differs from its baseline.
    #[derive(PartialOrd, Ord)]
    pub enum ChangeKind: UnknownChangeKind, "kind of change" {
        /// It was not there, and is now.
        Added = "added",
        /// It was there, and is there no more.
        Removed = "removed",
        /// What it sets is another.
        Modified = "modified",
        /// It is assigned to others, or in another way.
        Reassigned = "reassigned",
        /// It has another name.
        Renamed = "renamed",
        /// An object of another type and of the same name is there no more, and this one is in its place.
        Migrated = "migrated",
    }
}

impl ChangeKind {
    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Added => "Added",
            Self::Removed => "Removed",
            Self::Modified => "Modified",
            Self::Reassigned => "Assignments changed",
            Self::Renamed => "Renamed",
            Self::Migrated => "Moved to another type",
        }
    }
}

crate::names::named! {
    /// Whether somebody has looked at a finding.
    #[derive(PartialOrd, Ord)]
    pub enum FindingStatus: UnknownFindingStatus, "status of a finding" {
        /// Nobody has accepted it, or what was accepted is no longer what is there.
        New = "new",
        /// Somebody has accepted what is there.
        Acknowledged = "acknowledged",
    }
}

/// By what a finding is known: what drifted, in which scope of which tenant, and in which way. Not the values.
#[must_use]
pub fn fingerprint(
    tenant: TenantId,
    scope: &SelectionHash,
    policy_type: &str,
    external_id: &str,
    kind: ChangeKind,
) -> ContentHash {
    let mut digest = Sha256::new();
    digest.update(tenant.as_uuid().as_bytes());
    for text in ["drift", scope.as_str(), policy_type, external_id, kind.as_str()] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    ContentHash(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::registry::registry;
    use crate::selection::Selection;

    #[test]
    fn a_finding_is_known_by_tenant_scope_type_object_and_kind_each_of_which_makes_another_one() {
        let (one, other) = (TenantId::from_uuid(Uuid::from_u128(1)), TenantId::from_uuid(Uuid::from_u128(2)));
        let full = Selection::full(registry());
        let narrow = Selection { include_foundations: false, ..full.clone() };
        let (full, narrow) = (full.hash(), narrow.hash());
        let kinds = ChangeKind::ALL.iter().map(|kind| fingerprint(one, &full, "type", "id", *kind));
        let mut all: BTreeSet<ContentHash> = kinds.collect();
        all.insert(fingerprint(other, &full, "type", "id", ChangeKind::Added));
        all.insert(fingerprint(one, &narrow, "type", "id", ChangeKind::Added));
        all.insert(fingerprint(one, &full, "typei", "d", ChangeKind::Added));
        all.insert(fingerprint(one, &full, "type", "id2", ChangeKind::Added));
        assert_eq!(all.len(), ChangeKind::ALL.len() + 4);
        assert!(all.contains(&fingerprint(one, &full, "type", "id", ChangeKind::Renamed)), "and it is always the same");
    }
}
