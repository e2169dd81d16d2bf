//! `tenantatlas capture`

use serde_json::{Map, Value, json};
use tenantatlas_app::format::{counted, number};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::{Actor, CaptureOf, CaptureOutcome, Engine};
use tenantatlas_store::inventory;
use tenantatlas_store::policies::{self, Capture, CaptureTypeRun};
use tenantatlas_store::tenants::Tenant;

use super::arguments::CaptureArguments;
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Captures policies of a tenant, shows the progress, and ends with what became of each type.
///
/// # Errors
/// Exit codes 1, 2 and 3 for a run that failed, was partial, or runs already; 64 for what was typed wrong, and where nothing
/// was read from the tenant yet.
pub async fn run(settings: &Settings, arguments: &CaptureArguments, output: Output) -> Result<(), Exit> {
    let what = wanted(arguments)?;
    // Without workers: whether others work on a run can be told only while this process keeps its hands off it.
    let desk = open::engine(settings, open::without_workers()).await?;
    let result = dispatch(settings, &desk, arguments, &what, output).await;
    desk.shutdown().await;
    result
}

fn wanted(arguments: &CaptureArguments) -> Result<CaptureOf, Exit> {
    let chosen: Vec<&str> = arguments.types.iter().map(|key| key.trim()).filter(|key| !key.is_empty()).collect();
    if chosen.is_empty() {
        return Err(Exit::usage("--types is empty: expected type keys separated by commas, or all"));
    }
    if let Some(unknown) = chosen.iter().find(|key| **key != "all" && registry().get(key).is_none()) {
        return Err(Exit::usage(format!(
            "there is no policy type \"{unknown}\": `tenantatlas types` lists them; nothing was started"
        )));
    }
    let all = chosen.contains(&"all");
    Ok(CaptureOf::Types(if all { Vec::new() } else { chosen.into_iter().map(str::to_owned).collect() }))
}

async fn dispatch(
    settings: &Settings,
    desk: &Engine,
    arguments: &CaptureArguments,
    what: &CaptureOf,
    output: Output,
) -> Result<(), Exit> {
    let tenant = open::tenant(desk.reader(), &arguments.tenant).await?;
    if !inventory::has_items(desk.reader(), tenant.id).await? {
        return Err(Exit::usage(format!(
            "nothing was read from {} yet: run `tenantatlas sync` for it first, since a capture reads what a sync has found",
            tenant.name
        )));
    }
    let dispatched = desk.dispatch_capture(&Actor::command_line(), tenant.id, what, arguments.changed).await?;
    if dispatched.already_running && desk.runs().is_worked_on(tenant.id, dispatched.run_id).await? {
        let message = format!("{} is already being captured in this way (run {}).", tenant.name, dispatched.run_id);
        output.document(&json!({"status": "already_running", "operation_run_id": dispatched.run_id}))?;
        output.line(message)?;
        return Err(Exit::silent(ExitCode::AlreadyRunning));
    }
    let engine = open::working(settings, desk);
    let result = read(&engine, &tenant, &dispatched, output).await;
    engine.shutdown().await;
    result
}

/// Follows a run to its end, and tells what became of it.
async fn read(engine: &Engine, tenant: &Tenant, dispatched: &CaptureOutcome, output: Output) -> Result<(), Exit> {
    let captured = Captured::follow(engine, tenant, &dispatched.state, output).await?;
    output.document(&captured.report())?;
    captured.tell(tenant, output)?;
    captured.end()
}

/// A capture that has ended.
pub struct Captured {
    state: RunState,
    capture: Option<Capture>,
    types: Vec<CaptureTypeRun>,
}

