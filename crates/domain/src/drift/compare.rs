//! One object on both sides of a comparison.

use sha2::{Digest as _, Sha256};

use super::{ChangeKind, GapCode};
use crate::normalise::ContentHash;

/// What was known of an object that was there as of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemState {
    /// The hash of its normalised content.
    pub content_hash: ContentHash,
    /// The version of the normaliser that made that and the digests. Those of different versions are never compared.
    pub normaliser_version: u32,
    /// Its name.
    pub display_name: String,
    /// The digest of what it sets; `None` where it was read before that was kept.
    pub settings: Option<i64>,
    /// The digest of its assignments; `None` where it was read before that was kept.
    pub assignments: Option<i64>,
    /// The number of the run that found this content.
    pub since_seq: i64,
}

/// The value of what may drift: what an acceptance is bound to, and by which a drift that is gone is told. Equal values are
/// equal bytes; they say nothing of the content themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DriftValue {
    /// The version of the normaliser, 0 where the value does not depend on it.
    rules: u32,
    digest: [u8; 32],
}

impl DriftValue {
    fn of(rules: u32, what: &str, bytes: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update(what);
        digest.update([0]);
        digest.update(bytes);
        Self { rules, digest: digest.finalize().into() }
    }

    /// Whether two values can be compared at all: both were made by the same rules.
    #[must_use]
    pub fn is_comparable_with(&self, other: &Self) -> bool {
        self.rules == other.rules
    }

    /// As it is stored: 36 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.rules.to_be_bytes().into_iter().chain(self.digest).collect()
    }
}

/// Reads what [`DriftValue::to_bytes`] wrote.
impl TryFrom<Vec<u8>> for DriftValue {
    type Error = crate::normalise::InvalidContentHash;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        let (rules, digest) = bytes.split_first_chunk::<4>().ok_or(crate::normalise::InvalidContentHash)?;
        let digest = digest.try_into().map_err(|_| crate::normalise::InvalidContentHash)?;
        Ok(Self { rules: u32::from_be_bytes(*rules), digest })
    }
}

/// An object as of the baseline and as of now; `None` where it was not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// As of the baseline.
    pub before: Option<ItemState>,
    /// As of the current run.
    pub now: Option<ItemState>,
}

/// One way in which an object differs from its baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In which way.
    pub kind: ChangeKind,
    /// The value as of the baseline; `None` where the object was not there.
    pub before: Option<DriftValue>,
    /// The value now; `None` where the object is not there.
    pub now: Option<DriftValue>,
}

/// The value of an object for a kind of change: of a name the name, of assignments the assignments, of whether it is there
/// all of its content.
#[must_use]
pub fn value_of(kind: ChangeKind, state: &ItemState) -> DriftValue {
    let rules = state.normaliser_version;
    let part = match kind {
        ChangeKind::Renamed => return DriftValue::of(0, "name", state.display_name.as_bytes()),
        ChangeKind::Modified => state.settings.map(|digest| ("settings", digest)),
        ChangeKind::Reassigned => state.assignments.map(|digest| ("assignments", digest)),
        ChangeKind::Added | ChangeKind::Removed | ChangeKind::Migrated => None,
    };
    match part {
        Some((what, digest)) => DriftValue::of(rules, what, &digest.to_be_bytes()),
        None => DriftValue::of(rules, "content", &state.content_hash.0),
    }
}

/// In which ways an object differs from its baseline; several at once are several changes. Whether an object moved here from
/// another type cannot be told of one object alone: see [`super::pair`].
///
/// # Errors
/// [`GapCode::RulesChanged`] where the two contents were normalised by different rules, so that nothing can be said.
pub fn changes(sides: &Sides) -> Result<Vec<Change>, GapCode> {
    let (before, now) = match (&sides.before, &sides.now) {
        (None, None) => return Ok(Vec::new()),
        (None, Some(now)) => {
            let now = Some(value_of(ChangeKind::Added, now));
            return Ok(vec![Change { kind: ChangeKind::Added, before: None, now }]);
        }
        (Some(before), None) => {
            let before = Some(value_of(ChangeKind::Removed, before));
            return Ok(vec![Change { kind: ChangeKind::Removed, before, now: None }]);
        }
        (Some(before), Some(now)) => (before, now),
    };
    // The same state, not two that were made by different rules.
    if before.since_seq == now.since_seq {
        return Ok(Vec::new());
    }
    if before.normaliser_version != now.normaliser_version {
        return Err(GapCode::RulesChanged);
    }
    if before.content_hash == now.content_hash {
        return Ok(Vec::new());
    }
    Ok(kinds(before, now)
        .into_iter()
        .map(|kind| Change { kind, before: Some(value_of(kind, before)), now: Some(value_of(kind, now)) })
        .collect())
}

