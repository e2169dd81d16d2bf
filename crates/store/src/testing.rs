//! Throw-away databases of both kinds, for the tests of this and other crates.
//!
//! A test that takes a [`TestDatabase`] and is declared with [`on_both_engines!`] runs on SQLite and on PostgreSQL. The
//! PostgreSQL server is the one named in `TENANTATLAS_TEST_POSTGRES_URL`, or one that is started for this process by
//! `scripts/with-postgres` and ends with it. Each test gets a database of its own, copied from a migrated template.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, OnceLock, PoisonError};

use aho_corasick::AhoCorasick;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use url::Url;

use crate::database::Run as _;
use crate::{Backend, Db};

/// The variable with the address of a PostgreSQL server on which databases may be made.
pub const POSTGRES_URL: &str = "TENANTATLAS_TEST_POSTGRES_URL";

const SQLITE_FILE: &str = "test.sqlite";

/// The columns that the vault seals, as `table.column`.
pub fn sealed_columns() -> impl Iterator<Item = String> {
    crate::vault::sealed::ALL.iter().map(|place| format!("{}.{}", place.table, place.column))
}

/// The texts of the migrations for PostgreSQL, in their order.
pub fn postgres_migrations() -> impl Iterator<Item = &'static str> {
    crate::migrations::postgres_texts()
}

/// An empty, migrated database. It is removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// The database.
    pub db: Db,
    /// Its address, for a process that is to open it as well.
    pub address: String,
    folder: Option<tempfile::TempDir>,
    _of_server: Option<OfServer>,
}

/// A database of the PostgreSQL server. It goes with its test: some hundred of them are gigabytes, and the machine writes to
/// its disk what stays, while other tests wait for theirs.
#[derive(Debug)]
struct OfServer {
    server: Url,
    name: String,
}

impl OfServer {
    /// Makes one; `from` are further words of `CREATE DATABASE`.
    async fn create(server: Url, from: &str) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut connection = connect(&server).await;
        execute(&mut connection, format!("CREATE DATABASE {name} {from}")).await.expect("a database");
        Self { server, name }
    }

    fn address(&self) -> String {
        with_database(&self.server, &self.name)
    }
}

impl Drop for OfServer {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        // The runtime of the test may be ending. Nobody waits for this thread: what the end of the process leaves goes with the
        // server.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let _ = runtime.map(|runtime| {
                runtime.block_on(async {
                    let options = PgConnectOptions::from_url(&server).expect("an address");
                    // A server that a test has stopped answers nothing.
                    if let Ok(mut connection) = options.connect().await {
                        let _ = execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                    }
                });
            });
        });
    }
}

impl TestDatabase {
    /// A new database of this kind.
    ///
    /// # Panics
    /// When it cannot be made: a test cannot go on without.
    pub async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::sqlite().await,
            Backend::Postgres => Self::postgres().await,
        }
    }

    /// A new database that was brought to an earlier version of the program; to none with version 0.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn of_version(backend: Backend, version: i64) -> Self {
        let test = match backend {
            Backend::Sqlite => Self::sqlite_file().await,
            Backend::Postgres => Self::of(OfServer::create(server(), "").await).await,
        };
        if version > 0 {
            test.db.migrate_to(version).await.expect("migrations");
        }
        test
    }

    /// A new SQLite file in a temporary folder.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn sqlite() -> Self {
        // A copy of one that was migrated, as on PostgreSQL.
        static MIGRATED: tokio::sync::OnceCell<Vec<u8>> = tokio::sync::OnceCell::const_new();
        let migrated = MIGRATED.get_or_init(async || {
            let test = Self::sqlite_file().await;
            test.db.migrate().await.expect("migrations");
            test.db.close().await;
            std::fs::read(test.sqlite_path()).expect("a SQLite file")
        });
        let migrated = migrated.await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(SQLITE_FILE), migrated).expect("a SQLite file");
        Self::in_folder(folder).await
    }

    async fn sqlite_file() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a temporary folder")).await
    }

    async fn in_folder(folder: tempfile::TempDir) -> Self {
        let address = format!("sqlite:{}", folder.path().join(SQLITE_FILE).display());
        let db = Db::connect(&address).await.expect("a SQLite file");
        Self { db, address, folder: Some(folder), _of_server: None }
    }

    fn sqlite_path(&self) -> std::path::PathBuf {
        self.folder().expect("a folder").join(SQLITE_FILE)
    }

    async fn of(database: OfServer) -> Self {
        let address = database.address();
        let db = Db::connect(&address).await.expect("a connection");
        Self { db, address, folder: None, _of_server: Some(database) }
    }

    /// A new database on the test server.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn postgres() -> Self {
        let server = server();
        let template = template(&server).await;
        Self::of(OfServer::create(server, &format!("TEMPLATE {template}")).await).await
    }

    /// Lets every lease end now, as if its worker had been silent for long: a test does not wait for it.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn expire_leases(&self) {
        let mut tx = self.db.write().await.expect("a transaction");
        tx.execute("UPDATE bulk_operation_runs SET lease_until = 1 WHERE lease_owner IS NOT NULL", &[])
            .await
            .expect("the leases end");
        tx.commit().await.expect("committed");
    }

    /// Executes a statement of the test's own, such as one that puts a fault into the database.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn execute(&self, text: &str) {
        let mut tx = self.db.write().await.expect("a transaction");
        tx.execute(AssertSqlSafe(text.to_owned()), &[]).await.expect("the statement is executed");
        tx.commit().await.expect("committed");
    }

    /// A single number that a query of the test's own answers, named `value`.
    ///
    /// # Panics
    /// When the database refuses it, or answers no number.
    pub async fn number(&self, text: &str) -> i64 {
        let found: Option<i64> =
            (&self.db).value(AssertSqlSafe(text.to_owned()), &[]).await.expect("the query is answered");
        found.expect("a number")
    }

    /// Waits until somebody waits for what a transaction of the test holds: the writer of SQLite, or a lock of PostgreSQL.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn until_somebody_waits(&self) {
        self.until_waiting(1).await;
    }

    /// The same of so many at once.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn until_waiting(&self, many: usize) {
        let is_waiting = async || match &self.db {
            Db::Sqlite { waiting, .. } => waiting.load(Ordering::SeqCst) >= many,
            Db::Postgres { .. } => {
                let text = "SELECT COUNT(*) AS value FROM pg_stat_activity \
                            WHERE datname = current_database() AND wait_event_type = 'Lock'";
                let found: Option<i64> = (&self.db).value(text, &[]).await.expect("the activity of the server");
                found.and_then(|count| usize::try_from(count).ok()).is_some_and(|count| count >= many)
            }
        };
        while !is_waiting().await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// The folder of a SQLite database.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }
}

