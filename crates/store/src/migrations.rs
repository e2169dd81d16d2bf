//! The versions of the database, embedded in the program.

use sqlx::migrate::{Migrate, Migrator};

use crate::StoreError;
use crate::database::{Db, Run as _};
use crate::record::Number;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

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

    /// Brings the database to the version of this program. Safe to run again, and by several processes at once.
    ///
    /// # Errors
    /// [`StoreError::NewerDatabase`] and [`StoreError::ForeignMigration`], before anything is changed;
    /// [`StoreError::DiskFull`], [`StoreError::Unwritable`].
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let before = self.applied_versions().await?;
        let known = Self::known_version();
        if let Some(found) = before.iter().max().copied().filter(|found| *found > known) {
            return Err(StoreError::NewerDatabase { found, known });
        }
        match self {
            Self::Sqlite { writer, .. } => SQLITE.run(writer).await?,
            Self::Postgres { pool } => POSTGRES.run(pool).await?,
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
            std::cmp::Ordering::Less => Err(StoreError::OlderDatabase),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::NewerDatabase { found, known }),
        }
    }

    async fn applied_versions(&self) -> Result<Vec<i64>, StoreError> {
        // The table of applied versions is sqlx's own; before the first migration there is none.
        match self {
            Self::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                connection.ensure_migrations_table(&SQLITE.table_name).await?;
            }
            Self::Postgres { pool } => {
                let mut connection = pool.acquire().await?;
                connection.ensure_migrations_table(&POSTGRES.table_name).await?;
            }
        }
        let mut this = self;
        let versions: Vec<Number> = this.rows("SELECT version AS value FROM _sqlx_migrations", &[]).await?;
        Ok(versions.into_iter().map(|Number(version)| version).collect())
    }
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
}
