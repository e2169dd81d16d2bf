//! `tenantatlas key …`

use serde_json::json;
use tenantatlas_app::format::counted;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_engine::{Clock as _, SystemClock};
use tenantatlas_store::audit::Problem;
use tenantatlas_store::key_rotation::{self, Begun, Rotated, Rotation, Turn};
use tenantatlas_store::{Db, Vault};

use super::arguments::KeyCommand;
use super::output::Output;
use super::own_entry::own_entry;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Replaces the root key, or prepares that.
///
/// # Errors
/// Exit code 1 when the audit log is not in order or a value could not be opened, after saying so; 74 when the key file cannot
/// be written.
pub async fn run(settings: &Settings, command: KeyCommand, output: Output) -> Result<(), Exit> {
    let KeyCommand::Rotate(arguments) = command;
    let db = open::database(settings).await?;
    let vault = open::vault(settings, &db).await?;
    if arguments.prepare {
        return prepare(&db, &vault, output).await;
    }
    match key_rotation::begin(&db, &vault, &own_entry(AuditAction::KeyRotationBegan, "key"), SystemClock.now()).await? {
        Begun::Refused(problems) => refused(&problems, output),
        Begun::TidiedUp(turn) => tidied_up(&vault, &turn, output),
        Begun::Going(rotation) => seal_anew(rotation, output).await,
    }
}

async fn prepare(db: &Db, vault: &Vault, output: Output) -> Result<(), Exit> {
    let Some(prepared) = key_rotation::prepare(db, vault).await? else {
        return Err(Exit::usage(
            "the root key is being replaced already: `tenantatlas key rotate` without --prepare goes on with it",
        ));
    };
    output.document(&json!({"state": "prepared", "key": prepared.key, "former_key": prepared.former}))?;
    output.line(format!(
        "{} holds the new key {} beside {}, which seals as before. Copy it to every machine that works on this database, then run \
         `tenantatlas key rotate`.",
        vault.path().display(),
        prepared.key,
        prepared.former
    ))
}

async fn seal_anew(mut rotation: Rotation, output: Output) -> Result<(), Exit> {
    if rotation.is_resumed() {
        output.line("An earlier rotation was stopped; this goes on with it.")?;
    }
    while rotation.batch().await? {}
    let rotated = rotation.finish(&own_entry(AuditAction::KeyRotated, "key"), SystemClock.now()).await?;
    let Rotated { turn, resumed, sealed, not_opened, kept } = &rotated;
    output.document(&json!({
        "state": "rotated", "key": turn.key, "former_key": turn.former, "former_key_file": kept,
        "began_at": turn.began_at, "resumed": resumed, "sealed": sealed, "not_opened": not_opened,
    }))?;
    let count = counted(sealed.values().sum(), "value", "values");
    output.line(format!("Key {} took the place of {}: {count} sealed anew.", turn.key, turn.former))?;
    output.line(advice(&kept.display().to_string()))?;
    if *not_opened == 0 {
        return Ok(());
    }
    output.line(format!(
        "{} could not be opened with any key and stayed as they were: `tenantatlas database check` says what they are.",
        counted(*not_opened, "value", "values")
    ))?;
    Err(Exit::silent(ExitCode::Failed))
}

fn tidied_up(vault: &Vault, turn: &Turn, output: Output) -> Result<(), Exit> {
    let kept = vault.kept_path(&turn.former);
    output.document(&json!({
        "state": "tidied_up", "key": turn.key, "former_key": turn.former, "former_key_file": kept,
        "began_at": turn.began_at, "resumed": true, "sealed": {}, "not_opened": 0,
    }))?;
    output.line(format!(
        "Key {} had taken the place of {} already; the former key was still in the key file, and is not any more. To replace the \
         key once more, run this again.",
        turn.key, turn.former
    ))?;
    output.line(advice(&kept.display().to_string()))
}

fn advice(kept: &str) -> String {
    format!(
        "The former key lies in {kept}. This database does not need it any more; backups that were made before do. Throw it away, \
         with its copies, when the last of them is gone. Copy the key file to the other machines and into your backup of it."
    )
}

fn refused(problems: &[Problem], output: Output) -> Result<(), Exit> {
    output.document(&json!({"state": "refused", "problems": problems}))?;
    for problem in problems {
        output.line(format!("The audit log is BROKEN: {}.", problem.sentence()))?;
    }
    output.line("The key was not replaced: what was done to the log would be covered up. See `tenantatlas audit verify --help`.")?;
    Err(Exit::silent(ExitCode::Failed))
}
