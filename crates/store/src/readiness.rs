//! Whether the database can be worked with right now: it answers, and it takes what is written.

use std::time::Duration;

use crate::database::Run as _;
use crate::sql::args;
use crate::{Db, StoreError, files};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The fact that is written to find out whether one can.
const PROBE: &str = "write_probe";

impl Db {
    /// Answers within two seconds whether the database can be worked with; for readiness checks. On SQLite a small
    /// transaction is written at most every five seconds, and what it found is told in between.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when it does not answer in time; [`StoreError::ReadOnly`], [`StoreError::DiskFull`]
    /// and [`StoreError::Disk`] when it answers but takes nothing that is written.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let looked = tokio::time::timeout(PATIENCE, async {
            self.answers().await?;
            self.takes_writes().await
        });
        looked.await.unwrap_or_else(|_| {
            let cause = format!("no answer within {} seconds", PATIENCE.as_secs());
            Err(StoreError::Unreachable { host: "the server".to_owned(), cause })
        })
    }

    /// Reads, and on PostgreSQL asks whether transactions may write here: a standby and a server set so may not.
    async fn answers(&self) -> Result<(), StoreError> {
        let text = match self {
            Self::Sqlite { .. } => "SELECT 0",
            Self::Postgres { .. } => {
                "SELECT CASE WHEN pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean
                     THEN 1::bigint ELSE 0::bigint END"
            }
        };
        let mut this = self;
        match this.value::<i64>(text, &[]).await? {
            Some(0) => Ok(()),
            _ => Err(StoreError::ReadOnly),
        }
    }

    async fn takes_writes(&self) -> Result<(), StoreError> {
        let Self::Sqlite { write_probe, .. } = self else { return Ok(()) };
        if write_probe.takes_turn() {
            let db = self.clone();
            // A task of its own: it ends and tells what it found also when nobody waits any more.
            let attempt = tokio::spawn(async move {
                let result = db.try_writing().await;
                if let Self::Sqlite { write_probe, .. } = &db {
                    write_probe.found(result);
                }
            });
            // Where the writer is busy for longer than one waits here, the last attempt is what is known.
            let _ = tokio::time::timeout(PATIENCE / 2, attempt).await;
        }
        write_probe.verdict()
    }

    /// Writes a fact, and a file beside the database: the write-ahead log may have space left on a disk that has none.
    async fn try_writing(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let text = "INSERT INTO schema_facts (name, value)
                    VALUES ($1, $2)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        tx.execute(text, &args![PROBE, uuid::Uuid::new_v4().to_string()]).await?;
        tx.commit().await?;
        let Self::Sqlite { path, .. } = self else { return Ok(()) };
        let path = path.clone();
        match tokio::task::spawn_blocking(move || files::why_unwritable(&path)).await {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(error),
            Err(error) => Err(StoreError::Disk { code: error.to_string() }),
        }
    }
}
