//! `tenantatlas drift`

use serde_json::{Value, json};
use tenantatlas_app::format::counted;
use tenantatlas_domain::audit_event::Attribution;
use tenantatlas_domain::drift::{FindingStatus, Gap, Severity};
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine, Explained};
use tenantatlas_store::findings::{self, ComparisonRecord, Finding, FindingFilter};
use tenantatlas_store::operation_runs;
use tenantatlas_store::scopes;
use tenantatlas_store::tenants::Tenant;

use super::arguments::DriftArguments;
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Findings that are read at once.
const PAGE: u32 = 500;
/// The columns of a [`table`].
const COLUMNS: [&str; 7] = ["SEVERITY", "CHANGE", "STATUS", "TYPE", "NAME", "SINCE", "FINGERPRINT"];

/// Compares the latest run of a tenant with the one before it, and tells what drifted.
///
/// # Errors
/// Exit code 2 when something that nobody has accepted matters at least as much as `--fail-on` says, 1 when the comparison
/// failed, 64 for what was typed wrong, and where nothing was read from the tenant yet.
pub async fn run(settings: &Settings, arguments: &DriftArguments, output: Output) -> Result<(), Exit> {
    let desk = open::engine(settings, open::without_workers()).await?;
    let result = dispatch(settings, &desk, arguments, output).await;
    desk.shutdown().await;
    result
}

async fn dispatch(settings: &Settings, desk: &Engine, arguments: &DriftArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(desk.reader(), &arguments.tenant).await?;
    if scopes::main_of(desk.reader(), tenant.id).await?.is_none() {
        return Err(Exit::usage(format!(
            "nothing was read from {} yet: run `tenantatlas sync` for it twice, since what is compared are two runs",
            tenant.name
        )));
    }
    let actor = Actor::command_line();
    if arguments.pin || arguments.unpin {
        desk.pin_drift_baseline(&actor, tenant.id, arguments.baseline).await?;
    }
    let dispatched = desk.dispatch_drift(&actor, tenant.id, None, arguments.baseline).await?;
    let engine = open::working(settings, desk);
    let result = compare(&engine, &tenant, dispatched.state.id, arguments.fail_on, output).await;
    engine.shutdown().await;
    result
}

async fn compare(
    engine: &Engine,
    tenant: &Tenant,
    run: OperationRunId,
    fail_on: Option<Severity>,
    output: Output,
) -> Result<(), Exit> {
    let begun = operation_runs::get(engine.reader(), tenant.id, run).await?;
    let begun = begun.ok_or_else(|| Exit::unexpected("the comparison that was just dispatched is not there"))?;
    let state = progress::follow(engine, tenant, &engine.runs().state_of(&begun), output).await?;
    let record = findings::of_run(engine.reader(), tenant.id, run).await?;
    let Some(record) = record.filter(|_| state.status == OperationStatus::Completed) else {
        let reason = state.reason_code.map_or("it did not come to its end", |reason| reason.sentence());
        return Err(Exit::new(ExitCode::Failed, format!("the comparison of {} failed: {reason}", tenant.name)));
    };
    output.piece(&head(&record))?;
    let open = open_findings(engine, tenant, &record.scope_key, output).await?;
    output.piece(&foot(&record, &open))?;
    tell(tenant, &record, &open, output)?;
    let matters = fail_on.is_some_and(|least| open.worst_new.is_some_and(|worst| worst >= least));
    if matters { Err(Exit::silent(ExitCode::Partial)) } else { Ok(()) }
}

/// What is left of the open findings when they have been told: there may be as many as there are objects.
#[derive(Default)]
struct Open {
    new: usize,
    acknowledged: usize,
    /// The severity of the worst one that nobody has accepted.
    worst_new: Option<Severity>,
    /// The table; empty with `--json`.
    rows: Vec<Vec<String>>,
}

