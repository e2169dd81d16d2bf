//! `tenantatlas versions`

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tenantatlas_app::format::{counted, number};
use tenantatlas_app::version::words::{side_words, target_label};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::settings::{ChangeKind, SettingValue};
use tenantatlas_engine::{Actor, Comparison, Engine, EngineError, OpenVersion};
use tenantatlas_store::Reader;
use tenantatlas_store::policies::{self, Version};
use tenantatlas_store::tenants::Tenant;

use super::arguments::{PolicyArguments, VersionsArguments, VersionsCommand};
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Versions that are listed, at most.
const MOST: u32 = 500;

/// Lists the versions of a policy, shows or writes one, or tells what differs between two.
///
/// # Errors
/// When tenant, type or version are unknown (exit code 64), or the database fails.
pub async fn run(settings: &Settings, arguments: VersionsArguments, output: Output) -> Result<(), Exit> {
    match (arguments.command, arguments.policy) {
        (Some(command), _) => {
            let engine = open::engine(settings, open::without_workers()).await?;
            let result = look(settings, &engine, command, output).await;
            engine.shutdown().await;
            result
        }
        (None, Some(policy)) => list(&Reader::from(open::database(settings).await?), &policy, output).await,
        (None, None) => Err(Exit::usage("expected --tenant, --type and --id of a policy")),
    }
}

async fn look(settings: &Settings, engine: &Engine, command: VersionsCommand, output: Output) -> Result<(), Exit> {
    match command {
        VersionsCommand::Show { policy, number, scripts } => show(engine, &policy, number, scripts, output).await,
        VersionsCommand::Diff { policy, from, to, scripts } => diff(engine, &policy, (from, to), scripts, output).await,
        VersionsCommand::Names { tenant } => names(settings, engine, &tenant, output).await,
        VersionsCommand::Export { policy, number, scripts, to } => {
            export(engine, &policy, number, scripts, to.as_deref(), output).await
        }
    }
}

/// Reads the names of settings, and shows the progress.
async fn names(settings: &Settings, desk: &Engine, tenant: &str, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(desk.reader(), tenant).await?;
    let dispatched = desk.refresh_setting_catalog(&Actor::command_line(), tenant.id).await?;
    let engine = open::working(settings, desk);
    let ended = progress::follow(&engine, &tenant, &dispatched.state, output).await;
    engine.shutdown().await;
    let state = ended?;
    output.document(&json!({
        "operation_run_id": state.id, "status": state.status, "reason_code": state.reason_code,
        "entries": state.items,
    }))?;
    output.line(format!("{}: {}", state.words.name, state.status.as_str()))?;
    match state.status {
        OperationStatus::Completed => Ok(()),
        OperationStatus::CompletedWithErrors => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(ExitCode::Failed)),
    }
}

async fn tenant_of(db: &Reader, policy: &PolicyArguments) -> Result<Tenant, Exit> {
    let tenant = open::tenant(db, &policy.tenant).await?;
    match registry().get(&policy.policy_type) {
        Some(_) => Ok(tenant),
        None => Err(Exit::usage(format!(
            "there is no policy type \"{}\": `tenantatlas types` lists them",
            policy.policy_type
        ))),
    }
}

fn no_version(policy: &PolicyArguments) -> Exit {
    Exit::usage(format!(
        "there is no version of {} {}: `tenantatlas items` lists the ids, and `tenantatlas capture` makes versions",
        policy.policy_type, policy.id
    ))
}

async fn list(db: &Reader, policy: &PolicyArguments, output: Output) -> Result<(), Exit> {
    let tenant = tenant_of(db, policy).await?;
    let versions = policies::versions_of(db, tenant.id, &policy.policy_type, &policy.id, None, MOST).await?;
    if versions.is_empty() {
        return Err(no_version(policy));
    }
    output.document(&json!({
        "policy_type": policy.policy_type, "external_id": policy.id,
        "versions": versions.iter().map(facts).collect::<Vec<_>>(),
    }))?;
    output.table(
        &["VERSION", "NAME", "READ", "COMPLETE", "SETTINGS", "WITHHELD", "LACKS"],
        versions.iter().map(|version| {
            let lacks: Vec<String> = version.lacks.iter().map(tenantatlas_domain::body::Lack::words).collect();
            vec![
                version.number.to_string(),
                version.display_name.clone(),
                version.read_at.to_rfc3339(),
                version.completeness.as_str().to_owned(),
                version.settings.map(number).unwrap_or_default(),
                number(version.withheld),
                lacks.join("; "),
            ]
        }),
    )
}

/// The number that was asked for, else that of the latest version.
async fn number_of(
    engine: &Engine,
    tenant: &Tenant,
    policy: &PolicyArguments,
    number: Option<u64>,
) -> Result<u64, Exit> {
    if let Some(number) = number {
        return Ok(number);
    }
    let latest = policies::latest_of(engine.reader(), tenant.id, &policy.policy_type, &policy.id).await?;
    Ok(latest.ok_or_else(|| no_version(policy))?.number)
}

async fn open_one(
    engine: &Engine,
    tenant: &Tenant,
    policy: &PolicyArguments,
    number: Option<u64>,
    scripts: bool,
) -> Result<OpenVersion, Exit> {
    let number = number_of(engine, tenant, policy, number).await?;
    let of = (policy.policy_type.as_str(), policy.id.as_str());
    match engine.open_version(&Actor::command_line(), tenant.id, of, number, scripts).await {
        Err(EngineError::NotFound(_)) => Err(no_version(policy)),
        opened => Ok(opened?),
    }
}

