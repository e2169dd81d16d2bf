//! The versions of the database, embedded in the program.

use std::cmp::Ordering;
use std::time::Duration;

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::StoreError;
use crate::database::{Access, Connection, Db, Run as _};
use crate::database_check::{Finding, Schema};
use crate::sqlite_file::begin_immediate;

/// How long a process waits for another one that migrates the same PostgreSQL database.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(600);

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// A database whose versions are looked at. On SQLite by the connection that migrates: one that looked before it keeps the
/// tables of then in mind, and is surprised by the columns that a later query finds.
struct Versions<'a>(&'a Db);

impl Access for Versions<'_> {
    async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        match self.0 {
            Db::Sqlite { writer, .. } => Ok(Connection::Sqlite(writer.acquire().await?.into())),
            Db::Postgres { .. } => self.0.connection().await,
        }
    }
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Versions applied now.
    pub applied: usize,
    /// The version of the database afterwards.
    pub version: i64,
}

impl Db {
    /// The newest version this program knows.
    #[must_use]
    pub fn known_version() -> i64 {
        newest(&SQLITE)
    }

    /// Brings the database to the version of this program. Safe to run again, and by any number of processes at once: one
    /// migrates, the others wait for it. A database that has the version is only read.
    ///
    /// # Errors
    /// [`StoreError::NewerDatabase`] and [`StoreError::ForeignMigration`], before anything is changed;
    /// [`StoreError::DiskFull`], [`StoreError::Unwritable`]; [`StoreError::Busy`] when another process holds the
    /// database for too long.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        self.migrate_up_to(None).await
    }

    /// The same up to an earlier version, for tests of an upgrade.
    ///
    /// # Errors
    /// As [`Db::migrate`].
    #[cfg(feature = "testing")]
    pub async fn migrate_to(&self, version: i64) -> Result<MigrationReport, StoreError> {
        self.migrate_up_to(Some(version)).await
    }

    async fn migrate_up_to(&self, target: Option<i64>) -> Result<MigrationReport, StoreError> {
        let known = Self::known_version();
        let before = self.applied_versions().await?;
        let newest = before.iter().max().copied().unwrap_or_default();
        if newest > known {
            return Err(StoreError::NewerDatabase { found: newest, known });
        }
        if self.is_as_made(&before).await? && target.is_none() {
            return Ok(MigrationReport { applied: 0, version: newest });
        }
        match self {
            Self::Sqlite { writer, .. } => migrate_sqlite(writer, target).await?,
            Self::Postgres { pool, .. } => migrate_postgres(pool, target).await?,
        }
        let after = self.applied_versions().await?;
        Ok(MigrationReport {
            applied: after.len().saturating_sub(before.len()),
            version: after.iter().max().copied().unwrap_or_default(),
        })
    }

    /// Checks that the database has the version of this program, without changing it.
    ///
    /// # Errors
    /// [`StoreError::OlderDatabase`] or [`StoreError::NewerDatabase`].
    pub async fn require_current(&self) -> Result<(), StoreError> {
        let found = self.applied_versions().await?.into_iter().max().unwrap_or_default();
        let known = Self::known_version();
        match found.cmp(&known) {
            Ordering::Less => Err(StoreError::OlderDatabase),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(StoreError::NewerDatabase { found, known }),
        }
    }

    /// Compares the versions of the database with those of this program, and tells what does not fit.
    pub(crate) async fn compare_versions(&self) -> Result<(Schema, Vec<Finding>), StoreError> {
        let applied = self.applied_versions().await?;
        let (version, known) = (applied.iter().max().copied().unwrap_or_default(), Self::known_version());
        let fits = self.is_as_made(&applied).await?;
        let finding = match (fits, version.cmp(&known)) {
            (true, _) => None,
            (false, Ordering::Greater) => Some(Finding::new(
                "schema_newer",
                format!("the database is of version {version}, but this program knows versions up to {known}"),
                "use the program that wrote it, or a newer one",
            )),
            (false, Ordering::Less) if version == 0 => Some(Finding::new(
                "schema_missing",
                "the database is empty",
                "name the database that was restored, or restore one",
            )),
            (false, Ordering::Less) if self.is_older_state(&applied).await? => Some(Finding::new(
                "schema_older",
                format!("the database is of version {version}, and this program makes version {known}"),
                "run `tenantatlas migrate`, then check again",
            )),
            _ => Some(Finding::new(
                "schema_foreign",
                "a version of the database is missing, was not applied to its end, or is not the one this program would have made",
                "use the build of the program that wrote it, or restore another backup",
            )),
        };
        Ok((Schema { version, known, fits }, finding.into_iter().collect()))
    }

    /// The versions the database has. The table of them is sqlx's own; before the first migration there is none.
    async fn applied_versions(&self) -> Result<Vec<i64>, StoreError> {
        let exists = match self {
            Self::Sqlite { .. } => "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Self::Postgres { .. } => "SELECT COUNT(to_regclass('_sqlx_migrations'))",
        };
        let mut this = Versions(self);
        let tables: Option<i64> = this.value(exists, &[]).await?;
        if tables.is_none_or(|count| count == 0) {
            return Ok(Vec::new());
        }
        this.values("SELECT version FROM _sqlx_migrations", &[]).await
    }

    /// Whether every migration was applied, and is the one of this program.
    async fn is_as_made(&self, applied: &[i64]) -> Result<bool, StoreError> {
        let (migrations, same) = self.is_made_so_far(applied).await?;
        Ok(same && applied.len() == migrations)
    }

    /// Whether the first migrations of this program were applied, and no others.
    async fn is_older_state(&self, applied: &[i64]) -> Result<bool, StoreError> {
        Ok(self.is_made_so_far(applied).await?.1)
    }

    /// How many migrations this program has, and whether those that were applied are the first of them.
    async fn is_made_so_far(&self, applied: &[i64]) -> Result<(usize, bool), StoreError> {
        type Applied = (i64, Vec<u8>, bool);
        if applied.is_empty() {
            return Ok((0, false));
        }
        let mut this = Versions(self);
        let rows: Vec<Applied> =
            this.rows("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version", &[]).await?;
        let migrator = match self {
            Self::Sqlite { .. } => &SQLITE,
            Self::Postgres { .. } => &POSTGRES,
        };
        let same = |(row, migration): (&Applied, &Migration)| {
            row.2 && row.0 == migration.version && row.1 == migration.checksum.as_ref()
        };
        let known = migrator.iter().count();
        Ok((known, rows.len() <= known && rows.iter().zip(migrator.iter()).all(same)))
    }
}

