//! Objects that moved to another type: one that is there no more, and one of the same name that is there instead.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sha2::{Digest as _, Sha256};

use crate::ids::ItemId;

/// An object that was added or removed, as little of it as it takes to find its other half: a comparison may bring a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    name: u64,
    /// The place of its type among those that are compared.
    pub policy_type: u16,
    /// The object.
    pub item: ItemId,
}

impl Moved {
    /// An object of the type at this place, by its name.
    #[must_use]
    pub fn new(display_name: &str, policy_type: u16, item: ItemId) -> Self {
        let hash: [u8; 32] = Sha256::digest(display_name).into();
        // An object without a name is never another one's successor.
        let name =
            if display_name.trim().is_empty() { 0 } else { hash.first_chunk().map_or(0, |b| u64::from_le_bytes(*b)) };
        Self { name, policy_type, item }
    }
}

/// What was found of added and removed objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    /// Objects that moved: what is there no more, and what is there instead.
    pub migrated: Vec<(Moved, Moved)>,
    /// Added ones that are left.
    pub added: Vec<Moved>,
    /// Removed ones that are left.
    pub removed: Vec<Moved>,
}

/// Finds the objects that moved to another type: exactly one of a name is there no more, and exactly one of that name is there
/// instead, as an object of another type. Where a name stands for more than that nobody can tell, and nothing is claimed.
#[must_use]
pub fn pair(removed: Vec<Moved>, added: Vec<Moved>) -> Pairing {
    let (gone, come) = (by_name(&removed), by_name(&added));
    let mut pairing = Pairing::default();
    let partner = |one: &Moved, here: &BTreeMap<u64, Option<Moved>>, there: &BTreeMap<u64, Option<Moved>>| {
        here.get(&one.name).copied().flatten()?;
        there.get(&one.name).copied().flatten().filter(|other| other.policy_type != one.policy_type)
    };
    for one in removed {
        match partner(&one, &gone, &come) {
            Some(other) => pairing.migrated.push((one, other)),
            None => pairing.removed.push(one),
        }
    }
    pairing.added = added.into_iter().filter(|one| partner(one, &come, &gone).is_none()).collect();
    pairing
}

/// The one object of each name; `None` where there are several.
fn by_name(objects: &[Moved]) -> BTreeMap<u64, Option<Moved>> {
    let mut names = BTreeMap::new();
    for one in objects.iter().filter(|one| one.name != 0) {
        match names.entry(one.name) {
            Entry::Vacant(entry) => drop(entry.insert(Some(*one))),
            Entry::Occupied(mut entry) => drop(entry.insert(None)),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn moved(name: &str, policy_type: u16, id: u128) -> Moved {
        Moved::new(name, policy_type, ItemId::from_uuid(Uuid::from_u128(id)))
    }

    #[test]
    fn one_gone_and_one_come_of_the_same_name_and_of_another_type_is_an_object_that_moved() {
        let (old, new) = (moved("BitLocker", 1, 1), moved("BitLocker", 2, 2));
        let (left, come) = (moved("x", 1, 3), moved("y", 2, 4));
        let pairing = pair(vec![old, left], vec![come, new]);
        assert_eq!(pairing, Pairing { migrated: vec![(old, new)], added: vec![come], removed: vec![left] });
    }

    #[test]
    fn what_could_be_several_and_what_has_no_name_and_what_kept_its_type_moved_nowhere() {
        for (removed, added) in [
            (vec![moved("a", 1, 1)], vec![moved("a", 1, 2)]),
            (vec![moved("a", 1, 1)], vec![moved("a", 2, 2), moved("a", 3, 3)]),
            (vec![moved("a", 1, 1), moved("a", 1, 2)], vec![moved("a", 2, 3)]),
            (vec![moved("", 1, 1)], vec![moved("", 2, 2)]),
            (vec![moved("  ", 1, 1)], vec![moved("  ", 2, 2)]),
        ] {
            let wanted = Pairing { migrated: Vec::new(), added: added.clone(), removed: removed.clone() };
            assert_eq!(pair(removed, added), wanted);
        }
    }
}