async fn show(
    engine: &Engine,
    policy: &PolicyArguments,
    number: Option<u64>,
    scripts: bool,
    output: Output,
) -> Result<(), Exit> {
    let tenant = tenant_of(engine.reader(), policy).await?;
    let OpenVersion { version, body, left_out } = open_one(engine, &tenant, policy, number, scripts).await?;
    let mut document = facts(&version);
    if let Value::Object(document) = &mut document {
        document.insert("left_out".to_owned(), json!(left_out));
        document.insert("body".to_owned(), body.clone());
    }
    output.document(&document)?;
    output.line(format!(
        "{}, version {} of {}, read {}, {}",
        version.display_name,
        version.number,
        tenant.name,
        version.read_at.to_rfc3339(),
        version.completeness.as_str()
    ))?;
    for lack in &version.lacks {
        output.line(format!("  lacks: {}", lack.words()))?;
    }
    for property in left_out {
        output.line(format!("  left out: {property}, which --scripts shows"))?;
    }
    output.line(serde_json::to_string_pretty(&body).unwrap_or_default())
}

/// Writes a body to standard output, or as a file of its own, and then tells what was written.
async fn export(
    engine: &Engine,
    policy: &PolicyArguments,
    number: Option<u64>,
    scripts: bool,
    to: Option<&Path>,
    output: Output,
) -> Result<(), Exit> {
    let tenant = tenant_of(engine.reader(), policy).await?;
    let OpenVersion { version, body, left_out } = open_one(engine, &tenant, policy, number, scripts).await?;
    let Some(path) = to else { return Output { json: true }.document(&body) };
    let text = serde_json::to_string_pretty(&body).unwrap_or_default();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| writeln!(file, "{text}"));
    written.map_err(|error| Exit::new(ExitCode::CannotWrite, format!("cannot write {}: {error}", path.display())))?;
    output.document(&json!({
        "policy_type": version.policy_type, "external_id": version.external_id, "number": version.number,
        "completeness": version.completeness, "left_out": left_out,
        "file": path.display().to_string(), "bytes": text.len() + 1,
    }))?;
    output.line(format!("version {} of {} was written to {}", version.number, version.display_name, path.display()))
}

async fn diff(
    engine: &Engine,
    policy: &PolicyArguments,
    (from, to): (Option<u64>, Option<u64>),
    scripts: bool,
    output: Output,
) -> Result<(), Exit> {
    let tenant = tenant_of(engine.reader(), policy).await?;
    let to = number_of(engine, &tenant, policy, to).await?;
    let from = match from {
        Some(from) => from,
        None => to.checked_sub(1).filter(|from| *from > 0).ok_or_else(|| {
            Exit::usage(format!("version {to} is the first one: expected --from with the number of another version"))
        })?,
    };
    let of = (policy.policy_type.as_str(), policy.id.as_str());
    let compared = engine.compare_versions(&Actor::command_line(), tenant.id, of, (from, to), scripts).await;
    let comparison = match compared {
        Err(EngineError::NotFound(_)) => return Err(no_version(policy)),
        compared => compared?,
    };
    output.document(&comparison.document(scripts))?;
    tell(&comparison, scripts, output)
}

/// A difference as text.
fn tell(comparison: &Comparison, scripts: bool, output: Output) -> Result<(), Exit> {
    let Comparison { from, to, difference, names, .. } = comparison;
    output.line(format!("{}, version {} compared with version {}", to.display_name, to.number, from.number))?;
    let shown = |value: &Option<SettingValue>| match value {
        Some(content @ SettingValue::Content(_)) if scripts => content.content_text().unwrap_or_default(),
        value => value.as_ref().map(SettingValue::words).unwrap_or_default(),
    };
    let rows: Vec<Vec<String>> = difference
        .changes()
        .map(|row| {
            let change = row.change.map_or("", ChangeKind::as_str).to_owned();
            let title = row.above.iter().chain([&row.title]).cloned().collect::<Vec<_>>().join(" › ");
            vec![change, title, shown(&row.old), shown(&row.new)]
        })
        .collect();
    if !rows.is_empty() {
        output.table(&["CHANGE", "SETTING", "BEFORE", "AFTER"], rows)?;
    }
    for row in difference.changed_assignments() {
        let target = target_label(names, row.kind, &row.id);
        let change = row.change.map_or("", ChangeKind::as_str);
        output.line(format!(
            "  {change} assignment: {target}{}",
            row.intent.as_deref().map(|intent| format!(", {intent}")).unwrap_or_default()
        ))?;
        for (word, side) in [("before", &row.old), ("after", &row.new)] {
            if let Some(side) = side {
                output.line(format!("    {word}: {}", side_words(names, side)))?;
            }
        }
    }
    for note in &difference.notes {
        output.line(format!("  note: {}: {}", note.path, note.words))?;
    }
    for part in &difference.not_comparable {
        output.line(format!("  not compared: {}: {}", part.path, part.reason))?;
    }
    let compared = counted(difference.compared, "setting", "settings");
    let same = match (difference.is_same(), difference.changes().next().is_none()) {
        (true, _) => ", nothing differs",
        (false, true) => ", none of them differs",
        (false, false) => "",
    };
    output.line(format!("{compared} compared{same}"))
}

/// What is known of a version, as JSON.
fn facts(version: &Version) -> Value {
    json!({
        "id": version.id, "policy_type": version.policy_type, "external_id": version.external_id,
        "number": version.number, "display_name": version.display_name, "api_version": version.api_version,
        "collection": version.collection, "odata_type": version.odata_type,
        "completeness": version.completeness, "lacks": version.lacks,
        "content_hash": version.content_hash.to_string(), "normaliser_version": version.normaliser_version,
        "settings": version.settings, "withheld": version.withheld, "read_at": version.read_at.to_rfc3339(),
        "run_id": version.capture_id,
    })
}
