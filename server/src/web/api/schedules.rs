//! Schedules: listed, added, changed, paused, resumed, removed.

use std::collections::BTreeSet;

use tenantatlas_app::access::Rule;
use tenantatlas_domain::ids::{ScheduleId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{ScheduleOptions, ScheduleSpec};
use tenantatlas_store::schedules::{self, Schedule};

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, LIMIT, Verb, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

/// Over how many minutes the schedules of several tenants are spread where nothing is said.
const USUAL_SPREAD: u32 = 60;

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/schedules",
        id: "list_all_schedules",
        tag: "Schedules",
        summary: "What is started by the clock in all tenants of the token",
        about: "By tenant and name, in pages of tenants with all of their schedules: `limit` is how many tenants are looked at.",
        rule: Rule::SignedIn,
        query: &[LIMIT, AFTER],
        body: None,
        answer: Answer::One("A page of schedules.", shape::<wire::AllSchedules>()),
        work: |call| Box::pin(list_all(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/schedules",
        id: "add_schedules",
        tag: "Schedules",
        summary: "Add a schedule to several tenants",
        about: "Each starts at its own time within so many minutes, always the same. What one tenant refuses is done in the others; the answer says which. The person of the token answers for what is started.",
        rule: Rule::SignedIn,
        query: &[],
        body: Some(shape::<wire::AddSchedules>()),
        answer: Answer::One("The schedules, and the tenants that refused.", shape::<wire::AddedSchedules>()),
        work: |call| Box::pin(add_to_many(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/schedules",
        id: "list_schedules",
        tag: "Schedules",
        summary: "What is started by the clock",
        about: "All schedules of the tenant, 50 at most.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The schedules.", shape::<wire::Schedules>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/schedules",
        id: "add_schedule",
        tag: "Schedules",
        summary: "Add a schedule",
        about: "The person of the token answers for what it starts: it starts nothing that this person may not start then. Nobody answers for the token of a tenant, which adds none.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: Some(shape::<wire::AddSchedule>()),
        answer: Answer::One("The schedule.", shape::<wire::Schedule>()),
        work: |call| Box::pin(add(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/schedules/{schedule}",
        id: "get_schedule",
        tag: "Schedules",
        summary: "A schedule",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The schedule.", shape::<wire::Schedule>()),
        work: |call| Box::pin(one(call)),
    },
    Endpoint {
        verb: Verb::Patch,
        path: "/api/v1/tenants/{tenant}/schedules/{schedule}",
        id: "change_schedule",
        tag: "Schedules",
        summary: "Change a schedule",
        about: "What is left out stays. The person of the token answers for it from then on; the token of a tenant changes none. One that is paused stays so; one that was stopped goes on. A run that is under way stays as it was started.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: Some(shape::<wire::ChangeSchedule>()),
        answer: Answer::One("The schedule as it is now.", shape::<wire::Schedule>()),
        work: |call| Box::pin(alter(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/schedules/{schedule}/pause",
        id: "pause_schedule",
        tag: "Schedules",
        summary: "Pause a schedule",
        about: "One that is paused stays so.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: None,
        answer: Answer::One("The schedule as it is now.", shape::<wire::Schedule>()),
        work: |call| Box::pin(change(call, Change::Pause)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/schedules/{schedule}/resume",
        id: "resume_schedule",
        tag: "Schedules",
        summary: "Let a schedule go on",
        about: "One that is paused or was stopped starts again at the next of its times.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: None,
        answer: Answer::One("The schedule as it is now.", shape::<wire::Schedule>()),
        work: |call| Box::pin(change(call, Change::Resume)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/schedules/{schedule}/remove",
        id: "remove_schedule",
        tag: "Schedules",
        summary: "Remove a schedule",
        about: "What it started stays.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: None,
        answer: Answer::One("The schedule as it was.", shape::<wire::Schedule>()),
        work: |call| Box::pin(change(call, Change::Remove)),
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let (found, now) = (schedules::list(call.db(), call.tenant()?).await?, call.engine().now());
    let items = found.iter().map(|listed| wire::Schedule::of(&listed.schedule, now)).collect();
    Ok(Reply::json(&wire::Schedules { items }))
}

async fn list_all(call: Call) -> Result<Reply, Problem> {
    let after: Option<(String, TenantId)> = call.place(|place| {
        let (id, name) = place.split_once(' ')?;
        Some((name.to_owned(), id.parse().ok()?))
    })?;
    let known = call.engine().token_tenants(&call.token).await?;
    let mut rest = known.iter().map(|(tenant, _)| (tenant.name.to_lowercase(), tenant.id));
    let mut page: Vec<(String, TenantId)> = Vec::new();
    let limit = usize::try_from(call.limit()).unwrap_or(usize::MAX);
    page.extend(rest.by_ref().filter(|one| after.as_ref().is_none_or(|after| one > after)).take(limit));
    let more = rest.next().is_some();
    let last = page.last().filter(|_| more).map(|(name, id)| format!("{id} {name}"));
    let (next, address) = call.next(last);
    let now = call.engine().now();
    let mut items = Vec::new();
    for (_, tenant) in &page {
        let found = schedules::list(call.db(), *tenant).await?;
        items.extend(found.iter().map(|listed| wire::Schedule::of(&listed.schedule, now)));
    }
    Ok(Reply::json(&wire::AllSchedules { items, next }).followed_by(address))
}

async fn add_to_many(call: Call) -> Result<Reply, Problem> {
    let asked: wire::AddSchedules = call.read()?;
    let tenants: Result<Vec<TenantId>, _> = asked.tenants.iter().map(|id| id.parse()).collect();
    let mut tenants = tenants.map_err(|_| Problem::not_found("The tenant"))?;
    let mut seen = BTreeSet::new();
    tenants.retain(|tenant| seen.insert(*tenant));
    let spread = asked.spread_minutes.unwrap_or(USUAL_SPREAD);
    let spec = spec(asked.schedule)?;
    let outcome = call.engine().add_schedule_to_many(&call.actor(), &tenants, &spec, spread).await?;
    let now = call.engine().now();
    let mut added = Vec::new();
    for (tenant, id) in outcome.added {
        let found = schedules::get(call.db(), tenant, id).await?;
        added.extend(found.iter().map(|schedule| wire::Schedule::of(schedule, now)));
    }
    let refused = outcome.refused.into_iter().map(|(tenant, error)| {
        let problem = Problem::from(error);
        wire::RefusedSchedule { tenant_id: tenant.to_string(), code: problem.code, detail: problem.detail }
    });
    Ok(Reply::json(&wire::AddedSchedules { added, refused: refused.collect() }))
}

/// The schedule of the tenant with this id.
async fn found(call: &Call, id: ScheduleId) -> Result<Schedule, Problem> {
    let found = schedules::get(call.db(), call.tenant()?, id).await?;
    found.ok_or_else(|| Problem::not_found("The schedule"))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let schedule = found(&call, call.id("schedule", "The schedule")?).await?;
    Ok(Reply::json(&wire::Schedule::of(&schedule, call.engine().now())))
}

async fn add(call: Call) -> Result<Reply, Problem> {
    let spec = spec(call.read()?)?;
    let id = call.engine().add_schedule(&call.actor(), call.tenant()?, &spec).await?;
    let schedule = found(&call, id).await?;
    Ok(Reply::json(&wire::Schedule::of(&schedule, call.engine().now())))
}

async fn alter(call: Call) -> Result<Reply, Problem> {
    let (tenant, id) = (call.tenant()?, call.id("schedule", "The schedule")?);
    let known = found(&call, id).await?;
    let asked: wire::ChangeSchedule = call.read()?;
    // What stays was read here: somebody who changes that meanwhile is not undone.
    let revision = asked.revision.unwrap_or(known.revision);
    let mut spec = spec(asked.of(&known))?;
    spec.keep_unseen(&known);
    call.engine().change_schedule(&call.actor(), tenant, id, revision, &spec).await?;
    let schedule = found(&call, id).await?;
    Ok(Reply::json(&wire::Schedule::of(&schedule, call.engine().now())))
}

fn spec(asked: wire::AddSchedule) -> Result<ScheduleSpec, Problem> {
    let is_capture = asked.operation == "policies.capture";
    let chosen = !(asked.policy_types.is_empty() && asked.categories.is_empty());
    let selection = (chosen && !is_capture).then(|| Selection {
        policy_types: asked.policy_types.clone(),
        categories: asked.categories.clone(),
        include_foundations: true,
        include_dependencies: true,
    });
    if is_capture && !asked.categories.is_empty() {
        return Err(Problem::field("categories", "categories: expected none, since a capture reads types."));
    }
    let options = ScheduleOptions {
        selection,
        types: if is_capture { asked.policy_types } else { Vec::new() },
        changed: asked.changed,
        capture: asked.then_capture,
        drift: asked.then_drift,
        probe: asked.types,
    };
    let (name, operation, cron, zone) = (asked.name, asked.operation, asked.cron, asked.zone);
    Ok(ScheduleSpec { name, operation, options, cron, zone })
}

#[derive(Clone, Copy)]
enum Change {
    Pause,
    Resume,
    Remove,
}

async fn change(call: Call, change: Change) -> Result<Reply, Problem> {
    let (tenant, id) = (call.tenant()?, call.id("schedule", "The schedule")?);
    let (engine, actor) = (call.engine(), call.actor());
    let before = found(&call, id).await?;
    match change {
        Change::Pause => engine.pause_schedule(&actor, tenant, id).await?,
        Change::Resume => engine.resume_schedule(&actor, tenant, id).await?,
        Change::Remove => engine.remove_schedule(&actor, tenant, id).await?,
    }
    let now = match change {
        Change::Remove => before,
        _ => found(&call, id).await?,
    };
    Ok(Reply::json(&wire::Schedule::of(&now, engine.now())))
}
