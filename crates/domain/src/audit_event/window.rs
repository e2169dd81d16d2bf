//! The stretch of time of which a log was read to the end.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A stretch of time, without its beginning and with its end: what was done in it was done after the one and not after the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What was done at this moment or before is no part of it.
    pub from: Timestamp,
    /// What was done after this moment is no part of it.
    pub to: Timestamp,
}

impl Span {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        self.from < at && at <= self.to
    }
}

/// The stretch of time of which all events of a log that Microsoft had are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadWindow {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end: when the reading began that came last.
    pub to: Timestamp,
}

impl ReadWindow {
    /// Whether it covers a stretch whole.
    #[must_use]
    pub fn covers(self, span: Span) -> bool {
        self.from <= span.from && span.to <= self.to
    }

    /// Whether it knows any of a stretch.
    #[must_use]
    pub fn touches(self, span: Span) -> bool {
        self.from < span.to && span.from < self.to
    }

    /// What is known after a reading of all between two moments. `kept` is the moment since which the log surely has every
    /// event, whatever the licence: what was asked of before counts as read only as far as the oldest event that came
    /// reaches, since a log that forgets early answers as one in which nothing was done. A stretch that joins the former one
    /// makes it longer; else the former one is given up, since nothing is known of the time between.
    #[must_use]
    pub fn after(former: Option<Self>, read: Span, kept: Timestamp, oldest: Option<Timestamp>) -> Self {
        let known_since = oldest.map_or(kept, |oldest| oldest.min(kept)).max(read.from).min(read.to);
        match former {
            Some(former) if known_since <= former.to && former.from <= read.to => {
                Self { from: former.from.min(known_since), to: former.to.max(read.to) }
            }
            _ => Self { from: known_since, to: read.to },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_millis(hour * 3_600_000)
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: at(from), to: at(to) }
    }

    #[test]
    fn what_overlaps_makes_the_window_longer_and_a_gap_begins_a_new_one() {
        let first = ReadWindow::after(None, span(0, 10), at(0), None);
        assert_eq!(first, ReadWindow { from: at(0), to: at(10) });
        let second = ReadWindow::after(Some(first), span(8, 20), at(0), None);
        assert_eq!(second, ReadWindow { from: at(0), to: at(20) });
        let later = ReadWindow::after(Some(second), span(21, 30), at(0), None);
        assert_eq!(later, ReadWindow { from: at(21), to: at(30) });
    }

    #[test]
    fn a_log_that_may_have_forgotten_counts_as_read_no_further_back_than_it_shows() {
        assert_eq!(ReadWindow::after(None, span(0, 100), at(60), None).from, at(60));
        assert_eq!(ReadWindow::after(None, span(0, 100), at(60), Some(at(30))).from, at(30));
        assert_eq!(ReadWindow::after(None, span(0, 100), at(60), Some(at(90))).from, at(60));
        // The reading before ended in what may have been forgotten since.
        let former = ReadWindow { from: at(0), to: at(50) };
        assert_eq!(ReadWindow::after(Some(former), span(40, 100), at(60), None).from, at(60));
        assert_eq!(ReadWindow::after(Some(former), span(40, 100), at(60), Some(at(45))).from, at(0));
    }

    #[test]
    fn a_span_is_without_its_beginning() {
        let read = ReadWindow { from: at(0), to: at(10) };
        assert!(!span(0, 5).holds(at(0)) && span(0, 5).holds(at(5)) && !span(0, 5).holds(at(6)));
        assert!(read.covers(span(0, 10)) && !read.covers(span(0, 11)));
        assert!(read.touches(span(9, 20)) && !read.touches(span(10, 20)));
    }
}