/// What differs of two contents that do.
fn kinds(before: &ItemState, now: &ItemState) -> Vec<ChangeKind> {
    let differ = |a: Option<i64>, b: Option<i64>| a.zip(b).is_some_and(|(a, b)| a != b);
    let mut kinds = Vec::new();
    if differ(before.settings, now.settings) {
        kinds.push(ChangeKind::Modified);
    }
    if differ(before.assignments, now.assignments) {
        kinds.push(ChangeKind::Reassigned);
    }
    if before.display_name != now.display_name {
        kinds.push(ChangeKind::Renamed);
    }
    // Where the parts are not known, or do not tell, that it differs is still certain.
    if kinds.is_empty() {
        kinds.push(ChangeKind::Modified);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::observation_hash;

    pub(in crate::drift) fn state(name: &str, settings: i64, assignments: i64) -> ItemState {
        let content = format!("{name} {settings} {assignments}");
        ItemState {
            content_hash: observation_hash(content.as_bytes()),
            normaliser_version: 2,
            display_name: name.to_owned(),
            settings: Some(settings),
            assignments: Some(assignments),
            since_seq: settings * 100 + assignments * 10 + i64::try_from(name.len()).unwrap(),
        }
    }

    fn kinds_of(before: Option<ItemState>, now: Option<ItemState>) -> Vec<ChangeKind> {
        changes(&Sides { before, now }).unwrap().into_iter().map(|change| change.kind).collect()
    }

    #[test]
    fn each_way_to_differ_has_its_own_kind_and_several_at_once_are_several_changes() {
        use ChangeKind::{Added, Modified, Reassigned, Removed, Renamed};
        let base = || Some(state("a", 1, 1));
        assert_eq!(kinds_of(None, None), []);
        assert_eq!(kinds_of(None, base()), [Added]);
        assert_eq!(kinds_of(base(), None), [Removed]);
        assert_eq!(kinds_of(base(), base()), []);
        assert_eq!(kinds_of(base(), Some(state("a", 2, 1))), [Modified]);
        assert_eq!(kinds_of(base(), Some(state("a", 1, 2))), [Reassigned]);
        assert_eq!(kinds_of(base(), Some(state("bb", 1, 1))), [Renamed]);
        assert_eq!(kinds_of(base(), Some(state("bb", 2, 2))), [Modified, Reassigned, Renamed]);
    }

    #[test]
    fn a_content_that_came_back_is_no_change_although_another_run_found_it() {
        let back = ItemState { since_seq: 9_999, ..state("a", 1, 1) };
        assert_eq!(kinds_of(Some(state("a", 1, 1)), Some(back)), []);
    }

    #[test]
    fn new_rules_of_comparing_claim_no_change_and_say_so_where_there_was_one() {
        let (old, new) = (state("a", 1, 1), ItemState { normaliser_version: 3, ..state("a", 7, 7) });
        let same = ItemState { since_seq: old.since_seq, ..new.clone() };
        assert_eq!(changes(&Sides { before: Some(old.clone()), now: Some(same) }), Ok(Vec::new()));
        assert_eq!(changes(&Sides { before: Some(old), now: Some(new) }), Err(GapCode::RulesChanged));
    }

    #[test]
    fn of_what_was_read_before_the_parts_were_kept_a_change_is_told_and_none_invented() {
        let blind =
            |name: &str, content: i64| ItemState { settings: None, assignments: None, ..state(name, content, 1) };
        assert_eq!(kinds_of(Some(blind("a", 1)), Some(state("a", 2, 1))), [ChangeKind::Modified]);
        assert_eq!(kinds_of(Some(blind("a", 1)), Some(state("bb", 2, 1))), [ChangeKind::Renamed]);
    }

    #[test]
    fn the_value_of_a_kind_moves_with_that_kind_alone_and_survives_being_stored() {
        let (base, other) = (state("a", 1, 1), state("bb", 2, 1));
        assert_ne!(value_of(ChangeKind::Renamed, &base), value_of(ChangeKind::Renamed, &other));
        assert_ne!(value_of(ChangeKind::Modified, &base), value_of(ChangeKind::Modified, &other));
        assert_eq!(value_of(ChangeKind::Reassigned, &base), value_of(ChangeKind::Reassigned, &other));
        let value = value_of(ChangeKind::Modified, &base);
        assert_eq!(DriftValue::try_from(value.to_bytes()), Ok(value));
        assert!(DriftValue::try_from(vec![1, 2]).is_err());
        assert!(DriftValue::try_from(vec![0; 35]).is_err());
    }
}
