//! What goes with the end of every run: the terminal notification and the terminal audit event.

use metrics::counter;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::endpoint::EventKind;
use tenantatlas_domain::ids::{NotificationId, OperationRunId, UserId};
use tenantatlas_domain::operation::{OperationStatus, missing_permissions};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::deliveries::{self, Event};
use tenantatlas_store::notifications::{self, NewNotification};
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::{StoreError, Tx, api_tokens, tenants, users};
use uuid::Uuid;

use crate::core::Core;
use crate::notification::{MAX_REASONS, QUIET, RUN_ENDED, RUN_QUEUED, RunNotice, count_reasons};
use crate::operation::Summary;

/// Writes notification and audit event of a run that has just ended, in the transaction that ended it.
pub(crate) async fn record(
    core: &Core,
    tx: &mut Tx,
    run: &OperationRun,
    mut summary: Summary,
    at: Timestamp,
) -> Result<(), StoreError> {
    let is_quiet_end = summary.remove(QUIET).filter(|_| run.status == OperationStatus::Completed);
    let has_no_news = is_quiet_end == Some(true.into());
    if is_quiet_end == Some(false.into()) {
        for user in core.members_to_tell(&mut *tx, run).await? {
            write_notice(core, tx, run, (user, RUN_ENDED), summary.clone(), at).await?;
        }
    }
    if !(has_no_news && is_quiet(core, &run.resource, &run.action, run.follows)) {
        notify(core, tx, run, RUN_ENDED, summary.clone(), at).await?;
        tell_endpoints(core, tx, run, at).await?;
    }
    let action = RunEvent::Ended(run.status).of(&run.resource, &run.action);
    let mut context = json!({
        "counters": run.counters,
        "reason_code": run.reason_code,
        "reasons": count_reasons(&run.failures),
        "attempt": run.attempt,
        "cancelled_by": run.cancel_requested_by,
    });
    if let Some(context) = context.as_object_mut() {
        context.extend(summary);
    }
    let failed = matches!(run.status, OperationStatus::Failed | OperationStatus::Aborted);
    let entry = AuditEntry::new(action, "operation_run", run.id).of(run.tenant_id).with(context).outcome(!failed);
    let actor = initiator(tx, run).await?;
    core.commands.record(tx, &actor, entry).await?;
    Ok(())
}

impl Core {
    /// Tells of runs that have ended, whoever ended them, once the transaction that ended them is committed: they are counted, and
    /// published to whoever looks.
    pub(crate) async fn tell_of_ends<'a>(&self, runs: impl IntoIterator<Item = &'a OperationRun> + Clone) {
        runs.clone().into_iter().for_each(count_end);
        self.publish_runs(runs.clone());
        self.publish_unread_of(runs).await;
    }
}

/// Counts a run that has ended, by what it did and how it ended. Each of these has few values, which are all there ever are.
fn count_end(run: &OperationRun) {
    let operation = format!("{}.{}", run.resource, run.action);
    let reason = run.reason_code.map_or("", |reason| reason.as_str());
    let labels =
        [("operation", operation), ("state", run.status.bucket().as_str().to_owned()), ("reason", reason.to_owned())];
    counter!("runs_ended_total", &labels).increment(1);
    counter!("run_throttled_seconds_total").increment(run.pauses.length().div_ceil(1_000));
    if run.status == OperationStatus::Failed {
        counter!("runs_failed_total").increment(1);
    }
}

/// Whether a run tells of itself only when it has news.
pub(crate) fn is_quiet(core: &Core, resource: &str, action: &str, follows: Option<OperationRunId>) -> bool {
    let operation = core.operations.find(resource, action);
    follows.is_some() && operation.is_some_and(|operation| operation.is_quiet_after_another())
}

/// Writes a notification about a run to the person who started it, if it was a person.
pub(crate) async fn notify(
    core: &Core,
    tx: &mut Tx,
    run: &OperationRun,
    kind: &str,
    facts: Summary,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(user) = run.user_id else { return Ok(()) };
    if users::get(&mut *tx, user).await?.is_none() {
        return Ok(());
    }
    write_notice(core, tx, run, (user, kind), facts, at).await
}

async fn write_notice(
    core: &Core,
    tx: &mut Tx,
    run: &OperationRun,
    (user_id, kind): (UserId, &str),
    facts: Summary,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant_name = tenants::get(&mut *tx, run.tenant_id).await?.map(|tenant| tenant.name).unwrap_or_default();
    let state = core.state_of(run);
    let notice = RunNotice {
        tenant_id: run.tenant_id,
        tenant_name,
        run_id: run.id,
        resource: run.resource.clone(),
        action: run.action.clone(),
        name: state.words.name,
        status: run.status,
        bucket: run.status.bucket(),
        counters: run.counters,
        reason_code: run.reason_code,
        reasons: if kind == RUN_QUEUED { Vec::new() } else { count_reasons(&run.failures) },
        lacking: missing_permissions(&run.failures).into_iter().take(MAX_REASONS).collect(),
        news: state.news,
        cancelled_by: state.cancelled_by,
        facts,
    };
    let new = NewNotification {
        id: NotificationId::from_uuid(Uuid::now_v7()),
        user_id,
        tenant_id: Some(run.tenant_id),
        kind: kind.to_owned(),
        operation_run_id: Some(run.id),
        payload: serde_json::to_value(notice).unwrap_or_default(),
        // Whoever started it knows that it was: its end is the news.
        read: kind == RUN_QUEUED,
    };
    notifications::create(tx, &new, at).await.map(|_| ())
}

/// Writes the messages to the endpoints of the tenant that want to know of the end of a run.
async fn tell_endpoints(core: &Core, tx: &mut Tx, run: &OperationRun, at: Timestamp) -> Result<(), StoreError> {
    let state = core.state_of(run);
    let operation = format!("{}.{}", run.resource, run.action);
    let payload = json!({
        "run": {
            "id": run.id,
            "operation": operation,
            "name": state.words.name,
            "state": run.status.bucket(),
            "status": run.status,
            "counters": run.counters,
            "reason_code": run.reason_code,
            "reasons": count_reasons(&run.failures),
        },
        "news": state.news,
        "path": format!("/t/{}/runs/{}", run.tenant_id, run.id),
    });
    let event = Event {
        kind: EventKind::RunEnded,
        run_id: Some(run.id),
        run: Some((&operation, run.status.bucket())),
        payload: payload.to_string(),
    };
    deliveries::enqueue(tx, run.tenant_id, &event, at).await.map(|_| ())
}

/// Who started a run, as an actor.
pub(crate) async fn initiator(tx: &mut Tx, run: &OperationRun) -> Result<Actor, StoreError> {
    if let Some(token) = run.token_id {
        let found = api_tokens::get(&mut *tx, token).await?;
        let owner = found.and_then(|token| token.user_id.zip(token.owner_email));
        return Ok(Actor::token(token, run.initiator.clone(), owner));
    }
    let Some(id) = run.user_id else {
        let mut actor = Actor::system();
        actor.name.clone_from(&run.initiator);
        return Ok(actor);
    };
    let email = users::get(&mut *tx, id).await?.map(|user| user.email).unwrap_or_default();
    Ok(Actor::person(id, run.initiator.clone(), email))
}
