//! Word from other processes on the same database that something changed.
//!
//! A signal carries ids only and says "look again": what is lost with a broken connection is made good by
//! [`Signal::Resync`]. Never send one per item: each commit that notifies waits for the others that do.

use sqlx::postgres::PgListener;

use crate::database::Db;
use crate::{StoreError, dialect};

/// Word from another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What a process sent with [`Db::notify`] or [`crate::Tx::notify`].
    Payload(String),
    /// The connection was lost and is back: anything may have happened meanwhile.
    Resync,
}

/// Listens to the other processes.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
}

impl Listener {
    /// Begins to listen; `None` on SQLite, which has one process and nobody else to listen to.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn connect(db: &Db) -> Result<Option<Self>, StoreError> {
        let Db::Postgres { pool, .. } = db else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(dialect::CHANNEL).await?;
        Ok(Some(Self { listener }))
    }

    /// Waits for the next signal. After a lost connection it connects again by itself and answers
    /// [`Signal::Resync`].
    ///
    /// # Errors
    /// When connecting again fails: wait a little and call it again.
    pub async fn next(&mut self) -> Result<Signal, StoreError> {
        match self.listener.try_recv().await? {
            Some(notification) => Ok(Signal::Payload(notification.payload().to_owned())),
            None => Ok(Signal::Resync),
        }
    }
}

impl Db {
    /// Tells the other processes, at once. Does nothing on SQLite.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notify(&self, payload: &str) -> Result<(), StoreError> {
        dialect::notify(self, payload).await
    }
}

impl crate::Tx {
    /// Tells the other processes when the transaction commits. Does nothing on SQLite. Not for bulk transactions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notify(&mut self, payload: &str) -> Result<(), StoreError> {
        dialect::notify(self, payload).await
    }
}
