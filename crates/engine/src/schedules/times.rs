//! The times of a schedule: a pattern of cron in a time zone.
//!
//! The pattern is read in local time alone, and a local time becomes the first moment at which the clocks of the zone show it
//! or a later one. So a time that does not exist is due at the first moment after it, and one that comes twice is due the first
//! time, whatever the form of the pattern is. The library that reads patterns is never told of a zone: what it makes of the two
//! halves of an overlap depends on whether it takes a pattern for a fixed time or for an interval.

use std::sync::LazyLock;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Zoned};
use tenantatlas_domain::time::Timestamp;

use crate::error::EngineError;

/// The longest pattern, bytes.
const LONGEST_PATTERN: usize = 120;
/// The longest name of a zone, bytes.
const LONGEST_ZONE: usize = 64;
/// Times that are looked at for the gaps between them.
const LOOKED_AT: usize = 10;
/// Between two times of a schedule there is at least this.
const LEAST_GAP: SignedDuration = SignedDuration::from_mins(5);
/// Local times that are passed over because they were due before: those of the longest overlap there is, a day.
const MOST_REPEATED: usize = 24 * 60 + 1;

/// The zones of the world, those of the program and not of the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The names of all zones, sorted.
#[must_use]
pub fn zone_names() -> Vec<String> {
    let mut names: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
    names.sort();
    names
}

/// A time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// The local time of the pattern that this is.
    pub local: DateTime,
}

impl Due {
    /// The local minute as it is stored: `2026-10-25T02:30`.
    #[must_use]
    pub fn local_minute(&self) -> String {
        self.local.strftime("%Y-%m-%dT%H:%M").to_string()
    }
}

/// A pattern in a zone.
#[derive(Debug, Clone)]
pub struct Times {
    cron: Cron,
    zone: TimeZone,
}

impl Times {
    /// Reads a pattern of five fields, or a nickname such as `@daily`, and the name of a zone such as `Europe/Berlin`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for the field `cron` or `zone`.
    pub fn read(cron: &str, zone: &str) -> Result<Self, EngineError> {
        let zone = zone.trim();
        let known = if zone.len() > LONGEST_ZONE { None } else { ZONES.get(zone).ok() };
        let known = known.ok_or_else(|| {
            let words = "must be a time zone of the IANA list, such as Europe/Berlin, America/New_York or UTC";
            EngineError::invalid("zone", words)
        })?;
        let cron = cron.trim();
        let expected =
            "must be a pattern of five fields, minute hour day month weekday, such as 30 2 * * * for daily at 02:30";
        if cron.len() > LONGEST_PATTERN || !cron.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(EngineError::invalid("cron", expected));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let read = parser.parse(cron).map_err(|error| {
            tracing::debug!(%error, "a pattern cannot be read");
            EngineError::invalid("cron", expected)
        })?;
        Ok(Self { cron: read, zone: known })
    }

    /// The same, refused when it never fires or leaves too little between its times.
    ///
    /// # Errors
    /// As [`Times::read`].
    pub fn checked(cron: &str, zone: &str, now: Timestamp) -> Result<Self, EngineError> {
        let times = Self::read(cron, zone)?;
        let upcoming = times.upcoming(now, LOOKED_AT);
        if upcoming.is_empty() {
            let words = "must name a time that comes: this pattern never fires, since no year has such a day";
            return Err(EngineError::invalid("cron", words));
        }
        let close = upcoming.windows(2).any(|two| gap(two) < LEAST_GAP.as_millis_i64());
        if close {
            return Err(EngineError::invalid("cron", "must leave at least 5 minutes between two of its times"));
        }
        Ok(times)
    }

