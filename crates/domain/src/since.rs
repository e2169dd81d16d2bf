//! A time against which "changed" is told, as it stands in addresses and on the command line (`docs/rules.md`, section
//! Missing).

use std::fmt::{Display, Formatter, Result as FmtResult};
use std::str::FromStr;

use crate::ids::SyncRunId;
use crate::time::Timestamp;

/// The most days that can be asked for.
const MAX_DAYS: u32 = 3_650;
const DAY: i64 = 86_400_000;

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So many times 24 hours ago: `1d`.
    Days(u32),
    /// The beginning of a day in UTC, or a moment: `2026-11-20`, `2026-11-20T08:00:00Z`.
    Moment(Timestamp),
    /// The end of a sync run: `run-` and its id.
    Run(SyncRunId),
}

/// The text names no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected days such as 7d, a date such as 2026-11-20, an RFC 3339 time, or run- and the id of a sync run")]
pub struct UnknownSince;

impl Since {
    /// The moment at a time of the clock; `None` for a run, whose end only its record tells.
    #[must_use]
    pub const fn moment(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(Timestamp::from_millis(now.as_millis() - days as i64 * DAY)),
            Self::Moment(at) => Some(at),
            Self::Run(_) => None,
        }
    }

    /// Why changes are not told since a time that has not come.
    #[must_use]
    pub fn in_future(self) -> String {
        format!("{self} lies in the future. Changes are told since a time that has passed.")
    }
}

impl FromStr for Since {
    type Err = UnknownSince;

    fn from_str(text: &str) -> Result<Self, UnknownSince> {
        if let Some(run) = text.strip_prefix("run-") {
            return run.parse().map(Self::Run).map_err(|_| UnknownSince);
        }
        if let Some(days) = text.strip_suffix('d') {
            let days = days.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
            return days.map(Self::Days).ok_or(UnknownSince);
        }
        let moment = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
        moment.map(Self::Moment).ok_or(UnknownSince)
    }
}

impl Display for Since {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> FmtResult {
        match self {
            Self::Days(days) => write!(formatter, "{days}d"),
            Self::Moment(at) if at.as_millis().rem_euclid(DAY) == 0 => {
                formatter.write_str(at.to_rfc3339().get(..10).unwrap_or_default())
            }
            Self::Moment(at) => formatter.write_str(&at.to_rfc3339()),
            Self::Run(run) => write!(formatter, "run-{run}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_not_come_is_refused_in_words() {
        let since: Since = "2099-01-01".parse().unwrap();
        assert_eq!(since.in_future(), "2099-01-01 lies in the future. Changes are told since a time that has passed.");
    }

    #[test]
    fn what_is_written_reads_back_and_nonsense_is_refused() {
        for text in ["1d", "30d", "2026-11-20", "2026-11-20T08:00:00.000Z", "run-00000000-0000-0000-0000-000000000007"]
        {
            let since: Since = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(since.to_string().parse(), Ok(since), "{text}");
        }
        for text in ["", "d", "0d", "-1d", "99999d", "yesterday", "run-", "run-7", "2026-13-01", "2026-11-20T"] {
            assert_eq!(text.parse::<Since>(), Err(UnknownSince), "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_the_clock_and_dates_begin_in_utc() {
        let now = Timestamp::from_millis(10 * DAY);
        assert_eq!(Since::Days(7).moment(now), Some(Timestamp::from_millis(3 * DAY)));
        let day: Since = "1970-01-02".parse().unwrap();
        assert_eq!(day.moment(now), Some(Timestamp::from_millis(DAY)));
    }
}