/// Goes through the open findings, and with `--json` writes each of them.
async fn open_findings(engine: &Engine, tenant: &Tenant, scope_key: &str, output: Output) -> Result<Open, Exit> {
    let (mut open, mut after) = (Open::default(), None);
    loop {
        let (filter, now) = (FindingFilter::default(), engine.now());
        let page = findings::list(engine.reader(), tenant.id, scope_key, &filter, (after, PAGE), now).await?;
        if output.json {
            let told = explained(engine, tenant, &page.findings).await?;
            for (at, (finding, told)) in page.findings.iter().zip(&told).enumerate() {
                let separator = if at == 0 && after.is_none() { "\n" } else { ",\n" };
                output.piece(&format!("{separator}{}", facts(engine, finding, told)))?;
            }
        } else {
            open.rows.extend(page.findings.iter().map(|finding| row(engine, finding)));
        }
        for finding in &page.findings {
            if finding.status_at(now) == FindingStatus::New {
                open.new += 1;
                open.worst_new = open.worst_new.max(Some(finding.severity));
            } else {
                open.acknowledged += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(open);
        }
    }
}

/// What is known of findings, as JSON: the settings that changed, and who changed them.
///
/// # Errors
/// When the database fails, or a body does not open.
pub async fn explained(engine: &Engine, tenant: &Tenant, found: &[Finding]) -> Result<Vec<Value>, Exit> {
    let known = engine.explain_findings(&Actor::command_line(), tenant.id, found).await?;
    let document = |one: &Explained| {
        let actors = match &one.changed_by {
            Attribution::Found { actors, certainty } => json!({ "actors": actors, "certainty": certainty }),
            _ => Value::Null,
        };
        let mut document = one.settings.document(&known.names);
        if let Value::Object(document) = &mut document {
            document.insert("changed_by".to_owned(), actors);
            document.insert("changed_by_note".to_owned(), json!(one.changed_by.note()));
        }
        document
    };
    Ok(known.of.iter().map(document).collect())
}

/// The JSON document up to the findings.
fn head(record: &ComparisonRecord) -> String {
    let runs = json!({
        "baseline_run_id": record.baseline_run_id,
        "current_run_id": record.current_run_id,
        "operation_run_id": record.operation_run_id,
    });
    format!("{},\n\"findings\":[", runs.to_string().trim_end_matches('}'))
}

/// The JSON document from the findings on.
fn foot(record: &ComparisonRecord, open: &Open) -> String {
    let rest = json!({
        "not_comparable": record.not_comparable.iter().map(gap).collect::<Vec<_>>(),
        "counts": {
            "new": open.new,
            "acknowledged": open.acknowledged,
            "found": record.counts.found,
            "reopened": record.counts.reopened,
            "resolved": record.counts.resolved,
            "unchanged": record.counts.unchanged,
            "not_comparable": record.not_comparable.len(),
        },
    });
    format!("\n],\n{}\n", rest.to_string().trim_start_matches('{'))
}

/// A finding as JSON, with what is [`explained`] of it.
pub fn facts(engine: &Engine, finding: &Finding, told: &Value) -> Value {
    let evidence = &finding.evidence;
    json!({
        "id": finding.id,
        "kind": finding.kind,
        "severity": finding.severity,
        "status": finding.status_at(engine.now()),
        "reopened": finding.reopened,
        "policy_type": finding.subject_type,
        "external_id": finding.subject_external_id,
        "display_name": finding.display_name,
        "fingerprint": finding.fingerprint,
        "facts": evidence.facts,
        "settings": told["settings"],
        "settings_left_out": told["settings_left_out"],
        "assignments": told["assignments"],
        "versions": told["versions"],
        "settings_note": told["note"],
        "name_before": evidence.name_before,
        "name_now": evidence.name_now,
        "content_before": evidence.content_before,
        "content_now": evidence.content_now,
        "content_accepted": finding.accepted_evidence.as_ref().and_then(|evidence| evidence.content_now),
        "accepted_until": finding.accepted_until.map(Timestamp::to_rfc3339),
        "acknowledged_by": finding.acknowledged_by_name,
        "acknowledged_reason": finding.acknowledged_reason,
        "baseline_run_id": finding.baseline_run_id,
        "current_run_id": finding.current_run_id,
        "since": finding.since_at.to_rfc3339(),
        "resolved_at": finding.resolved_at.map(Timestamp::to_rfc3339),
        "changed_by": told["changed_by"],
        "changed_by_note": told["changed_by_note"],
    })
}

fn gap(gap: &Gap) -> Value {
    json!({
        "policy_type": gap.policy_type, "reason_code": gap.reason_code(), "reason": gap.because(), "items": gap.items,
    })
}

/// Findings as a table.
///
/// # Errors
/// When standard output cannot be written.
pub fn table(engine: &Engine, found: &[Finding], output: Output) -> Result<(), Exit> {
    output.table(&COLUMNS, found.iter().map(|finding| row(engine, finding)))
}

fn row(engine: &Engine, finding: &Finding) -> Vec<String> {
    let status = match (finding.resolved_at, finding.reopened) {
        (Some(_), _) => "resolved".to_owned(),
        (None, Some(reopened)) => format!("new again ({reopened})"),
        (None, None) => finding.status_at(engine.now()).to_string(),
    };
    vec![
        finding.severity.to_string(),
        finding.kind.to_string(),
        status,
        finding.subject_type.clone(),
        finding.display_name.clone(),
        finding.since_at.to_rfc3339(),
        finding.fingerprint.to_string(),
    ]
}

fn tell(tenant: &Tenant, record: &ComparisonRecord, open: &Open, output: Output) -> Result<(), Exit> {
    if !open.rows.is_empty() {
        output.table(&COLUMNS, open.rows.iter().cloned())?;
    }
    for gap in &record.not_comparable {
        output.line(format!("  {}: not comparable, because {}", gap.policy_type, gap.because()))?;
    }
    output.line(format!(
        "{}: {} open, {} of them new; {} found, {} reopened, {} resolved by this comparison",
        tenant.name,
        counted((open.new + open.acknowledged) as u64, "finding", "findings"),
        open.new,
        record.counts.found,
        record.counts.reopened,
        record.counts.resolved,
    ))
}
