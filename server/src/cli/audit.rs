//! `tenantatlas audit …`

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use serde_json::json;
use tenantatlas_app::format::counted;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_engine::{Clock as _, SystemClock};
use tenantatlas_store::audit::{self, Anchor, Problem, Resealed, Verification};
use tenantatlas_store::{Db, Vault};

use super::arguments::{AuditCommand, AuditResealArguments, AuditVerifyArguments};
use super::output::Output;
use super::own_entry::own_entry;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// A line of a file of anchors, at most; one is about 250 bytes.
const LINE_LIMIT: u64 = 4_096;
/// Problems with anchors that are told one by one.
const TOLD: usize = 20;

/// Verifies the log, or writes its end down elsewhere.
///
/// # Errors
/// Exit code 1 when the log is not as it was written, after saying what is wrong.
pub async fn run(settings: &Settings, command: &AuditCommand, output: Output) -> Result<(), Exit> {
    let db = open::database(settings).await?;
    let vault = open::vault(settings, &db).await?;
    match command {
        AuditCommand::Verify(arguments) => verify(&db, &vault, arguments, output).await,
        AuditCommand::Anchor { to } => anchor(&db, &vault, to.as_deref(), output).await,
        AuditCommand::Reseal(arguments) => reseal(&db, &vault, arguments, output).await,
    }
}

async fn verify(db: &Db, vault: &Vault, arguments: &AuditVerifyArguments, output: Output) -> Result<(), Exit> {
    if arguments.accept_restored {
        let problems =
            audit::accept_restored(db, vault, &own_entry(AuditAction::AuditRestored, "audit_log"), SystemClock.now())
                .await?;
        if !problems.is_empty() {
            return tell_broken(&problems, output);
        }
    }
    let verification = audit::verify(db, vault).await?;
    let anchors = match &arguments.anchor {
        Some(file) => Some(check_anchors(db, vault, file).await?),
        None => None,
    };
    let (count, mut problems) = anchors.map_or((None, Vec::new()), |(count, problems)| (Some(count), problems));
    let (entries, last_hash) = match verification {
        Verification::Intact { entries, last_hash } => (entries, last_hash),
        Verification::Broken { problems: mut others } => {
            others.append(&mut problems);
            return tell_broken(&others, output);
        }
    };
    if !problems.is_empty() {
        return tell_broken(&problems, output);
    }
    output
        .document(&json!({"intact": true, "entries": entries, "last_hash": last_hash.to_string(), "anchors": count}))?;
    let held = count.map(|count| match count {
        1 => " It holds what the anchor names.".to_owned(),
        _ => format!(" It holds what {count} anchors name."),
    });
    let entries = counted(entries.unsigned_abs(), "entry", "entries");
    let held = held.unwrap_or_default();
    output.line(format!("The audit log is intact: {entries}, the last with hash {last_hash}.{held}"))
}

fn tell_broken(problems: &[Problem], output: Output) -> Result<(), Exit> {
    let first = problems.first();
    output.document(&json!({
        "intact": false,
        "sequence": problems.iter().find_map(Problem::seq),
        "problem": first.map(Problem::sentence),
        "problems": problems,
    }))?;
    for problem in problems {
        output.line(format!("The audit log is BROKEN: {}.", problem.sentence()))?;
    }
    Err(Exit::silent(ExitCode::Failed))
}

async fn reseal(db: &Db, vault: &Vault, arguments: &AuditResealArguments, output: Output) -> Result<(), Exit> {
    let former = arguments.former_key.as_deref().map(Vault::former_audit_keys).transpose()?;
    let resealed = audit::reseal(
        db,
        vault,
        former.as_ref(),
        &own_entry(AuditAction::AuditResealed, "audit_log"),
        SystemClock.now(),
    )
    .await?;
    let (done, sentence) = match resealed {
        Resealed::Refused(problems) => return tell_broken(&problems, output),
        Resealed::NotNeeded => (false, "The audit log is sealed with this key already. Nothing was done.".to_owned()),
        Resealed::Done { entries } => {
            let how = if former.is_some() { "verified with the key that was replaced" } else { "taken as it is" };
            (true, format!("The audit log was {how} and sealed with the present key. Entry {entries} tells of it."))
        }
    };
    output.document(&json!({"resealed": done, "verified": done && former.is_some()}))?;
    output.line(sentence)
}

async fn anchor(db: &Db, vault: &Vault, to: Option<&Path>, output: Output) -> Result<(), Exit> {
    let Some(anchor) = audit::anchor(db, &vault.audit_keys(), SystemClock.now()).await? else {
        return Err(Exit::new(
            ExitCode::Failed,
            "the end of the audit log is not in order and proves nothing: `tenantatlas audit verify` says why",
        ));
    };
    let line = serde_json::to_string(&anchor)
        .map_err(|error| Exit::new(ExitCode::Failed, format!("the anchor cannot be written: {error}")))?;
    let Some(file) = to else {
        output.document(&anchor)?;
        return output.line(line);
    };
    append(file, &line).map_err(|error| {
        Exit::new(ExitCode::CannotWrite, format!("cannot append the anchor to {}: {error}", file.display()))
    })?;
    output.document(&anchor)?;
    output.line(format!("Entry {} and its hash were appended to {}.", anchor.seq, file.display()))
}

/// One write, so that lines of several processes do not mix; on the disk before it is said.
fn append(file: &Path, line: &str) -> std::io::Result<()> {
    let mut file = File::options().append(true).create(true).open(file)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    match file.sync_all() {
        // A pipe or a terminal has no disk.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// How many anchors a file holds, and which of them the log does not.
async fn check_anchors(db: &Db, vault: &Vault, path: &Path) -> Result<(usize, Vec<Problem>), Exit> {
    let wrong = |what: &str| {
        Exit::usage(format!("{} {what}: expected lines written by `tenantatlas audit anchor`", path.display()))
    };
    let file = File::open(path).map_err(|error| wrong(&format!("cannot be read ({error})")))?;
    let (mut reader, key) = (BufReader::new(file), vault.audit_keys());
    let (mut count, mut number, mut problems) = (0, 0, Vec::new());
    loop {
        let mut line = String::new();
        number += 1;
        let read = reader.by_ref().take(LINE_LIMIT).read_line(&mut line);
        if read.map_err(|error| wrong(&format!("cannot be read ({error})")))? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let anchor: Anchor =
            serde_json::from_str(&line).map_err(|_| wrong(&format!("holds something else in line {number}")))?;
        count += 1;
        if let Some(problem) = anchor.check(db, &key).await?
            && problems.len() < TOLD
        {
            problems.push(problem);
        }
    }
    if count == 0 { Err(wrong("holds no anchor")) } else { Ok((count, problems)) }
}
