//! Which setting of one body is which of another.

use std::collections::{HashMap, HashSet};

use super::setting::{Order, Setting};

/// Pairs of elements that are looked at to find those which have most in common; more are taken by their place.
const MOST_PAIRS: usize = 10_000;

/// A setting of the older body and that of the newer one, each with its place; one of both is always there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'s> {
    pub old: Option<(usize, &'s Setting)>,
    pub new: Option<(usize, &'s Setting)>,
}

/// Pairs what stands side by side: by name, and what nothing names by what it says. What is there once only comes alone.
pub(super) fn pairs<'s>(old: &'s [Setting], new: &'s [Setting], order: Order) -> Vec<Pair<'s>> {
    let matched = if order == Order::Kept { by_place(old, new) } else { by_name(old, new) };
    let mut taken = vec![false; new.len()];
    let mut pairs = Vec::with_capacity(old.len().max(new.len()));
    for (at, setting) in old.iter().enumerate() {
        let other = matched[at].and_then(|place| Some((place, new.get(place)?)));
        if let Some((place, _)) = other {
            taken[place] = true;
        }
        pairs.push(Pair { old: Some((at, setting)), new: other });
    }
    let rest = new.iter().enumerate().filter(|(place, _)| !taken[*place]);
    pairs.extend(rest.map(|place| Pair { old: None, new: Some(place) }));
    pairs
}

/// Whether what is in both stands in the same order there.
pub(super) fn in_order(pairs: &[Pair<'_>]) -> bool {
    let places = pairs.iter().filter(|pair| pair.old.is_some()).filter_map(|pair| pair.new.map(|(place, _)| place));
    places.is_sorted()
}

/// In a list whose order means something: what begins and ends alike is the same, and between that each place is.
fn by_place(old: &[Setting], new: &[Setting]) -> Vec<Option<usize>> {
    let (before, after): (Vec<String>, Vec<String>) =
        (old.iter().map(Setting::digest).collect(), new.iter().map(Setting::digest).collect());
    let start = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(|(one, other)| one == other);
    let end = end.count();
    (0..old.len())
        .map(|at| match at {
            _ if at < start => Some(at),
            _ if at >= old.len() - end => Some(at + new.len() - old.len()),
            _ => (at < new.len() - end).then_some(at),
        })
        .collect()
}

fn by_name(old: &[Setting], new: &[Setting]) -> Vec<Option<usize>> {
    let mut names: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (at, setting) in old.iter().enumerate() {
        names.entry(&setting.key).or_default().0.push(at);
    }
    for (at, setting) in new.iter().enumerate() {
        names.entry(&setting.key).or_default().1.push(at);
    }
    let mut matched = vec![None; old.len()];
    for (mine, theirs) in names.into_values() {
        match (mine.as_slice(), theirs.as_slice()) {
            ([one], [other]) => matched[*one] = Some(*other),
            _ => by_content(old, new, mine, theirs, &mut matched),
        }
    }
    matched
}

/// Among those of one name: what is equal is the same, then what has most in common.
fn by_content(
    old: &[Setting],
    new: &[Setting],
    mine: Vec<usize>,
    mut theirs: Vec<usize>,
    matched: &mut [Option<usize>],
) {
    let mut equal: HashMap<String, Vec<usize>> = HashMap::new();
    for at in theirs.iter().rev() {
        equal.entry(new[*at].digest()).or_default().push(*at);
    }
    let mut left = Vec::new();
    for at in mine {
        match equal.get_mut(&old[at].digest()).and_then(Vec::pop) {
            Some(other) => {
                matched[at] = Some(other);
                theirs.retain(|place| *place != other);
            }
            None => left.push(at),
        }
    }
    if left.len() * theirs.len() > MOST_PAIRS {
        left.iter().zip(&theirs).for_each(|(at, other)| matched[*at] = Some(*other));
        return;
    }
    let leaves = |settings: &[Setting], at: usize| {
        let mut leaves = Vec::new();
        settings[at].leaves("", &mut leaves);
        leaves.into_iter().collect::<HashSet<String>>()
    };
    let theirs: Vec<(usize, HashSet<String>)> = theirs.into_iter().map(|at| (at, leaves(new, at))).collect();
    let mut likeness = Vec::new();
    for at in &left {
        let own = leaves(old, *at);
        likeness.extend(theirs.iter().map(|(other, said)| (own.intersection(said).count(), *at, *other)));
    }
    // The most alike first; then in the order of the lists.
    likeness.sort_by(|one, other| other.0.cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    let mut taken = HashSet::new();
    for (common, at, other) in likeness {
        // With nothing in common, one went and another came; a single one on each side is taken for the same.
        let same = common > 0 || (left.len() == 1 && theirs.len() == 1);
        if same && matched[at].is_none() && taken.insert(other) {
            matched[at] = Some(other);
        }
    }
}
