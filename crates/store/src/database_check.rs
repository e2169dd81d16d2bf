//! Whether a database can be trusted, such as one that was restored from a backup: its schema, its files, what is sealed in it,
//! its audit log. Nothing is written.
//!
//! Rows are read page by page, so that memory does not grow with the database.

mod findings;
mod integrity;
mod sealed;

use std::path::Path;

use serde::Serialize;

pub use findings::{Finding, Schema};
pub use sealed::Sealed;

use crate::audit::{self, Verification};
use crate::database::Run as _;
use crate::{Backend, Db, StoreError, Vault, key_rotation};

/// The audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    /// Whether it is as it was written.
    pub intact: bool,
    /// How many entries it has, where it is intact.
    pub entries: Option<i64>,
}

/// Runs that had not ended. A database that is in use has some as well: they are no fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Those that wait to be begun. A worker begins them.
    pub pending: i64,
    /// Those that a worker had. After its lease another worker goes on, or they end as `worker_lost`.
    pub running: i64,
}

/// What was looked at, and what is wrong with it. What could not be looked at, since something before it is wrong, is `None`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub trustworthy: bool,
    /// The kind of database.
    pub database: &'static str,
    /// Its version.
    pub schema: Schema,
    /// Whether the database itself finds its files in order.
    pub intact: bool,
    /// The name of the key that seals, where the key file has it.
    pub key: Option<String>,
    /// What is sealed, by kind.
    pub sealed: Option<Vec<Sealed>>,
    /// The audit log.
    pub audit: Option<Log>,
    /// Runs that had not ended.
    pub runs: Option<Runs>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Looks at a database that was opened by [`Db::connect_to_read`], with the key file that belongs to it.
///
/// # Errors
/// When the database cannot be read at all. Whatever else is wrong is a finding.
pub async fn check(db: &Db, key_file: &Path) -> Result<Report, StoreError> {
    let (schema, mut findings) = db.compare_versions().await?;
    let damage = integrity::damage(db).await?;
    let intact = damage.is_empty();
    findings.extend(damage);
    let mut report = Report {
        trustworthy: false,
        database: match db.backend() {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        },
        schema,
        intact,
        key: None,
        sealed: None,
        audit: None,
        runs: None,
        findings,
    };
    // Queries of this program need its tables.
    if schema.fits {
        content(db, key_file, &mut report).await?;
    }
    report.trustworthy = report.findings.is_empty();
    Ok(report)
}

async fn content(db: &Db, key_file: &Path, report: &mut Report) -> Result<(), StoreError> {
    report.runs = Some(runs(db).await?);
    let vault = match Vault::open_to_read(db, key_file).await {
        Ok(vault) => vault,
        Err(error @ (StoreError::KeyFile { .. } | StoreError::KeyMismatch { .. })) => {
            let advice = "name the key file that was in use when the backup was made, with --key-file; one that was replaced \
                          since then lies beside the key file, with \"former\" in its name";
            report.findings.push(Finding::new("key_does_not_fit", error.to_string(), advice));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    report.key = Some(vault.key_name());
    if let Some(turn) = key_rotation::last(db).await?.filter(|turn| !turn.ended) {
        let problem = format!("the root key is being replaced: key {} takes the place of {}", turn.key, turn.former);
        report.findings.push(Finding::new(
            "rotation_under_way",
            problem,
            "run `tenantatlas key rotate`, which goes on with it",
        ));
    }
    let sealed = sealed::open_all(db, &vault).await?;
    for kind in sealed.iter().filter(|kind| kind.not_opened > 0) {
        let problem = format!("{} of {} sealed {} cannot be opened", kind.not_opened, kind.count, kind.what());
        report.findings.push(Finding::new("sealed_values_damaged", problem, kind.advice()));
    }
    report.sealed = Some(sealed);
    let verification = audit::verify(db, &vault).await;
    report.audit = Some(match verification {
        Ok(Verification::Intact { entries, .. }) => Log { intact: true, entries: Some(entries) },
        Ok(Verification::Broken { problems }) => {
            let advice = "keep database and logs as they are and see \"When something went wrong\" in docs/operations.md; after \
                          a backup was restored on purpose, `tenantatlas audit verify --accept-restored`";
            let found = problems.iter().map(|problem| Finding::new("audit_log_broken", problem.sentence(), advice));
            report.findings.extend(found);
            Log { intact: false, entries: None }
        }
        Err(error @ (StoreError::Corrupt { .. } | StoreError::Unreadable { .. })) => {
            let advice = "restore another backup, or the file that is named";
            report.findings.push(Finding::new("audit_log_broken", error.to_string(), advice));
            Log { intact: false, entries: None }
        }
        Err(error) => return Err(error),
    });
    Ok(())
}

async fn runs(db: &Db) -> Result<Runs, StoreError> {
    let mut on = db;
    let text =
        "SELECT status, COUNT(*) FROM bulk_operation_runs WHERE status IN ('pending', 'running') GROUP BY status";
    let mut runs = Runs::default();
    for (status, count) in on.rows::<(String, i64)>(text, &[]).await? {
        match status.as_str() {
            "pending" => runs.pending = count,
            _ => runs.running = count,
        }
    }
    Ok(runs)
}
