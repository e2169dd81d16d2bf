//! What follows a sync, what was compared last, and what a person was told of a tenant.

use tenantatlas_app::access::Rule;
use tenantatlas_app::notification::load::told;
use tenantatlas_domain::ids::NotificationId;
use tenantatlas_domain::role::Action;
use tenantatlas_store::{findings, notifications, scopes, tenants};

use super::call::{Call, dated_place};
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire::{self, time};

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/after-sync",
        id: "get_after_sync",
        tag: "Runs",
        summary: "What follows each sync",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("What follows.", shape::<wire::AfterSync>()),
        work: |call| Box::pin(after_sync(call)),
    },
    Endpoint {
        verb: Verb::Patch,
        path: "/api/v1/tenants/{tenant}/after-sync",
        id: "change_after_sync",
        tag: "Runs",
        summary: "Say what follows each sync",
        about: "What is left out stays.",
        rule: Rule::Member(Action::EditSchedules),
        query: &[],
        body: Some(shape::<wire::ChangeAfterSync>()),
        answer: Answer::One("What follows from now on.", shape::<wire::AfterSync>()),
        work: |call| Box::pin(change_after_sync(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/comparison",
        id: "get_comparison",
        tag: "Findings",
        summary: "The last comparison of the main scope, and what it could not compare",
        about: "A type that was not read to the end in both runs is named here: it is neither drift nor fine.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The comparison.", shape::<wire::LatestComparison>()),
        work: |call| Box::pin(comparison(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/notifications",
        id: "list_notifications",
        tag: "Notifications",
        summary: "What the person of the token was told of a tenant",
        about: "Newest first. The token of a tenant has no person, and none are told to it. Asking marks nothing as read: that is asked for by itself.",
        rule: Rule::Member(Action::View),
        query: &[
            Parameter::new("unread", Kind::Words(|| vec!["true"]), "Only those that were not read."),
            LIMIT,
            AFTER,
        ],
        body: None,
        answer: Answer::One("A page of notifications.", shape::<wire::Notifications>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/notifications/{notification}/read",
        id: "mark_notification_read",
        tag: "Notifications",
        summary: "Mark a notification as read",
        about: "One of the person of the token; whoever may see the tenant may. One that was read keeps its time.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The notification, which is read.", shape::<wire::Notification>()),
        work: |call| Box::pin(mark_one(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/notifications/read",
        id: "mark_all_notifications_read",
        tag: "Notifications",
        summary: "Mark all notifications about a tenant as read",
        about: "Those of the person of the token. The token of a tenant has no person, and nothing is marked by it.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("How many were unread.", shape::<wire::MarkedRead>()),
        work: |call| Box::pin(mark_all(call)),
    },
];

async fn known(call: &Call) -> Result<tenants::AfterSync, Problem> {
    let tenant = tenants::get(call.db(), call.tenant()?).await?;
    Ok(tenant.ok_or_else(|| Problem::not_found("The tenant"))?.after_sync)
}

async fn after_sync(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::json(&wire::AfterSync::from(known(&call).await?)))
}

async fn change_after_sync(call: Call) -> Result<Reply, Problem> {
    let asked: wire::ChangeAfterSync = call.read()?;
    let wanted = asked.of(known(&call).await?);
    call.engine().set_after_sync(&call.actor(), call.tenant()?, wanted).await?;
    after_sync(call).await
}

async fn comparison(call: Call) -> Result<Reply, Problem> {
    let (db, tenant) = (call.db(), call.tenant()?);
    let found = match scopes::main_of(db, tenant).await? {
        Some(scope) => findings::latest_comparison(db, tenant, &scope.selection_hash.to_string()).await?,
        None => None,
    };
    Ok(Reply::json(&wire::LatestComparison { comparison: found.as_ref().map(wire::Comparison::from) }))
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let before = call.place_by_moment()?;
    let (tenant_id, unread, limit) = (Some(call.tenant()?), call.asked("unread").is_some(), call.limit());
    let ask = |before, limit| notifications::Filter { tenant_id, unread, before, limit, account: false };
    let user = call.session.user_id;
    let page = notifications::list(call.db(), user, &ask(before, limit)).await?;
    let last = page.last().map(|last| (last.created_at, last.id)).filter(|_| page.len() >= limit as usize);
    let more = match last {
        Some(_) => !notifications::list(call.db(), user, &ask(last, 1)).await?.is_empty(),
        None => false,
    };
    let (next, address) = call.next(last.filter(|_| more).map(|(at, id)| dated_place(at, id)));
    let items = page.iter().filter_map(|stored| in_words(&call, stored));
    Ok(Reply::json(&wire::Notifications { items: items.collect(), next }).followed_by(address))
}

/// A notification as it is told; `None` of a kind that this version does not know.
fn in_words(call: &Call, stored: &notifications::Notification) -> Option<wire::Notification> {
    let words = told(call.engine(), call.session.user_id, stored)?;
    Some(wire::Notification {
        id: stored.id.to_string(),
        kind: stored.kind.clone(),
        run_id: stored.operation_run_id.map(|run| run.to_string()),
        title: words.title(),
        detail: words.detail(),
        created_at: time(stored.created_at),
        read_at: stored.read_at.map(time),
    })
}

async fn mark_one(call: Call) -> Result<Reply, Problem> {
    let missing = || Problem::not_found("The notification");
    let (user, tenant) = (call.session.user_id, call.tenant()?);
    let id: NotificationId = call.id("notification", "The notification")?;
    // One about another tenant is none here, whatever the person may see elsewhere.
    notifications::get(call.db(), user, tenant, id).await?.ok_or_else(missing)?;
    call.engine().runs().mark_read(user, id).await?;
    let read = notifications::get(call.db(), user, tenant, id).await?.ok_or_else(missing)?;
    Ok(Reply::json(&in_words(&call, &read).ok_or_else(missing)?))
}

async fn mark_all(call: Call) -> Result<Reply, Problem> {
    let marked = call.engine().runs().mark_all_read(call.session.user_id, Some(call.tenant()?)).await?;
    Ok(Reply::json(&wire::MarkedRead { marked }))
}
