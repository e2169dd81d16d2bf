//! Slows down whoever guesses passwords. A subject is a keyed hash of an account or an address
//! ([`crate::Vault::keyed_hash`]), so the table tells nothing about people.

use std::time::Duration;

use sqlx::FromRow;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{StoreError, Tx};

/// When and for how long sign-ins of a subject are refused.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Failures are counted within this time.
    pub window: Duration,
    /// So many failures are free.
    pub free: u32,
    /// The wait after the first failure that is not free; each further one doubles it.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

#[derive(FromRow)]
struct Attempts {
    #[sqlx(try_from = "i64")]
    failures: u32,
    #[sqlx(try_from = "i64")]
    blocked_until: Timestamp,
}

/// Until when sign-ins of a subject are refused; `None` when they are not. An end further ahead than the longest wait
/// is what a clock that was set back leaves behind, and refuses nobody.
///
/// # Errors
/// When the database fails.
pub async fn blocked_until(
    mut on: impl Access,
    subject: &[u8; 32],
    throttle: &Throttle,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let attempts: Option<Attempts> =
        on.row("SELECT failures, blocked_until FROM sign_in_attempts WHERE subject = $1", &args![subject]).await?;
    let furthest = after(at, throttle.longest_wait);
    Ok(attempts.map(|attempts| attempts.blocked_until).filter(|until| *until > at && *until <= furthest))
}

/// Counts a failure. Answers until when further ones are refused, if they are. A window that begins in the future, as
/// after a clock was set back, is over.
///
/// # Errors
/// When the database fails.
pub async fn record_failure(
    tx: &mut Tx,
    subject: &[u8; 32],
    throttle: &Throttle,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let window_start = at.as_millis().saturating_sub(millis(throttle.window));
    let attempts: Option<Attempts> = tx
        .row(
            "INSERT INTO sign_in_attempts (subject, window_started_at, failures, blocked_until)
             VALUES ($1, $2, 1, 0)
             ON CONFLICT (subject) DO UPDATE SET
                 failures = CASE WHEN sign_in_attempts.window_started_at BETWEEN $3 AND $2
                     THEN sign_in_attempts.failures + 1 ELSE 1 END,
                 window_started_at = CASE WHEN sign_in_attempts.window_started_at BETWEEN $3 AND $2
                     THEN sign_in_attempts.window_started_at ELSE $2 END
             RETURNING failures, blocked_until",
            &args![subject, at, window_start],
        )
        .await?;
    let failures = attempts.map_or(1, |attempts| attempts.failures);
    let Some(beyond) = failures.checked_sub(throttle.free + 1) else { return Ok(None) };
    let wait = throttle.first_wait.saturating_mul(1_u32 << beyond.min(20)).min(throttle.longest_wait);
    let until = after(at, wait);
    tx.execute("UPDATE sign_in_attempts SET blocked_until = $2 WHERE subject = $1", &args![subject, until]).await?;
    Ok(Some(until))
}

/// Forgets the failures of a subject, after a sign-in that succeeded.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &mut Tx, subject: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sign_in_attempts WHERE subject = $1", &args![subject]).await.map(|_| ())
}

/// Forgets failures that no longer count: those older than the longest window of all throttles, within which the longest
/// wait lies too, or dated further ahead than it. Answers how many subjects.
///
/// # Errors
/// When the database fails.
pub async fn remove_old(tx: &mut Tx, longest_window: Duration, at: Timestamp) -> Result<u64, StoreError> {
    let window_start = at.as_millis().saturating_sub(millis(longest_window));
    tx.execute(
        "DELETE FROM sign_in_attempts
         WHERE window_started_at NOT BETWEEN $1 AND $2 AND (blocked_until < $2 OR blocked_until > $3)",
        &args![window_start, at, after(at, longest_window)],
    )
    .await
}

fn after(at: Timestamp, wait: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis(wait)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
