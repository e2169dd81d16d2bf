//! Requests of the REST API that name an `Idempotency-Key` are done once: whoever sends one again is answered as before.

use std::time::Duration;

use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::api_answers::{self, AskedOnce, Known};

use crate::engine::Engine;
use crate::error::EngineError;

/// Answers are kept so long.
pub(crate) const ANSWERS_ARE_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// After so long a request that was never answered may be sent again: its process is gone. Milliseconds.
const ABANDONED: i64 = 60_000;

impl Engine {
    /// Begins a request that is to be done once. Only where it is [`Known::New`], it is done, and then either
    /// [`Engine::finish_once`] or [`Engine::forget_once`] is called.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_once(&self, asked: &AskedOnce) -> Result<Known, EngineError> {
        let now = self.now();
        let mut tx = self.core.commands.db.write().await?;
        let abandoned = Timestamp::from_millis(now.as_millis() - ABANDONED);
        let known = api_answers::begin(&mut tx, asked, now, abandoned).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Keeps what was answered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_once(&self, asked: &AskedOnce, status: u16, body: &str) -> Result<(), EngineError> {
        let mut tx = self.core.commands.db.write().await?;
        api_answers::finish(&mut tx, asked, status, body).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a request that was not done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_once(&self, asked: &AskedOnce) -> Result<(), EngineError> {
        let mut tx = self.core.commands.db.write().await?;
        api_answers::forget(&mut tx, asked).await?;
        Ok(tx.commit().await?)
    }
}
