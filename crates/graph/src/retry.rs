//! Whether to ask once more, and when.

use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::options::RetryBudget;

/// Longest time a `Retry-After` can express here; whatever is longer means this.
const FOREVER: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads a `Retry-After` header (RFC 9110, section 10.2.3): whole seconds, an HTTP date, and, because Graph sends
/// them, fractions of a second. A date in the past means now. `None` for anything else.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
        let numeric = value.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        let seconds = value.parse::<f64>().ok().filter(|_| numeric)?;
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(FOREVER).min(FOREVER));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(FOREVER))
}

/// Exponential backoff with full jitter: anything from nothing to `base × 2^(attempt - 1)`, capped. `attempt` counts
/// from one; `random` lies in `0.0..=1.0`.
pub(crate) fn full_jitter(attempt: u32, budget: &RetryBudget, random: f64) -> Duration {
    let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    budget.backoff_base.saturating_mul(factor).min(budget.backoff_cap).mul_f64(random.clamp(0.0, 1.0))
}

/// How long to wait before the next attempt: what the cloud says, else by backoff.
pub(crate) fn delay(attempt: u32, retry_after: Option<Duration>, budget: &RetryBudget) -> Duration {
    match retry_after {
        Some(asked) => asked,
        None => full_jitter(attempt, budget, rand::random_range(0.0..=1.0)),
    }
}

/// What a failed attempt means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Nothing will change.
    No,
    /// With another token, once.
    WithNewToken,
    /// When the cloud wants it, and so for everyone: the quota is used up.
    WhenEveryoneMay,
    /// When the cloud wants it.
    WhenAsked,
    /// A few times: it may have been a passing fault.
    Perhaps,
    /// When others have given back what this answer needs. No fault of the cloud.
    WhenThereIsMemory,
}

impl Again {
    /// `docs/graph.md`, sections Throttling and Batching. A 429 speaks for the quota of tenant and application, a 503
    /// only for the one service behind the address, so it holds back nobody else.
    pub(crate) fn after(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::WithNewToken,
            429 | 509 => Self::WhenEveryoneMay,
            503 | 504 => Self::WhenAsked,
            200..=299 | 408 | 424 | 500 | 502 => Self::Perhaps,
            _ => Self::No,
        }
    }
}

/// The failed attempts of one request, or of one item of a batch.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: u32,
    /// Whether another token was asked for already.
    refreshed: bool,
}

/// What follows from a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The failure is the answer.
    Final,
    /// At once, with another token.
    WithNewToken,
    /// The cloud names a moment that lies beyond the budget: nothing is waited for, and nobody else is held back.
    NotBefore(Duration),
    /// It may pass: not before `wait` is over, and unless `once_more` not at all, because it failed too often or too long.
    Failed { wait: Duration, once_more: bool },
}

impl Attempts {
    /// Counts a failed attempt and judges it. `elapsed` is the time since the first attempt was sent.
    pub(crate) fn judge(
        &mut self,
        again: Again,
        retry_after: Option<Duration>,
        elapsed: Duration,
        budget: &RetryBudget,
    ) -> Verdict {
        let attempts = match again {
            Again::No => return Verdict::Final,
            Again::WithNewToken if self.refreshed => return Verdict::Final,
            Again::WithNewToken => {
                self.refreshed = true;
                return Verdict::WithNewToken;
            }
            Again::WhenEveryoneMay | Again::WhenAsked | Again::WhenThereIsMemory => budget.attempts_when_busy,
            Again::Perhaps => budget.attempts_when_broken,
        };
        let beyond = |asked: &Duration| *asked > budget.retry_after_cap || elapsed + *asked > budget.elapsed;
        if let Some(asked) = retry_after.filter(beyond) {
            return Verdict::NotBefore(asked);
        }
        self.failures += 1;
        let wait = delay(self.failures, retry_after, budget);
        Verdict::Failed { wait, once_more: self.failures < attempts && elapsed + wait <= budget.elapsed }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn seconds_fractions_and_dates_are_understood() {
        let now = at(784_111_777);
        assert_eq!(parse_retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(parse_retry_after(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("0.25", now), Some(Duration::from_millis(250)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:40 GMT", now), Some(Duration::from_secs(3)));
        assert_eq!(parse_retry_after("Sunday, 06-Nov-94 08:49:40 GMT", now), Some(Duration::from_secs(3)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:30 GMT", now), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_no_answer() {
        for value in ["", "-1", "soon", "1e9", "inf", "NaN", "1.2.3", ".", "3 seconds", "0x10"] {
            assert_eq!(parse_retry_after(value, at(0)), None, "{value}");
        }
    }

    #[test]
    fn a_wait_beyond_the_budget_ends_at_once() {
        assert_eq!(parse_retry_after(&"9".repeat(400), at(0)), Some(FOREVER));
        assert_eq!(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", at(0)), Some(FOREVER));
        let budget = RetryBudget::default();
        for (asked, elapsed) in
            [(FOREVER, Duration::ZERO), (Duration::from_secs(10), budget.elapsed - Duration::from_secs(9))]
        {
            let verdict = Attempts::default().judge(Again::WhenEveryoneMay, Some(asked), elapsed, &budget);
            assert_eq!(verdict, Verdict::NotBefore(asked));
        }
    }

    #[test]
    fn another_token_is_asked_for_once_and_a_failure_is_tried_again_as_often_and_as_long_as_the_budget_says() {
        let budget = RetryBudget::default();
        let mut attempts = Attempts::default();
        assert_eq!(attempts.judge(Again::WithNewToken, None, Duration::ZERO, &budget), Verdict::WithNewToken);
        assert_eq!(attempts.judge(Again::WithNewToken, None, Duration::ZERO, &budget), Verdict::Final);
        assert_eq!(attempts.judge(Again::No, None, Duration::ZERO, &budget), Verdict::Final);
        let asked = Some(Duration::from_millis(1));
        for failure in 1..=budget.attempts_when_broken {
            let once_more = failure < budget.attempts_when_broken;
            let expected = Verdict::Failed { wait: Duration::from_millis(1), once_more };
            assert_eq!(attempts.judge(Again::Perhaps, asked, Duration::ZERO, &budget), expected, "{failure}");
        }
        let late = Attempts::default().judge(Again::WhenAsked, asked, budget.elapsed, &budget);
        assert_eq!(late, Verdict::NotBefore(Duration::from_millis(1)));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "\\PC{0,40}", now in 0_u64..4_000_000_000) {
            let _ = parse_retry_after(&value, at(now));
        }

        #[test]
        fn any_number_of_seconds_comes_back_as_itself(millis in 0_u64..10_000_000) {
            let text = format!("{}.{:03}", millis / 1000, millis % 1000);
            let parsed = parse_retry_after(&text, at(0)).unwrap();
            prop_assert!(parsed.abs_diff(Duration::from_millis(millis)) < Duration::from_micros(1));
        }

        #[test]
        fn any_date_to_come_is_waited_for(now in 0_u64..4_000_000_000, wait in 0_u64..1_000_000) {
            let text = httpdate::fmt_http_date(at(now + wait));
            prop_assert_eq!(parse_retry_after(&text, at(now)), Some(Duration::from_secs(wait)));
        }

        #[test]
        fn backoff_stays_within_its_step_and_cap(attempt in 0_u32..100, random in 0.0_f64..=1.0) {
            let budget = RetryBudget::default();
            let step = full_jitter(attempt, &budget, random);
            prop_assert!(step <= full_jitter(attempt, &budget, 1.0));
            prop_assert!(step <= budget.backoff_cap);
        }
    }
}
