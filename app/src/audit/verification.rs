//! Whether the chain of the audit log is intact, as its page says it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::Engine;
use tenantatlas_store::audit::Verification;

use crate::error::AppError;

/// The chain is walked again at most so often: it covers the whole log of the server.
const VERIFY_INTERVAL: Duration = Duration::from_secs(60);

/// What the last look at the chain found. Every page of a process asks the same one.
#[derive(Debug, Clone, Default)]
pub struct LastVerification(Arc<Mutex<Option<Looked>>>);

#[derive(Debug, Clone)]
struct Looked {
    at: Instant,
    found: Verification,
    told: Timestamp,
}

impl LastVerification {
    /// Whether the chain of the whole log is intact, and when that was found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask(&self, engine: &Engine) -> Result<(Verification, Timestamp), AppError> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Looked { at, found, told }) = last
            && at.elapsed() < VERIFY_INTERVAL
        {
            return Ok((found, told));
        }
        let found = engine.verify_audit().await?;
        let looked = Looked { at: Instant::now(), found: found.clone(), told: engine.now() };
        let told = looked.told;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
        Ok((found, told))
    }
}
