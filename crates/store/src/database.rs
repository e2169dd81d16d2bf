//! The connection to either database, and how statements are run on it.

use std::future::Future;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::pool::MaybePoolConnection;
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{PgConnection, Postgres, SqlSafeStr, SqlStr, Sqlite, Transaction};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::StoreError;
use crate::bulk_texts::BulkTexts;
use crate::postgres_server::connect_postgres;
use crate::record::Record;
use crate::sql::{Statement, Value};
use crate::sqlite_file::{begin_immediate, connect_sqlite};
use crate::write_probe::WriteProbe;

/// How long a statement waits for a connection or for another process that writes the same SQLite file.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// A database. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub enum Db {
    /// A SQLite file: one connection writes, others read.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that cannot write.
        readers: SqlitePool,
        /// The file.
        path: PathBuf,
        /// Whether it could be written when that was last tried.
        write_probe: Arc<WriteProbe>,
        /// How many wait for their turn to write.
        waiting: Arc<AtomicUsize>,
        /// What all clones share.
        shared: Arc<Shared>,
    },
    /// A PostgreSQL server.
    Postgres {
        /// Its connections.
        pool: PgPool,
        /// What all clones share.
        shared: Arc<Shared>,
    },
}

/// What all clones of a [`Db`] share beside its connections.
#[derive(Debug)]
pub struct Shared {
    /// The texts of statements over many rows.
    bulk_texts: BulkTexts,
    /// The turns of those who search through all names.
    searches: Semaphore,
    /// How often it was read from outside of transactions that write.
    #[cfg(feature = "testing")]
    reads: AtomicUsize,
}

impl Default for Shared {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            bulk_texts: BulkTexts::default(),
            searches: Semaphore::new((cores / 2).max(1)),
            #[cfg(feature = "testing")]
            reads: AtomicUsize::new(0),
        }
    }
}

impl Db {
    /// Connects. `sqlite:PATH` makes the file when it is missing (not its folder); `postgres://…` must exist.
    /// Nothing is migrated: see [`Db::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Address`], [`StoreError::NoFile`], [`StoreError::Unwritable`], [`StoreError::DiskFull`],
    /// [`StoreError::NotADatabase`], [`StoreError::Unreachable`], [`StoreError::Refused`].
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        if let Some(path) = address.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(":memory:") || path.contains('?') {
                return Err(StoreError::Address("SQLite needs a file, without options".to_owned()));
            }
            connect_sqlite(Path::new(path)).await
        } else {
            connect_postgres(address, None).await
        }
    }

    /// The kind of database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite { .. } => Backend::Sqlite,
            Self::Postgres { .. } => Backend::Postgres,
        }
    }

    /// Begins a transaction that may write. On SQLite it waits for its turn, so nothing in it may wait for a network.
    /// Dropped without [`Tx::commit`], it is rolled back.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when its turn does not come within half a minute.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let inner = match self {
            // A deferred transaction that turns into a writer fails at once when another wrote meanwhile.
            Self::Sqlite { writer, waiting, .. } => {
                let _waits = Waits::begin(waiting);
                Inner::Sqlite(begin_immediate(writer).await?)
            }
            Self::Postgres { pool, .. } => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, shared: Arc::clone(self.shared()) })
    }

    /// Closes all connections; on SQLite the write-ahead log is copied into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Waits for the turn to look through every name of a tenant, which at a million items takes a core for a fraction of
    /// a second: as many may do so at the same time as half of the cores, so that the others stay free for what is quick.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the turn does not come within half a minute.
    pub(crate) async fn turn_to_search(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.shared().searches.acquire()).await;
        // The semaphore is never closed.
        turn.ok().and_then(Result::ok).ok_or(StoreError::Busy)
    }

    const fn shared(&self) -> &Arc<Shared> {
        match self {
            Self::Sqlite { shared, .. } | Self::Postgres { shared, .. } => shared,
        }
    }

    /// How many statements were run on it outside of transactions that write, for tests that bound them.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn reads(&self) -> usize {
        self.shared().reads.load(Ordering::SeqCst)
    }

    pub(crate) async fn connection(&self) -> Result<Connection<'static>, StoreError> {
        #[cfg(feature = "testing")]
        self.shared().reads.fetch_add(1, Ordering::SeqCst);
        Ok(match self {
            Self::Sqlite { readers, .. } => Connection::Sqlite(readers.acquire().await?.into()),
            Self::Postgres { pool, .. } => Connection::Postgres(pool.acquire().await?.into()),
        })
    }
}

/// Somebody who waits for a turn to write, for as long as this exists.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A transaction that may write.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Makes everything written in it lasting, at once.
    ///
    /// # Errors
    /// When the database refuses; then nothing was written.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Takes everything back. The same as dropping it, but waits until it is done.
    ///
    /// # Errors
    /// When the connection is lost; the database takes everything back then as well.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.rollback().await?,
            Inner::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    /// The kind of database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self.inner {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::Postgres(_) => Backend::Postgres,
        }
    }
}

/// What lookups can run on: `&Db`, or `&mut Tx` to see what the transaction wrote.
pub trait Access: Send {
    /// A connection for one or more statements.
    #[doc(hidden)]
    fn connection(&mut self) -> impl Future<Output = Result<Connection<'_>, StoreError>> + Send;
}

