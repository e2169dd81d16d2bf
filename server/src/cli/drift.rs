//! `tenantatlas drift`

use serde_json::{Value, json};
use tenantatlas_app::format::counted;
use tenantatlas_domain::drift::{FindingStatus, GapNow, Severity};
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_store::findings::{self, ComparisonRecord, Finding, FindingFilter};
use tenantatlas_store::operation_runs;
use tenantatlas_store::scopes;
use tenantatlas_store::tenants::Tenant;

use super::arguments::DriftArguments;
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::finding_document;
use crate::open;
use crate::settings::Settings;

/// Findings that are read, and told by their settings, at once.
const PAGE: u32 = 100;
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
    let gaps = findings::gaps_now(engine.reader(), &record).await?;
    output.piece(&foot(&record, &gaps, &open))?;
    tell(tenant, &record, &gaps, &open, output)?;
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
                output.piece(&format!("{separator}{}", finding_document::finding(engine.now(), finding, told)))?;
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

/// What is known of findings, as JSON, see [`finding_document::known`]; of however many, as many at once as are told whole.
///
/// # Errors
/// When the database fails, or a body does not open.
pub async fn explained(engine: &Engine, tenant: &Tenant, found: &[Finding]) -> Result<Vec<Value>, Exit> {
    let mut documents = Vec::with_capacity(found.len());
    for found in found.chunks(PAGE as usize) {
        let known = engine.explain_findings(&Actor::command_line(), tenant.id, found).await?;
        documents.extend(finding_document::known(&known));
    }
    Ok(documents)
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
fn foot(record: &ComparisonRecord, gaps: &[GapNow], open: &Open) -> String {
    let rest = json!({
        "not_comparable": gaps.iter().map(finding_document::gap).collect::<Vec<_>>(),
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

fn tell(tenant: &Tenant, record: &ComparisonRecord, gaps: &[GapNow], open: &Open, output: Output) -> Result<(), Exit> {
    if !open.rows.is_empty() {
        output.table(&COLUMNS, open.rows.iter().cloned())?;
    }
    for now in gaps {
        let (gap, now) = (&now.gap, now.now());
        output.line(format!("  {}: not comparable, because {} {now}", gap.policy_type, gap.because()))?;
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