    /// The first time after a moment; `None` when there is none.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Due> {
        let mut local = self.local(after)?;
        for _ in 0..MOST_REPEATED {
            local = self.next_local(local, false)?;
            let at = self.first_moment(local)?;
            // In the second half of an overlap the local times of the first come again: they were due then.
            if at > after {
                return Some(Due { at, local });
            }
        }
        None
    }

    /// The next times after a moment.
    #[must_use]
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Due> {
        let mut upcoming = Vec::with_capacity(count);
        let mut last = after;
        while upcoming.len() < count
            && let Some(due) = self.next(last)
        {
            last = due.at;
            upcoming.push(due);
        }
        upcoming
    }

    /// The longest time between two of the next times, in milliseconds; a day where there is only one.
    #[must_use]
    pub fn period(&self, after: Timestamp) -> i64 {
        let upcoming = self.upcoming(after, LOOKED_AT);
        upcoming.windows(2).map(gap).max().unwrap_or(SignedDuration::from_hours(24).as_millis_i64())
    }

    /// The local time at a moment.
    pub(super) fn local(&self, at: Timestamp) -> Option<DateTime> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(self.zone.to_datetime(at))
    }

    /// The next local time of the pattern, wherever the clocks change.
    pub(super) fn next_local(&self, after: DateTime, inclusive: bool) -> Option<DateTime> {
        let after: Zoned = after.to_zoned(TimeZone::UTC).ok()?;
        Some(self.cron.find_next_occurrence(&after, inclusive).ok()?.datetime())
    }

    /// The first moment at which the clocks show this local time or a later one.
    pub(super) fn first_moment(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let at = match ambiguous.offset() {
            AmbiguousOffset::Gap { before, .. } => {
                // Told by the clock from before the change the time lies after the change: the change is the last one before it.
                let beyond = before.to_timestamp(local).ok()?;
                let just_after = beyond.checked_add(SignedDuration::from_nanos(1)).ok()?;
                self.zone.preceding(just_after).next()?.timestamp()
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok()?,
        };
        Some(Timestamp::from_millis(at.as_millisecond()))
    }

    /// The zone.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The name of the zone as the list has it.
    #[must_use]
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// The pattern as it was typed, without blanks around it.
    #[must_use]
    pub fn pattern(&self) -> String {
        self.cron.as_str().to_owned()
    }

    /// The pattern in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.cron.describe()
    }

    /// The same where tenants are spread over so many minutes: `Between 02:30 and 03:00`.
    #[must_use]
    pub fn words_spread(&self, minutes: u32) -> String {
        let words = self.words();
        if minutes == 0 {
            return words;
        }
        let between = time_of(self.cron.as_str()).and_then(|(from, _)| {
            let rest = words.strip_prefix(&format!("At {from}"))?;
            Some(format!("Between {from} and {}{rest}", minutes_after(&from, minutes)?))
        });
        between.unwrap_or_else(|| format!("{words}, and up to {minutes} minutes later"))
    }
}

/// The time of day so many minutes after another one: `03:00`.
fn minutes_after(time: &str, minutes: u32) -> Option<String> {
    const DAY: u32 = 24 * 60;
    let (hour, minute) = time.split_once(':')?;
    let then = (hour.parse::<u32>().ok()? * 60 + minute.parse::<u32>().ok()? + minutes) % DAY;
    Some(format!("{:02}:{:02}", then / 60, then % 60))
}

fn gap(two: &[Due]) -> i64 {
    two[1].at.as_millis() - two[0].at.as_millis()
}

/// Whole milliseconds.
trait Millis {
    fn as_millis_i64(&self) -> i64;
}

impl Millis for SignedDuration {
    fn as_millis_i64(&self) -> i64 {
        i64::try_from(self.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The pattern of a time of every day, or of these days of the week (0 is Sunday): `30 2 * * 1,4`.
///
/// # Errors
/// [`EngineError::Invalid`] for the field `time`, unless it is hours and minutes such as 02:30.
pub fn pattern_of(time: &str, weekdays: &[u8]) -> Result<String, EngineError> {
    let invalid = || EngineError::invalid("time", "must be hours and minutes, such as 02:30");
    let (hour, minute) = time.trim().split_once(':').ok_or_else(invalid)?;
    let number = |text: &str, below: u8| text.parse::<u8>().ok().filter(|number| text.len() <= 2 && *number < below);
    let (hour, minute) = number(hour, 24).zip(number(minute, 60)).ok_or_else(invalid)?;
    let mut days: Vec<u8> = weekdays.iter().map(|day| day % 7).collect();
    days.sort_unstable();
    days.dedup();
    let days: Vec<String> = days.iter().map(ToString::to_string).collect();
    let days = if days.is_empty() { "*".to_owned() } else { days.join(",") };
    Ok(format!("{minute} {hour} * * {days}"))
}

/// The time of day and the days of the week (0 is Sunday; none for every day) of a pattern as [`pattern_of`] makes them; `None` of
/// any other pattern.
#[must_use]
pub fn time_of(cron: &str) -> Option<(String, Vec<u8>)> {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minute, hour, "*", "*", days] = fields[..] else { return None };
    let number = |text: &str| text.parse::<u8>().ok();
    let time = format!("{:02}:{:02}", number(hour)?, number(minute)?);
    let days = if days == "*" { Vec::new() } else { days.split(',').map(number).collect::<Option<Vec<u8>>>()? };
    (pattern_of(&time, &days).ok()? == cron).then_some((time, days))
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