/// The address of the server: given, or started for this process.
fn server() -> Url {
    static ADDRESS: OnceLock<Url> = OnceLock::new();
    // The server ends when its standard input does, which is when this process ends.
    static SERVER: Mutex<Option<Child>> = Mutex::new(None);
    ADDRESS
        .get_or_init(|| {
            let text = std::env::var(POSTGRES_URL).ok().filter(|text| !text.is_empty()).unwrap_or_else(|| {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/with-postgres");
                let mut child = Command::new(script)
                    .args(["sh", "-c", "echo \"$TENANTATLAS_TEST_POSTGRES_URL\"; cat >/dev/null"])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("scripts/with-postgres starts");
                let mut line = String::new();
                BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("an address");
                *SERVER.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
                line.trim().to_owned()
            });
            Url::parse(&text).expect("the address of a PostgreSQL server")
        })
        .clone()
}

fn with_database(server: &Url, name: &str) -> String {
    let mut address = server.clone();
    address.set_path(name);
    address.into()
}

async fn connect(server: &Url) -> PgConnection {
    PgConnectOptions::from_url(server).expect("an address").connect().await.expect("the PostgreSQL server answers")
}

async fn execute(connection: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(text)).execute(connection).await.map(|_| ())
}

/// The name of a migrated database to copy. It is made once per server and set of migrations, also when several
/// processes ask at once.
async fn template(server: &Url) -> String {
    static LOCK: tokio::sync::Mutex<Option<String>> = tokio::sync::Mutex::const_new(None);
    let mut known = LOCK.lock().await;
    if let Some(name) = known.as_ref() {
        return name.clone();
    }
    let mut hash = Sha256::new();
    for checksum in crate::migrations::postgres_checksums() {
        hash.update(checksum);
    }
    let name = format!("template_{}", &hex::encode(hash.finalize())[..24]);
    let mut connection = connect(server).await;
    sqlx::query("SELECT pg_advisory_lock(811)").execute(&mut connection).await.expect("a lock");
    let exists: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut connection)
        .await
        .expect("the list of databases");
    if exists.is_none() {
        let raw = format!("{name}_raw");
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {raw}")).await.expect("no half-made template");
        execute(&mut connection, format!("CREATE DATABASE {raw}")).await.expect("a database");
        let db = Db::connect(&with_database(server, &raw)).await.expect("a connection");
        db.migrate().await.expect("migrations");
        db.close().await;
        execute(&mut connection, format!("ALTER DATABASE {raw} RENAME TO {name}")).await.expect("a template");
    }
    connection.close().await.expect("an orderly end");
    *known = Some(name.clone());
    name
}

/// Declares tests that run on both engines. Each has the form
/// `async fn what_it_says(test: TestDatabase) { … }` and becomes two: `what_it_says::sqlite` and
/// `what_it_says::postgres`.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($test:ident: TestDatabase) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its surroundings")]
            use super::*;

            async fn run($test: $crate::testing::TestDatabase) $body

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::testing::TestDatabase::new($crate::Backend::Sqlite).await).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::testing::TestDatabase::new($crate::Backend::Postgres).await).await;
            }
        }
    )+};
}
pub use on_both_engines;

/// How the database goes about a statement, step by step.
#[cfg(test)]
pub(crate) async fn plan(db: &Db, statement: &crate::sql::Statement) -> String {
    let text = statement.text();
    let mut on = db;
    let lines: Vec<String> = match db.backend() {
        Backend::Sqlite => {
            let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.as_str()));
            let rows: Vec<(i64, i64, i64, String)> = on.rows(text, statement.values()).await.unwrap();
            rows.into_iter().map(|(_, _, _, detail)| detail).collect()
        }
        Backend::Postgres => {
            let text = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {}", text.as_str()));
            on.values(text, statement.values()).await.unwrap()
        }
    };
    lines.join("\n")
}

/// The first of the texts that stands in these bytes, as it is, wherever it begins.
///
/// # Panics
/// When there are more texts than can be searched for at once.
pub fn found_in<'a>(bytes: &[u8], texts: &'a [impl AsRef<str>]) -> Option<&'a str> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let finder = AhoCorasick::new(&texts).expect("texts that can be searched for");
    finder.find(bytes).map(|found| texts[found.pattern().as_usize()])
}