impl Captured {
    /// Follows a capture to its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(engine: &Engine, tenant: &Tenant, begin: &RunState, output: Output) -> Result<Self, Exit> {
        let state = progress::follow(engine, tenant, begin, output).await?;
        let capture = policies::get_by_operation(engine.reader(), tenant.id, state.id).await?;
        let types = match &capture {
            Some(capture) => policies::list_types(engine.reader(), tenant.id, capture.id).await?,
            None => Vec::new(),
        };
        Ok(Self { state, capture, types })
    }

    fn sum(&self, of: fn(&CaptureTypeRun) -> u64) -> u64 {
        self.types.iter().map(of).sum()
    }

    /// The exit code that fits.
    ///
    /// # Errors
    /// 1 for one that failed, 2 for one that was partial.
    pub fn end(&self) -> Result<(), Exit> {
        match self.capture.as_ref().map(|capture| capture.status) {
            Some(SyncRunStatus::Success) => Ok(()),
            Some(SyncRunStatus::Partial) => Err(Exit::silent(ExitCode::Partial)),
            _ => Err(Exit::silent(ExitCode::Failed)),
        }
    }

    /// As JSON.
    pub fn report(&self) -> Value {
        let (state, capture) = (&self.state, self.capture.as_ref());
        json!({
            "run_id": capture.map(|capture| capture.id), "operation_run_id": state.id, "name": state.words.name,
            "status": capture.map_or("failed", |capture| capture.status.as_str()),
            "reason_code": state.reason_code, "captured": self.sum(|row| row.captured),
            "versions_created": self.sum(|row| row.created), "unchanged": self.sum(|row| row.unchanged),
            "not_read_again": self.sum(CaptureTypeRun::not_read_again),
            "partial": self.sum(|row| row.partial), "gone": self.sum(|row| row.gone),
            "failed": self.sum(|row| row.failed), "requests": capture.map_or(0, |capture| capture.requests),
            "retries": capture.map_or(0, |capture| capture.retries), "duration_ms": duration(capture),
            "types": self.types.iter().map(|row| (row.policy_type.clone(), facts(row))).collect::<Map<_, _>>(),
        })
    }

    /// As text.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn tell(&self, tenant: &Tenant, output: Output) -> Result<(), Exit> {
        output.table(
            &["TYPE", "OUTCOME", "CAPTURED", "VERSIONS", "UNCHANGED", "PARTIAL", "GONE", "REQUESTS", "REASON"],
            self.types.iter().map(cells),
        )?;
        let mut told = std::collections::BTreeSet::new();
        for row in &self.types {
            if let (Some(reason), Some(message)) = (row.reason_code, &row.message)
                && told.insert((reason.as_str(), message))
            {
                output.line(format!("  {}: {message}", reason.as_str()))?;
            }
        }
        let (state, named) = (&self.state, format!("{}, {}", tenant.name, self.state.words.name));
        match &self.capture {
            Some(capture) => {
                if let Some(words) = not_read_again(self.sum(CaptureTypeRun::not_read_again)) {
                    output.line(format!("  {words}"))?;
                }
                output.line(format!(
                    "{named}: {} · {}, {}, {:.1} s",
                    capture.status.as_str(),
                    counted(self.sum(|row| row.created), "version", "versions"),
                    counted(capture.requests, "request", "requests"),
                    duration(Some(capture)) as f64 / 1_000.0
                ))
            }
            None => output.line(format!(
                "{named}: {}{}",
                state.status.as_str(),
                state.reason_code.map(|reason| format!(" · {}", reason.sentence())).unwrap_or_default()
            )),
        }
    }
}

/// Says that unchanged is told of some as a sync had seen them.
fn not_read_again(count: u64) -> Option<String> {
    let objects = counted(count, "unchanged object was", "unchanged objects were");
    (count > 0).then(|| format!("{objects} not read again: a sync had just seen them as they were captured"))
}

fn facts(row: &CaptureTypeRun) -> Value {
    json!({
        "status": row.outcome, "captured": row.captured, "versions_created": row.created, "unchanged": row.unchanged,
        "not_read_again": row.not_read_again(), "partial": row.partial, "gone": row.gone, "failed": row.failed, "requests": row.requests,
        "retries": row.retries, "reason_code": row.reason_code, "message": row.message,
    })
}

fn cells(row: &CaptureTypeRun) -> Vec<String> {
    vec![
        row.policy_type.clone(),
        row.outcome.map_or("not finished", TypeOutcome::as_str).to_owned(),
        number(row.captured),
        number(row.created),
        number(row.unchanged),
        number(row.partial),
        number(row.gone),
        row.requests.to_string(),
        row.reason_code.map_or("", |reason| reason.as_str()).to_owned(),
    ]
}

fn duration(capture: Option<&Capture>) -> i64 {
    let ended = capture.and_then(|capture| Some((capture.started_at, capture.finished_at?)));
    ended.map_or(0, |(started, finished)| finished.as_millis() - started.as_millis())
}
