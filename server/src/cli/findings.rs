//! `tenantatlas findings`

use serde_json::json;
use tenantatlas_app::format::counted;
use tenantatlas_domain::drift::{FindingStatus, Severity, default_severity};
use tenantatlas_domain::ids::FindingId;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_store::findings::{self, FindingFilter};
use tenantatlas_store::scopes;
use tenantatlas_store::tenants::Tenant;

use super::arguments::{FindingsCommand, FindingsListArguments, StatusArgument};
use super::drift;
use super::output::Output;
use crate::exit::Exit;
use crate::finding_document;
use crate::open;
use crate::settings::Settings;

/// Lists findings, accepts them, or takes that back.
///
/// # Errors
/// Exit code 64 for what was typed wrong; when the database fails.
pub async fn run(settings: &Settings, command: FindingsCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = obey(&engine, command, output).await;
    engine.shutdown().await;
    result
}

async fn obey(engine: &Engine, command: FindingsCommand, output: Output) -> Result<(), Exit> {
    let actor = Actor::command_line();
    match command {
        FindingsCommand::List(arguments) => list(engine, &arguments, output).await,
        FindingsCommand::Accept { tenant, reason, until, confirm, findings } => {
            let tenant = open::tenant(engine.reader(), &tenant).await?;
            let ids = named(engine, &tenant, &findings).await?;
            let until = until.as_deref().map(moment).transpose()?;
            let typed = confirm.map(|count| count.to_string()).unwrap_or_default();
            let count = engine.accept_findings(&actor, tenant.id, &ids, &reason, until, &typed).await?;
            output.document(&json!({ "accepted": count }))?;
            output.line(format!("{} of {} accepted", counted(count, "finding", "findings"), tenant.name))
        }
        FindingsCommand::Severity { tenant, policy_type, severity } => {
            let tenant = open::tenant(engine.reader(), &tenant).await?;
            let known = registry().get(&policy_type).ok_or_else(|| unknown_type(&policy_type))?;
            let chosen = match severity.as_str() {
                "usual" => None,
                name => Some(name.parse::<Severity>().map_err(|_| {
                    Exit::usage(format!("--severity {name}: expected low, medium, high, critical or usual"))
                })?),
            };
            engine.set_drift_severity(&actor, tenant.id, known.key, chosen).await?;
            let severity = chosen.unwrap_or_else(|| default_severity(known));
            output.document(&json!({ "policy_type": known.key, "severity": severity, "usual": chosen.is_none() }))?;
            output.line(format!("a change of {} is {severity} in {}", known.label, tenant.name))
        }
        FindingsCommand::Reopen { tenant, findings } => {
            let tenant = open::tenant(engine.reader(), &tenant).await?;
            let ids = named(engine, &tenant, &findings).await?;
            let count = engine.reopen_findings(&actor, tenant.id, &ids).await?;
            output.document(&json!({ "reopened": count }))?;
            output.line(format!("{} of {} new again", counted(count, "finding", "findings"), tenant.name))
        }
    }
}

fn unknown_type(key: &str) -> Exit {
    Exit::usage(format!("there is no policy type \"{key}\": `tenantatlas types` lists them"))
}

async fn list(engine: &Engine, arguments: &FindingsListArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(engine.reader(), &arguments.tenant).await?;
    let Some(scope) = scopes::main_of(engine.reader(), tenant.id).await? else {
        return Err(Exit::usage(format!(
            "nothing was read from {} yet: run `tenantatlas sync` for it first",
            tenant.name
        )));
    };
    if let Some(key) = arguments.policy_type.as_deref().filter(|key| registry().get(key).is_none()) {
        return Err(unknown_type(key));
    }
    let filter = FindingFilter {
        status: match arguments.status {
            StatusArgument::New => Some(FindingStatus::New),
            StatusArgument::Acknowledged => Some(FindingStatus::Acknowledged),
            StatusArgument::Open | StatusArgument::Resolved => None,
        },
        resolved: arguments.status == StatusArgument::Resolved,
        at_least: arguments.severity,
        policy_type: arguments.policy_type.clone(),
        ..FindingFilter::default()
    };
    let place = (None, arguments.limit);
    let scope_key = scope.selection_hash.to_string();
    let page = findings::list(engine.reader(), tenant.id, &scope_key, &filter, place, engine.now()).await?;
    let told = drift::explained(engine, &tenant, &page.findings).await?;
    let documents =
        page.findings.iter().zip(&told).map(|(finding, told)| finding_document::finding(engine.now(), finding, told));
    output.document(&json!({
        "findings": documents.collect::<Vec<_>>(),
        "more": page.next.is_some(),
    }))?;
    drift::table(engine, &page.findings, output)?;
    match page.next {
        Some(_) => output.line(format!("There are more than {}: --limit shows more.", arguments.limit)),
        None => Ok(()),
    }
}

/// The findings that were typed, by id or by fingerprint.
async fn named(engine: &Engine, tenant: &Tenant, typed: &[String]) -> Result<Vec<FindingId>, Exit> {
    let mut ids = Vec::with_capacity(typed.len());
    for text in typed {
        let id = match (text.parse::<FindingId>(), text.parse::<ContentHash>()) {
            (Ok(id), _) => Some(id),
            (_, Ok(fingerprint)) => findings::by_fingerprint(engine.reader(), tenant.id, fingerprint).await?,
            _ => {
                return Err(Exit::usage(format!(
                    "\"{text}\" is no finding: expected an id or a fingerprint, as `tenantatlas findings list` shows them"
                )));
            }
        };
        ids.push(id.ok_or_else(|| Exit::usage(format!("{} has no finding {text}", tenant.name)))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn moment(text: &str) -> Result<Timestamp, Exit> {
    let moment = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
    moment.ok_or_else(|| {
        Exit::usage(format!("--until \"{text}\" is no time: expected a date as 2027-01-31, or an RFC 3339 time"))
    })
}