/// All in one transaction that has the right to write from its beginning: of several processes one makes the tables, and
/// a database that is killed meanwhile is as it was.
async fn migrate_sqlite(writer: &SqlitePool, target: Option<i64>) -> Result<(), StoreError> {
    let mut transaction = begin_immediate(writer).await?;
    // Each migration becomes a savepoint in it.
    SQLITE.run_direct(target, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

/// Under a lock of this program's own that covers the table of versions too, which sqlx makes outside of its lock; on a
/// connection of its own, so that the lock ends with it whatever happens.
async fn migrate_postgres(pool: &PgPool, target: Option<i64>) -> Result<(), StoreError> {
    const LOCK: i64 = 0x7461_6d69_6772_6174;
    let mut connection = pool.acquire().await?.detach();
    // PostgreSQL has no parameters here.
    let patience = format!("SET lock_timeout = {}", MIGRATION_PATIENCE.as_millis());
    sqlx::query(AssertSqlSafe(patience)).execute(&mut connection).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    POSTGRES.run_direct(target, &mut connection, false).await?;
    Ok(connection.close().await?)
}

/// The migrations on a connection of its own, to compare with what they make.
pub(crate) async fn run_on_sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(SQLITE.run_direct(None, connection, false).await?)
}

/// The body of a function that a migration for PostgreSQL makes, as it stands there.
pub(crate) fn postgres_function(name: &str) -> Option<&'static str> {
    let head = format!("CREATE FUNCTION {name}()");
    POSTGRES.iter().find_map(|migration| {
        let text = migration.sql.as_str();
        let (_, after) = text[text.find(&head)?..].split_once("$$")?;
        after.split_once("$$").map(|(body, _)| body)
    })
}

/// The texts of the migrations for PostgreSQL.
#[cfg(feature = "testing")]
pub(crate) fn postgres_texts() -> impl Iterator<Item = &'static str> {
    POSTGRES.iter().map(|migration| migration.sql.as_str())
}

/// What the migrations for PostgreSQL are, so that a database made from others is not taken for one made from these.
#[cfg(feature = "testing")]
pub(crate) fn postgres_checksums() -> impl Iterator<Item = &'static [u8]> {
    POSTGRES.iter().map(|migration| migration.checksum.as_ref())
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::args;

    #[test]
    fn both_engines_have_the_same_versions_and_names() {
        let list = |migrator: &Migrator| -> Vec<(i64, String)> {
            migrator.iter().map(|migration| (migration.version, migration.description.to_string())).collect()
        };
        assert_eq!(list(&SQLITE), list(&POSTGRES));
        let versions: Vec<i64> = SQLITE.iter().map(|migration| migration.version).collect();
        let counted: Vec<i64> = (1..).take(versions.len()).collect();
        assert_eq!(versions, counted, "numbered without gaps");
    }

    #[tokio::test]
    async fn notifications_outlive_the_change_that_lets_them_have_no_tenant() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("old.sqlite").display());
        let db = Db::connect(&address).await.expect("a file");
        let Db::Sqlite { writer, .. } = &db else { panic!("a SQLite file") };
        let before = SQLITE.iter().filter(|migration| migration.version < 14).cloned().collect();
        Migrator::with_migrations(before).run(writer).await.expect("the older versions");
        let mut tx = db.write().await.expect("a transaction");
        let id = uuid::Uuid::from_u128(7);
        for text in [
            "INSERT INTO users (id, email, email_key, name, created_at, updated_at)
             VALUES ($1, 'a', 'a', 'a', 1, 1)",
            "INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, environment, client_id,
                 connection_status, created_at, updated_at)
             VALUES ($1, 'a', 'a', 'a', 'global', 'prod', 'a', 'unchecked', 1, 1)",
            "INSERT INTO notifications (id, user_id, tenant_id, kind, payload, created_at, read_at)
             VALUES ($1, $1, $1, 'operation.ended', '{}', 5, 6)",
        ] {
            tx.execute(text, &args![id]).await.expect("written");
        }
        tx.commit().await.expect("committed");
        db.migrate().await.expect("the newer versions");
        let mut this = &db;
        let kept: Vec<i64> = this
            .values("SELECT created_at + read_at FROM notifications WHERE id = $1 AND tenant_id = $1", &args![id])
            .await
            .expect("rows");
        assert_eq!(kept, [11]);
    }
}
