//! A SQLite file: how it is opened, by any number of processes at once, and what is refused.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, Transaction};

use crate::database::PATIENCE;
use crate::error::sqlite_code;
use crate::write_probe::WriteProbe;
use crate::{Db, StoreError, files};

/// What the header of our files says from version 13 on: "TAtl". Files of before say 0, as files of most programs do.
const APPLICATION_ID: i64 = 0x5441_746c;
/// Readers of a file, at most.
const READERS: u32 = 8;
/// Pages the write-ahead log of SQLite grows to before it is copied into the file: 64 MiB. A bulk write changes the same
/// pages of the indexes again and again, and the copy writes each once: with 16 MiB it cost as much as the writing itself.
const CHECKPOINT_PAGES: &str = "16384";
/// Rows that SQLite's thread may be ahead of whoever reads them: each wait for the other costs more than many rows.
const ROWS_IN_FLIGHT: usize = 1_024;
/// Memory for pages of a SQLite file, in KiB (so is the sign): of the writer, and of each reader.
const WRITER_CACHE: &str = "-24576";
const READER_CACHE: &str = "-4096";
/// How long is waited before the next attempt to open a file that another process is just opening.
const RETRY_INTERVAL: Duration = Duration::from_millis(25);
/// Primary result codes of SQLite (<https://sqlite.org/rescode.html>).
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// Begins on the one writer. Where SQLite ended a transaction by itself, as it does when the disk is full, the
/// connection no longer knows whether it is in one, and everything after would fail: it is replaced by a fresh one.
pub(crate) async fn begin_immediate(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    let error = match writer.begin_with(BEGIN).await {
        Ok(transaction) => return Ok(transaction),
        Err(error) => error,
    };
    // A fresh connection would meet the same.
    let same = matches!(sqlite_code(&error), Some(BUSY | READONLY));
    if same || matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) {
        return Err(error);
    }
    tracing::warn!(%error, "the writing connection is replaced");
    writer.acquire().await?.close().await?;
    writer.begin_with(BEGIN).await
}

pub(crate) async fn connect_sqlite(path: &Path) -> Result<Db, StoreError> {
    files::prepare_database(path)?;
    let plain = SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(PATIENCE);
    patiently(|| refuse_foreign(&plain, path)).await?;
    let options = plain
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .statement_cache_capacity(200)
        .row_buffer_size(ROWS_IN_FLIGHT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", "memory")
        .pragma("trusted_schema", "off");
    let writing = options.clone().pragma("cache_size", WRITER_CACHE);
    let writer = patiently(|| async {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(PATIENCE)
            .connect_with(writing.clone());
        pool.await.map_err(|error| cannot_open(path, error))
    })
    .await?;
    files::keep_private(path)?;
    let reading = options.read_only(true).create_if_missing(false).pragma("cache_size", READER_CACHE);
    let readers = patiently(|| async {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_with(reading.clone());
        pool.await.map_err(|error| cannot_open(path, error))
    })
    .await?;
    let write_probe = Arc::new(WriteProbe::default());
    let waiting = Arc::default();
    Ok(Db::Sqlite { writer, readers, path: path.to_owned(), write_probe, waiting, shared: Arc::default() })
}

/// Opens a file that is there, so that nothing in it can be changed.
pub(crate) async fn connect_sqlite_to_read(path: &Path) -> Result<Db, StoreError> {
    let plain = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
    patiently(|| refuse_foreign(&plain, path)).await?;
    let options = plain
        .row_buffer_size(ROWS_IN_FLIGHT)
        .pragma("temp_store", "memory")
        .pragma("trusted_schema", "off")
        .pragma("cache_size", READER_CACHE);
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
    let readers = pool.connect_with(options).await.map_err(|error| cannot_open(path, error))?;
    let (writer, write_probe) = (readers.clone(), Arc::new(WriteProbe::default()));
    Ok(Db::Sqlite {
        writer,
        readers,
        path: path.to_owned(),
        write_probe,
        waiting: Arc::default(),
        shared: Arc::default(),
    })
}

/// Tries again while another process is opening the same file: the change to the write-ahead log answers "busy" at once,
/// whatever the timeout is (<https://sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode>).
async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(mut open: impl FnMut() -> F) -> Result<T, StoreError> {
    let began = Instant::now();
    loop {
        match open().await {
            Err(StoreError::Busy) if began.elapsed() < PATIENCE => tokio::time::sleep(RETRY_INTERVAL).await,
            result => return result,
        }
    }
}

/// Refuses the file of another program before anything in it is changed.
async fn refuse_foreign(options: &SqliteConnectOptions, path: &Path) -> Result<(), StoreError> {
    let cannot_open = |error| cannot_open(path, error);
    let mut connection = options.connect().await.map_err(cannot_open)?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await.map_err(cannot_open)?;
    let (objects, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(type = 'table' AND name = '_sqlx_migrations'), 0) FROM sqlite_master",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(cannot_open)?;
    connection.close().await.map_err(cannot_open)?;
    match id {
        APPLICATION_ID => Ok(()),
        0 if objects == 0 || ours > 0 => Ok(()),
        _ => Err(StoreError::NotADatabase(path.to_owned())),
    }
}

fn cannot_open(path: &Path, error: sqlx::Error) -> StoreError {
    match sqlite_code(&error) {
        Some(NOTADB) => StoreError::NotADatabase(path.to_owned()),
        Some(BUSY | LOCKED) => StoreError::Busy,
        // Each of these may mean a full disk as well as missing rights.
        Some(FULL) => StoreError::DiskFull,
        Some(CANTOPEN | READONLY | PERM | IOERR) => files::why_unwritable(path).unwrap_or_else(|| {
            let cause = error.as_database_error().map(|error| error.message().to_owned()).unwrap_or_default();
            StoreError::Unwritable { path: path.to_owned(), cause }
        }),
        _ => match error {
            sqlx::Error::Io(cause) => files::unwritable(path, &cause),
            other => other.into(),
        },
    }
}
