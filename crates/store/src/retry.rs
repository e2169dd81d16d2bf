//! Trying a transaction again that the database took back or never heard of.

use std::time::Duration;

use crate::error::StoreError;

/// Attempts at one transaction, the first included.
const ATTEMPTS: u32 = 6;
/// The pause after the attempt number `n` is so long, times `n` squared: 5.5 s over all attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries a transaction again where it failed for a reason that `passes`, such as [`StoreError::is_transient`]. Whether a
/// commit arrived that was not answered is not known, so a transaction must be one that may be repeated.
///
/// # Errors
/// That of the last attempt, or the first that does not pass.
pub async fn with_retries<T, F: Future<Output = Result<T, StoreError>>>(
    passes: impl Fn(&StoreError) -> bool,
    transaction: impl Fn() -> F,
) -> Result<T, StoreError> {
    let mut attempt = 1;
    loop {
        match transaction().await {
            Err(error) if attempt < ATTEMPTS && passes(&error) => {
                tracing::warn!(%error, attempt, "a transaction failed and is tried again");
                tokio::time::sleep(PAUSE * attempt * attempt).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// How often a transaction is tried that fails so often, and how it ends.
    async fn tried(failures: u32, error: fn() -> StoreError) -> (u32, Result<(), StoreError>) {
        let tries = AtomicU32::new(0);
        let transaction =
            || async { if tries.fetch_add(1, Ordering::SeqCst) < failures { Err(error()) } else { Ok(()) } };
        let done = with_retries(StoreError::is_transient, transaction).await;
        (tries.into_inner(), done)
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_that_passes_is_outlasted_and_no_other_one_is() {
        assert!(matches!(tried(3, || StoreError::Deadlock).await, (4, Ok(()))));
        assert!(matches!(tried(100, || StoreError::Busy).await, (ATTEMPTS, Err(StoreError::Busy))));
        assert!(matches!(tried(100, || StoreError::LeaseLost).await, (1, Err(StoreError::LeaseLost))));
    }
}
