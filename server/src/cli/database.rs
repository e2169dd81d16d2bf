//! `tenantatlas database …`

use tenantatlas_app::format::counted;
use tenantatlas_store::database_check::{self, Report, Runs};
use tenantatlas_store::{Db, StoreError};

use super::arguments::DatabaseCommand;
use super::output::Output;
use crate::exit::{Exit, ExitCode};
use crate::settings::Settings;

/// Says whether the database can be trusted.
///
/// # Errors
/// Exit code 1 when something is wrong with it, after saying what.
pub async fn run(settings: &Settings, command: DatabaseCommand, output: Output) -> Result<(), Exit> {
    let DatabaseCommand::Check = command;
    let db = match Db::connect_to_read(&settings.database_url).await {
        Err(StoreError::Database { code, .. }) => {
            let code = code.map(|code| format!(" (code {code})")).unwrap_or_default();
            return Err(Exit::new(
                ExitCode::Failed,
                format!("the database is damaged{code}: restore another backup, and look at the disk"),
            ));
        }
        other => other?,
    };
    let report = database_check::check(&db, &settings.key_file).await?;
    db.close().await;
    output.document(&report)?;
    tell(&report, output)?;
    if report.trustworthy { Ok(()) } else { Err(Exit::silent(ExitCode::Failed)) }
}

fn tell(report: &Report, output: Output) -> Result<(), Exit> {
    let schema = report.schema;
    output.line(format!("Version {} of the database; this program makes version {}.", schema.version, schema.known))?;
    if report.intact {
        output.line(match report.database {
            "sqlite" => "SQLite finds the file and its references in order.",
            _ => {
                "Constraints, indexes and references are in order. Pages and indexes themselves are read by pg_amcheck."
            }
        })?;
    }
    if let Some(key) = &report.key {
        output.line(format!("The key file fits: key {key}."))?;
    }
    if let Some(sealed) = &report.sealed {
        let rows = sealed
            .iter()
            .map(|one| vec![one.kind.replace('_', " "), one.count.to_string(), one.not_opened.to_string()]);
        output.table(&["sealed", "values", "cannot be opened"], rows)?;
    }
    if let Some(entries) = report.audit.and_then(|log| log.entries) {
        output.line(format!("The audit log is intact: {}.", counted(entries.unsigned_abs(), "entry", "entries")))?;
    }
    if let Some(runs) = report.runs.filter(|runs| *runs != Runs::default()) {
        output.line(format!(
            "{} had not ended, {} of them under way: workers take them up again, or end them as worker_lost, within a minute of \
             the start.",
            counted((runs.pending + runs.running).unsigned_abs(), "run", "runs"),
            runs.running
        ))?;
    }
    for finding in &report.findings {
        output.line(format!("WRONG: {}: {}.", finding.problem, finding.advice))?;
    }
    output.line(if report.trustworthy {
        "Nothing is wrong with this database."
    } else {
        "This database cannot be trusted as it is."
    })
}
