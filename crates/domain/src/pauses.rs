//! When a cloud let nothing in, since it had said 429: what a drawing of a run hatches.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Stretches that are kept; later ones only count.
const MOST_KEPT: usize = 200;

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// The stretches of time in which a run was let do nothing, in their order and without overlaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pauses(Vec<Pause>);

impl Pauses {
    /// Adds a stretch that begins no earlier than the last one did. What was there already is not counted twice. Answers whether it
    /// could be kept.
    pub fn add(&mut self, from: Timestamp, until: Timestamp) -> bool {
        if until <= from {
            return true;
        }
        if let Some(last) = self.0.last_mut().filter(|last| from <= last.until) {
            last.until = last.until.max(until);
            return true;
        }
        let has_room = self.0.len() < MOST_KEPT;
        if has_room {
            self.0.push(Pause { from, until });
        }
        has_room
    }

    /// Takes away what lies after `end`: a pause that nobody waited for.
    pub fn end_at(&mut self, end: Timestamp) {
        self.0.retain(|pause| pause.from < end);
        if let Some(last) = self.0.last_mut() {
            last.until = last.until.min(end);
        }
    }

    /// How long they are together, milliseconds.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.iter().map(|pause| (pause.until.as_millis() - pause.from.as_millis()).unsigned_abs()).sum()
    }

    /// The parts of them that lie between two moments.
    pub fn within(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Pause> {
        let parts = self.0.iter().map(move |pause| Pause { from: pause.from.max(from), until: pause.until.min(until) });
        parts.filter(|part| part.from < part.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn what_overlaps_is_counted_once() {
        let mut pauses = Pauses::default();
        pauses.add(at(10), at(20));
        pauses.add(at(15), at(30));
        pauses.add(at(16), at(18));
        pauses.add(at(50), at(50));
        pauses.add(at(60), at(70));
        assert_eq!(pauses.length(), 30);
        let parts: Vec<Pause> = pauses.within(at(25), at(65)).collect();
        assert_eq!(parts, [Pause { from: at(25), until: at(30) }, Pause { from: at(60), until: at(65) }]);
    }

    #[test]
    fn a_pause_that_nobody_waited_for_is_no_pause() {
        let mut pauses = Pauses::default();
        pauses.add(at(10), at(20));
        pauses.add(at(40), at(90));
        pauses.end_at(at(50));
        assert_eq!(pauses.length(), 20);
        pauses.end_at(at(40));
        assert_eq!(pauses.length(), 10);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut pauses = Pauses::default();
        let kept = (0..1_000).filter(|number| pauses.add(at(number * 10), at(number * 10 + 5))).count();
        assert_eq!((kept, pauses.length()), (MOST_KEPT, 1_000));
    }
}
