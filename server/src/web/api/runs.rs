//! Runs: listed, started, cancelled, tried again.

use std::collections::BTreeSet;

use tenantatlas_app::access::Rule;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::run::{BUCKETS, RunFilter, starter};
use tenantatlas_domain::ids::{ItemId, OperationRunId};
use tenantatlas_domain::operation::{FailureKind, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{CaptureOf, OPERATION_NAMES, RetryPart};
use tenantatlas_store::inventory::{self, ScopeView};
use tenantatlas_store::operation_runs::{self, OperationRun};

use super::call::{Call, dated_place};
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::events;
use super::problem::Problem;
use super::reply::Reply;
use super::wire::{self, Operation};

const RUN: Answer =
    Answer::Begun("The run: the new one, or the one that does the same already.", shape::<wire::Started>());

/// What a list of runs is filtered by: that of the pages of runs.
const FILTERS: &[Parameter] = &[
    Parameter::new("state", Kind::Words(|| BUCKETS.iter().map(|one| one.as_str()).collect()), "Only in this state."),
    Parameter::new("operation", Kind::Words(|| OPERATION_NAMES.to_vec()), "Only of this operation."),
    Parameter::new(
        "by",
        Kind::Form(
            |text| matches!(text, "person" | "schedule" | "token" | "nobody") || starter(text).is_some(),
            "person, schedule, token, nobody (who signs in), the id of a person, or schedule- or token- with an id",
        ),
        "Only started like this, or by this person, schedule or token.",
    ),
    Parameter::new(
        "reason",
        Kind::Words(|| ReasonCode::ALL.iter().map(|one| one.as_str()).collect()),
        "Only those of which something was not done for this reason.",
    ),
    Parameter::new("days", Kind::Number(1, 3650), "Only those of so many days."),
    Parameter::new("from", Kind::Day, "Only from this UTC day on."),
    Parameter::new("until", Kind::Day, "Only up to this UTC day."),
    LIMIT,
    AFTER,
];

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/runs",
        id: "list_all_runs",
        tag: "Runs",
        summary: "The runs of all tenants of the token",
        about: "Newest first, with the filters of the list of runs.",
        rule: Rule::SignedIn,
        query: FILTERS,
        body: None,
        answer: Answer::One("A page of runs.", shape::<wire::Runs>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/runs",
        id: "list_runs",
        tag: "Runs",
        summary: "The runs of a tenant",
        about: "Newest first, with the filters of the list of runs.",
        rule: Rule::Member(Action::View),
        query: FILTERS,
        body: None,
        answer: Answer::One("A page of runs.", shape::<wire::Runs>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/runs",
        id: "start_run",
        tag: "Runs",
        summary: "Start an operation",
        about: "Answers at once. Work that is under way already is not begun a second time: the run that does it is answered.",
        // What the operation asks for is asked for where it is started.
        rule: Rule::Member(Action::View),
        query: &[],
        body: Some(shape::<wire::StartRun>()),
        answer: RUN,
        work: |call| Box::pin(start(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/runs/{run}",
        id: "get_run",
        tag: "Runs",
        summary: "A run with its attempts and what did not succeed",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The run.", shape::<wire::RunDetail>()),
        work: |call| Box::pin(one(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: events::ROUTE,
        id: "watch_run",
        tag: "Runs",
        summary: "Watch a run to its end",
        about: "Server-sent events: `run` with the state of the run whenever it changes, the last one when it has ended; between them comments, so that the connection stays. Ends within seconds when the token is revoked or past its end.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::Events("Events until the run has ended."),
        work: |call| Box::pin(events::watch(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/runs/{run}/cancel",
        id: "cancel_run",
        tag: "Runs",
        summary: "Cancel a run",
        about: "One that waits ends at once; of one that is worked on its worker is told.",
        rule: Rule::Member(Action::CancelRun),
        query: &[],
        body: Some(shape::<wire::Why>()),
        answer: Answer::One("The run as it is now.", shape::<wire::CancelAnswer>()),
        work: |call| Box::pin(cancel(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/runs/{run}/retry",
        id: "retry_run",
        tag: "Runs",
        summary: "Start a run that has ended once more",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: RUN,
        work: |call| Box::pin(retry(call, RetryPart::Whole)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/runs/{run}/retry-failed",
        id: "retry_failed",
        tag: "Runs",
        summary: "Start what failed of a run once more",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: RUN,
        work: |call| Box::pin(retry(call, RetryPart::Failed)),
    },
];

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

async fn list(call: Call) -> Result<Reply, Problem> {
    let tenant_id = call.scope.as_ref().map(|scope| scope.tenant.id);
    let tenant_ids = match tenant_id {
        Some(_) => None,
        None => Some(call.engine().token_tenants(&call.token).await?.iter().map(|(tenant, _)| tenant.id).collect()),
    };
    let filter = RunFilter::read(|name| call.asked(name).map(str::to_owned));
    let statuses = |bucket| OperationStatus::ALL.iter().copied().filter(move |one| one.bucket() == bucket).collect();
    let since = |days: u32| Timestamp::from_millis(call.engine().now().as_millis() - i64::from(days) * DAY);
    let before = call.place_by_moment()?;
    let limit = call.limit();
    let asked = operation_runs::Filter {
        tenant_id,
        tenant_ids,
        operation: filter.operation.clone(),
        statuses: filter.bucket.map(statuses).unwrap_or_default(),
        user_id: filter.by_whom().0,
        schedule_id: filter.by_whom().1,
        token_id: filter.by_whom().2,
        by_person: filter.by_person,
        by_schedule: filter.by_schedule.then_some(true),
        by_token: filter.by_token,
        reason: filter.reason,
        from: filter.days.map(since).max(filter.from),
        until: filter.until,
        before,
        limit: limit + 1,
        ..operation_runs::Filter::default()
    };
    let mut runs = operation_runs::list(call.db(), &asked).await?;
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    let last = runs.last().filter(|_| more).map(|run| dated_place(run.created_at, run.id));
    let (next, address) = call.next(last);
    Ok(Reply::json(&wire::Runs { items: runs.iter().map(wire::Run::from).collect(), next }).followed_by(address))
}

/// A run of the tenant.
pub async fn found(call: &Call, run: OperationRunId) -> Result<OperationRun, Problem> {
    let found = operation_runs::get(call.db(), call.tenant()?, run).await?;
    found.ok_or_else(|| Problem::not_found("The run"))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let run = found(&call, call.id("run", "The run")?).await?;
    let attempts = operation_runs::attempts(call.db(), run.tenant_id, run.id).await?;
    let after = operation_runs::Filter {
        tenant_id: Some(run.tenant_id),
        follows: Some(run.id),
        limit: 10,
        ..operation_runs::Filter::default()
    };
    let follow_ups = operation_runs::list(call.db(), &after).await?;
    let failures = run.failures.iter().map(|failure| wire::Failure {
        item_id: failure.item_id.clone(),
        reason_code: failure.reason_code.as_str().to_owned(),
        reason: failure.reason.clone(),
        skipped: failure.kind == FailureKind::Skipped,
    });
    Ok(Reply::json(&wire::RunDetail {
        attempts: attempts.iter().map(wire::Attempt::from).collect(),
        failures: failures.collect(),
        failures_omitted: run.failures_omitted,
        follow_ups: follow_ups.iter().map(wire::Run::from).collect(),
        run: wire::Run::from(&run),
    }))
}

/// Refuses what an operation does not know, so that nobody believes that it was heard.
fn check(asked: &wire::StartRun) -> Result<(), Problem> {
    use Operation::{Capture, Check, Sync};
    let given = [
        ("policy_types", !asked.policy_types.is_empty(), &[Sync, Capture][..]),
        ("categories", !asked.categories.is_empty(), &[Sync][..]),
        ("include_foundations", asked.include_foundations.is_some(), &[Sync][..]),
        ("items", !asked.items.is_empty(), &[Capture][..]),
        ("changed", asked.changed, &[Capture][..]),
        ("types", asked.types, &[Check][..]),
    ];
    for (field, is_given, known) in given {
        if is_given && !known.contains(&asked.operation) {
            return Err(Problem::field(field, format!("{field}: this operation takes no such field. Leave it out.")));
        }
    }
    if !asked.items.is_empty() && !asked.policy_types.is_empty() {
        return Err(Problem::field("items", "items: expected items or policy_types, not both."));
    }
    let unknown: BTreeSet<&str> =
        asked.policy_types.iter().map(String::as_str).filter(|key| registry().get(key).is_none()).collect();
    match unknown.first() {
        Some(_) => {
            Err(Problem::field("policy_types", "policy_types: expected keys of policy types, as /types lists them."))
        }
        None => Ok(()),
    }
}

async fn start(call: Call) -> Result<Reply, Problem> {
    let asked: wire::StartRun = call.read()?;
    check(&asked)?;
    let (engine, actor, tenant) = (call.engine(), call.actor(), call.tenant()?);
    let (run, already_running) = match asked.operation {
        Operation::Sync => {
            let selection = match asked.policy_types.is_empty() && asked.categories.is_empty() {
                true => Selection::full(registry()),
                false => Selection {
                    policy_types: asked.policy_types,
                    categories: asked.categories,
                    include_foundations: true,
                    include_dependencies: true,
                },
            };
            let include_foundations = asked.include_foundations.unwrap_or(selection.include_foundations);
            let done = engine.dispatch_sync(&actor, tenant, &Selection { include_foundations, ..selection }).await?;
            (done.run_id, done.already_running)
        }
        Operation::Capture => {
            let what = match asked.items.is_empty() {
                true => CaptureOf::Types(asked.policy_types),
                false => CaptureOf::Items(objects(&call, &asked.items).await?),
            };
            let done = engine.dispatch_capture(&actor, tenant, &what, asked.changed).await?;
            (done.run_id, done.already_running)
        }
        Operation::Drift => dispatched(&engine.dispatch_drift(&actor, tenant, None, None).await?),
        Operation::AuditEvents => dispatched(&engine.read_audit_events(&actor, tenant).await?),
        Operation::SettingNames => dispatched(&engine.refresh_setting_catalog(&actor, tenant).await?),
        Operation::Check => dispatched(&engine.check_tenant(&actor, tenant, asked.types).await?),
    };
    started(&call, run, already_running).await
}

fn dispatched(done: &tenantatlas_engine::Dispatched) -> (OperationRunId, bool) {
    (done.state.id, done.already_running)
}

async fn started(call: &Call, run: OperationRunId, already_running: bool) -> Result<Reply, Problem> {
    let run = wire::Run::from(&found(call, run).await?);
    Ok(Reply::begun(&wire::Started { run, already_running }))
}

/// The objects of these items, each by its type and the id that Microsoft gave it.
async fn objects(call: &Call, items: &[String]) -> Result<Vec<(String, String)>, Problem> {
    if items.len() > 500 {
        return Err(Problem::field("items", "items: expected 500 ids of items at most."));
    }
    let ids: Result<Vec<ItemId>, _> = items.iter().map(|id| id.parse()).collect();
    let ids = ids.map_err(|_| Problem::not_found("The item"))?;
    let view = ScopeView::load(call.db(), call.tenant()?, None).await?;
    let rows = inventory::find_many(call.db(), &view, &ids).await?;
    if rows.is_empty() {
        return Err(Problem::not_found("The item"));
    }
    Ok(rows.into_iter().map(|row| (row.item.policy_type, row.item.external_id)).collect())
}

async fn cancel(call: Call) -> Result<Reply, Problem> {
    let asked: wire::Why = call.read()?;
    let id = call.id("run", "The run")?;
    let run = found(&call, id).await?;
    if run.status.is_terminal() {
        return Err(Problem::new("conflict", "The run has ended already: there is nothing to cancel."));
    }
    call.engine().runs().cancel_many(&call.actor(), &[(run.tenant_id, id)], &asked.why).await?;
    let now = found(&call, id).await?;
    Ok(Reply::json(&wire::CancelAnswer { ended: now.status.is_terminal(), run: wire::Run::from(&now) }))
}

async fn retry(call: Call, part: RetryPart) -> Result<Reply, Problem> {
    let done = call.engine().runs().retry(&call.actor(), call.tenant()?, call.id("run", "The run")?, part).await?;
    started(&call, done.state.id, done.already_running).await
}
