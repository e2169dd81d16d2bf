//! Changes of one person that were made in one go.

use super::Attribution;
use crate::time::Timestamp;

/// How long after a change the next one still belongs to the same go, in milliseconds.
const SAME_GO: i64 = 30 * 60_000;

/// Changes that one actor made in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The places of the changes among those that were asked for, in order.
    pub places: Vec<usize>,
    /// When the first of them was.
    pub from: Timestamp,
    /// When the last of them was.
    pub to: Timestamp,
}

/// Puts changes together of which one actor alone is known, and which follow each other within half an hour: the latest first.
/// After them come the places of the changes of which nobody, several, or somebody without a name is known.
#[must_use]
pub fn edits(changes: &[&Attribution]) -> (Vec<Edit>, Vec<usize>) {
    let (mut known, mut others) = (Vec::new(), Vec::new());
    for (place, change) in changes.iter().enumerate() {
        match change {
            Attribution::Found { actors, .. } if actors.len() == 1 && !actors[0].actor.key().1.is_empty() => {
                known.push((actors[0].actor.key(), actors[0].at, place));
            }
            _ => others.push(place),
        }
    }
    known.sort();
    let mut edits: Vec<((bool, String), Edit)> = Vec::new();
    for (actor, at, place) in known {
        match edits.last_mut() {
            Some((same, edit)) if *same == actor && at.as_millis() - edit.to.as_millis() <= SAME_GO => {
                edit.places.push(place);
                edit.to = at;
            }
            _ => edits.push((actor, Edit { places: vec![place], from: at, to: at })),
        }
    }
    let mut edits: Vec<Edit> = edits.into_iter().map(|(_, edit)| edit).collect();
    edits.iter_mut().for_each(|edit| edit.places.sort_unstable());
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.to));
    (edits, others)
}

#[cfg(test)]
mod tests {
    use super::super::{Actor, Actors, Certainty, Lack};
    use super::*;

    fn by(name: &str, minute: i64) -> Attribution {
        let actor = Actor { user_name: Some(name.to_owned()), ..Actor::default() };
        let at = Timestamp::from_millis(minute * 60_000);
        let (ours, activity) = (false, "Patch".to_owned());
        let actors = Actors { actor, ours, events: 1, at, activity, correlation_id: None, changed: Vec::new() };
        Attribution::Found { actors: vec![actors], certainty: Certainty::OneActor }
    }

    #[test]
    fn what_one_person_changed_in_one_go_is_one_edit_and_nobody_else_gets_into_it() {
        let unknown = Attribution::NotRead { lack: Lack::NeverRead };
        let changes = [by("kim", 10), by("sam", 11), by("kim", 35), unknown, by("kim", 90), by("", 12)];
        let (edits, others) = edits(&changes.iter().collect::<Vec<_>>());
        let places: Vec<&[usize]> = edits.iter().map(|edit| edit.places.as_slice()).collect();
        assert_eq!(places, [&[4][..], &[0, 2], &[1]]);
        assert_eq!(others, [3, 5], "whoever has no name is not one and the same");
    }
}
