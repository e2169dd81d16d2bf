//! What changes of the clocks do to a schedule, in words.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Span};
use tenantatlas_domain::time::Timestamp;

use super::times::Times;

/// Changes that are told, at most: two years of a zone with two a year.
const MOST_TOLD: usize = 4;
/// How far ahead is looked, in days.
const AHEAD: i64 = 366;

impl Times {
    /// What the changes of the clocks in the next year do to the times, in sentences.
    #[must_use]
    pub fn clock_changes(&self, now: Timestamp) -> String {
        let Ok(from) = jiff::Timestamp::from_millisecond(now.as_millis()) else { return String::new() };
        let until = from.checked_add(SignedDuration::from_hours(24 * AHEAD)).unwrap_or(jiff::Timestamp::MAX);
        let changes: Vec<jiff::Timestamp> = self
            .zone()
            .following(from)
            .map(|change| change.timestamp())
            .take_while(|change| *change < until)
            .take(MOST_TOLD)
            .collect();
        let told: Vec<String> = changes.iter().filter_map(|change| self.told(*change)).collect();
        if !told.is_empty() {
            return told.join(" ");
        }
        match changes.is_empty() {
            true => "The clocks of this zone do not change in the next year.".to_owned(),
            false => "The changes of the clocks in the next year touch none of its times.".to_owned(),
        }
    }

    /// What one change does; `None` when it touches no time.
    fn told(&self, change: jiff::Timestamp) -> Option<String> {
        let shown_before = {
            let before = change.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let shown = self.zone().to_datetime(before);
            shown.checked_add(Span::new().nanoseconds(1)).ok()?
        };
        let shown_after = self.zone().to_datetime(change);
        let (from, to) = (shown_before.min(shown_after), shown_before.max(shown_after));
        let first = self.next_local(from, true).filter(|local| *local < to)?;
        let day = |local: DateTime| local.strftime("%-d %B %Y").to_string();
        let time = |local: DateTime| local.strftime("%H:%M").to_string();
        let (from_time, to_time) = (time(from), time(to));
        Some(if shown_after > shown_before {
            let start = self.first_moment(first).and_then(|at| self.local(at)).unwrap_or(to);
            format!(
                "On {} the clocks go from {from_time} to {to_time}: {} does not exist, and it runs at {}.",
                day(from),
                time(first),
                time(start)
            )
        } else {
            format!(
                "On {} the clocks go back from {to_time} to {from_time}: {} comes twice, and it runs the first time only.",
                day(from),
                time(first)
            )
        })
    }
}
