//! `tenantatlas audit verify`

use super::{arguments::AuditCommand, output::Output};
use crate::{
    exit::{Exit, ExitCode},
    open,
    settings::Settings,
};
use serde_json::json;
use tenantatlas_store::audit::{self, Verification};

/// Recomputes the hash chain of the whole log.
///
/// # Errors
/// Exit code 1 when an entry was changed or removed, after saying which.
pub async fn run(settings: &Settings, command: &AuditCommand, output: Output) -> Result<(), Exit> {
    let AuditCommand::Verify = command;
    let db = open::database(settings).await?;
    match audit::verify(&db).await? {
        Verification::Intact { entries, last_hash } => {
            output.document(&json!({"intact": true, "entries": entries, "last_hash": last_hash.to_string()}))?;
            output.line(format!("The audit log is intact: {entries} entries, the last with hash {last_hash}."))
        }
        Verification::Broken { seq, problem } => {
            output.document(&json!({"intact": false, "sequence": seq, "problem": problem}))?;
            output.line(format!("The audit log is BROKEN at entry {seq}: {problem}."))?;
            Err(Exit::silent(ExitCode::Failed))
        }
    }
}