impl Access for &Db {
    async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        Db::connection(self).await
    }
}

impl Access for &mut Tx {
    async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(transaction) => Connection::Sqlite((&mut **transaction).into()),
            Inner::Postgres(transaction) => Connection::Postgres((&mut **transaction).into()),
        })
    }
}

/// A connection to either database.
#[doc(hidden)]
pub enum Connection<'c> {
    Sqlite(MaybePoolConnection<'c, Sqlite>),
    Postgres(MaybePoolConnection<'c, Postgres>),
}

/// Runs the same code with the connection of either database and its type.
macro_rules! dispatch {
    ($connection:expr, |$either:ident, $database:ident| $code:expr) => {
        match $connection {
            Connection::Sqlite(pooled) => {
                type $database = Sqlite;
                let $either: &mut SqliteConnection = &mut *pooled;
                $code
            }
            Connection::Postgres(pooled) => {
                type $database = Postgres;
                let $either: &mut PgConnection = &mut *pooled;
                $code
            }
        }
    };
}

/// Binds values in the order of their placeholders.
macro_rules! bound {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Number(number) => query.bind(*number),
                Value::Bool(bool) => query.bind(*bool),
                Value::Text(text) => query.bind(text.as_deref()),
                Value::Uuid(uuid) => query.bind(*uuid),
                Value::Bytes(bytes) => query.bind(bytes.as_deref()),
                Value::Json(json) => query.bind(json.as_ref().map(crate::sql::JsonText::raw)),
                Value::Ids(ids) => query.bind(ids),
                Value::Numbers(numbers) => query.bind(numbers),
            };
        }
        query
    }};
}

impl Connection<'_> {
    /// The kind of database it leads to.
    pub(crate) const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// Runs a statement and tells how many rows it affected.
    pub(crate) async fn execute(&mut self, text: impl SqlSafeStr, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let text = text.into_sql_str();
        Ok(dispatch!(self, |connection, Database| {
            bound!(sqlx::query::<Database>(text), values).execute(connection).await?.rows_affected()
        }))
    }

    /// All rows of a query. The query bounds them, not this.
    pub(crate) async fn rows<T: Record>(&mut self, text: SqlStr, values: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
        Ok(dispatch!(self, |connection, Database| {
            bound!(sqlx::query_as::<Database, T>(text), values).fetch_all(connection).await?
        }))
    }

    /// The first row of a query, if there is one.
    pub(crate) async fn row<T: Record>(&mut self, text: SqlStr, values: &[Value<'_>]) -> Result<Option<T>, StoreError> {
        Ok(dispatch!(self, |connection, Database| {
            bound!(sqlx::query_as::<Database, T>(text), values).fetch_optional(connection).await?
        }))
    }
}

/// Short forms for one statement on anything that gives a connection.
pub(crate) trait Run: Access {
    /// All rows of a query.
    fn rows<T: Record>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send {
        let text = text.into_sql_str();
        async move { self.connection().await?.rows(text, values).await }
    }

    /// The first row of a query, if there is one.
    fn row<T: Record>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send {
        let text = text.into_sql_str();
        async move { self.connection().await?.row(text, values).await }
    }

    /// The value of all rows of a query for one column.
    fn values<T>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send
    where
        (T,): Record,
    {
        let text = text.into_sql_str();
        async move {
            Ok(self.connection().await?.rows::<(T,)>(text, values).await?.into_iter().map(|(value,)| value).collect())
        }
    }

    /// The value of the first row of a query for one column, if there is one.
    fn value<T>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send
    where
        (T,): Record,
    {
        let text = text.into_sql_str();
        async move { Ok(self.connection().await?.row::<(T,)>(text, values).await?.map(|(value,)| value)) }
    }

    /// All rows of a query that was put together.
    fn query<T: Record>(&mut self, statement: &Statement) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send {
        async move { self.connection().await?.rows(statement.text(), statement.values()).await }
    }
}

impl<A: Access> Run for A {}

impl Tx {
    /// The connection to a PostgreSQL server, when it is one.
    pub(crate) fn as_postgres(&mut self) -> Option<&mut PgConnection> {
        match &mut self.inner {
            Inner::Sqlite(_) => None,
            Inner::Postgres(transaction) => Some(&mut **transaction),
        }
    }

    /// The texts of statements over many rows.
    pub(crate) fn bulk_texts(&self) -> &BulkTexts {
        &self.shared.bulk_texts
    }

    /// Runs a statement and tells how many rows it affected.
    pub(crate) async fn execute(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let text = text.into_sql_str();
        let mut this = self;
        Access::connection(&mut this).await?.execute(text, values).await
    }

    pub(crate) async fn run(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        self.execute(statement.text(), statement.values()).await
    }

    pub(crate) async fn rows<T: Record>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let mut this = self;
        Run::rows(&mut this, text, values).await
    }

    pub(crate) async fn row<T: Record>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        let mut this = self;
        Run::row(&mut this, text, values).await
    }

    pub(crate) async fn value<T>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError>
    where
        (T,): Record,
    {
        let mut this = self;
        Run::value(&mut this, text, values).await
    }

    pub(crate) async fn values<T>(
        &mut self,
        text: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError>
    where
        (T,): Record,
    {
        let mut this = self;
        Run::values(&mut this, text, values).await
    }
}
