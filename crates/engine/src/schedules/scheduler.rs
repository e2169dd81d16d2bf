//! The task that starts what is due. Every node runs it: who starts a schedule takes its due time by comparing it, in the
//! transaction that dispatches the run.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize as _;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{DueClaim, DueWork, LastTime, Started};
use tenantatlas_store::schedules::{self, Claim, Schedule};
use tenantatlas_store::{StoreError, Tx};

use super::daily;
use super::notice::ScheduleNotice;
use super::times::Times;
use super::work::{self, ScheduleOptions};
use crate::endpoints::events;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::setting_catalog::read_by_itself;

const NO_TIME: &str = "The pattern names no time any more: change it.";
const NOT_UNDERSTOOD: &str =
    "This version of the program does not understand what it is to do. Remove it, and add it anew.";
/// Schedules that are looked at in one go.
const AT_ONCE: u32 = 50;
/// How long after a time for which there was no place it is tried again, in milliseconds.
const PUT_OFF: i64 = 300_000;

/// Starts what is due until the process stops.
pub(crate) async fn keep(core: Arc<Core>) {
    loop {
        if let Err(error) = look(&core).await {
            tracing::warn!(%error, "schedules could not be looked at");
        }
        tokio::select! {
            () = core.commands.stopping.cancelled() => return,
            () = tokio::time::sleep(core.config.schedule_interval) => {}
        }
    }
}

/// Starts what is due by now, notes what became of what was started, and tells of what is overdue.
async fn look(core: &Core) -> Result<u32, EngineError> {
    settle(core).await?;
    let mut started = 0;
    loop {
        let due = schedules::due(&core.reader, core.commands.clock.now(), AT_ONCE).await?;
        let full = due.len() >= AT_ONCE as usize;
        let before = started;
        for schedule in due {
            if core.commands.stopping.is_cancelled() {
                return Ok(started);
            }
            match start(core, &schedule).await {
                Ok(true) => started += 1,
                Ok(false) => {}
                // The others are not held up; it stays due.
                Err(error) => tracing::warn!(%error, schedule = %schedule.id, "a schedule could not be started"),
            }
        }
        // What fails stays due: it must not be asked for again and again without a pause.
        if !full || started == before {
            break;
        }
    }
    tell_overdue(core).await?;
    daily::prune(core).await?;
    read_by_itself(core).await?;
    Ok(started)
}

impl Engine {
    /// Starts what is due by now, once; answers how much. A process with [`crate::EngineConfig::schedule_interval`] does it by
    /// itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start_due(&self) -> Result<u32, EngineError> {
        look(&self.core).await
    }
}

/// Starts one schedule. Answers whether this process did.
async fn start(core: &Core, schedule: &Schedule) -> Result<bool, EngineError> {
    let Some(due_at) = schedule.due_at else { return Ok(false) };
    match prepared(core, schedule, due_at).await {
        Ok(due) => match core.runner.dispatch_due(due).await {
            Ok(Started::Run(_)) => Ok(true),
            Ok(Started::TakenAlready) => Ok(false),
            Err(error) => refused(core, schedule, due_at, error.into()).await,
        },
        Err(error) => refused(core, schedule, due_at, error).await,
    }
}

async fn prepared(core: &Core, schedule: &Schedule, due_at: Timestamp) -> Result<DueWork, EngineError> {
    let times = Times::read(&schedule.cron, &schedule.zone)?;
    // One run for all times that were missed: the next one lies after now, whatever was due before.
    let now = core.commands.clock.now().max(due_at);
    let next = times.next(Timestamp::from_millis(now.as_millis().saturating_sub(schedule.offset_ms)));
    let next = next.map(|due| (later(due.at, schedule.offset_ms), due.local_minute()));
    let options = ScheduleOptions::deserialize(&schedule.options)
        .map_err(|error| EngineError::Internal(format!("the options of a schedule are not understood: {error}")))?;
    let ready = work::ready(core, schedule.tenant_id, (&schedule.resource, &schedule.action), &options).await?;
    Ok(DueWork {
        tenant: schedule.tenant_id,
        resource: schedule.resource.clone(),
        action: schedule.action.clone(),
        payload: ready.payload,
        follow_ups: ready.follow_ups,
        owner: owner(schedule).ok_or(EngineError::Forbidden)?,
        initiator: initiator(schedule),
        last: next.is_none().then(|| Arc::new(LastOf(schedule.clone())) as Arc<dyn LastTime>),
        claim: DueClaim::Schedule(Claim { schedule: schedule.id, due_at, next }),
    })
}

/// A schedule that stops with the time that is taken.
#[derive(Debug)]
struct LastOf(Schedule);

impl LastTime for LastOf {
    fn entry(&self) -> AuditEntry {
        stopped(&self.0, NO_TIME)
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, at: Timestamp) -> BoxFuture<'a, Result<Vec<UserId>, StoreError>> {
        Box::pin(tell_stopped(tx, &self.0, ("no_time", NO_TIME), at))
    }
}

/// The entry of a schedule that stops by itself.
fn stopped(schedule: &Schedule, because: &str) -> AuditEntry {
    AuditEntry::new(AuditAction::ScheduleStopped, "schedule", schedule.id)
        .of(schedule.tenant_id)
        .with(json!({ "name": schedule.name, "because": because }))
}

/// Tells endpoints and who may change it that a schedule stops. Answers whom.
async fn tell_stopped(
    tx: &mut Tx,
    schedule: &Schedule,
    (reason, because): (&str, &str),
    at: Timestamp,
) -> Result<Vec<UserId>, StoreError> {
    events::tell_stopped(tx, schedule, reason, at).await?;
    ScheduleNotice::write(tx, schedule, Some(because), at).await
}

/// A moment so many milliseconds after another.
pub(super) fn later(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

/// What runs say who started them.
fn initiator(schedule: &Schedule) -> String {
    format!("Schedule {}", schedule.name)
}

/// Who answers for a schedule; `None` when that person is there no more.
fn owner(schedule: &Schedule) -> Option<Actor> {
    match (schedule.by_person, schedule.created_by) {
        (true, Some(user)) => Some(Actor::person(user, schedule.creator.clone(), String::new())),
        (true, None) => None,
        (false, _) => Some(Actor::command_line()),
    }
}

/// What follows from a refusal: the schedule is put off where there is no place now, and stops where it cannot go on.
async fn refused(core: &Core, schedule: &Schedule, due_at: Timestamp, error: EngineError) -> Result<bool, EngineError> {
    let (reason, because) = match &error {
        EngineError::Stopping => return Ok(false),
        EngineError::Store(_) => return Err(error),
        EngineError::TooMany(words) => {
            let now = core.commands.clock.now();
            let mut tx = core.commands.db.write().await?;
            schedules::put_off(&mut tx, schedule.id, due_at, later(now, PUT_OFF), words).await?;
            tx.commit().await?;
            return Ok(false);
        }
        EngineError::Forbidden | EngineError::NotFound(_) if schedule.by_person && schedule.created_by.is_none() => {
            let words = format!(
                "{}, who made it, is no user any more. Resume it to let it run with your rights.",
                schedule.creator
            );
            ("owner_removed", words)
        }
        EngineError::Forbidden | EngineError::NotFound(_) => {
            let words = format!(
                "{}, who made it, may not start this in the tenant any more. Resume it to let it run with your rights.",
                schedule.creator
            );
            ("not_allowed", words)
        }
        EngineError::Internal(text) => {
            tracing::error!(%text, schedule = %schedule.id, "a schedule cannot be understood");
            ("not_understood", NOT_UNDERSTOOD.to_owned())
        }
        other => ("refused", format!("It could not be started: {other}.")),
    };
    stop(core, schedule, due_at, (reason, &because)).await?;
    Ok(false)
}

/// Stops a schedule at a due time, with an entry in the audit log, and tells who may change it and endpoints.
/// `reason` is the code for endpoints, `because` the sentence for people.
async fn stop(
    core: &Core,
    schedule: &Schedule,
    due_at: Timestamp,
    (reason, because): (&str, &str),
) -> Result<(), EngineError> {
    let actor = Actor { name: initiator(schedule), ..Actor::system() };
    let entry = stopped(schedule, because);
    let right = Right::Platform;
    let told: Vec<UserId> = core
        .execute(Command::new(&actor, right, entry), async |tx, log| {
            let at = core.commands.clock.now();
            if !schedules::stop(tx, schedule.id, due_at, because, at).await? {
                log.unchanged();
                return Ok(Vec::new());
            }
            Ok(tell_stopped(tx, schedule, (reason, because), at).await?)
        })
        .await?;
    for user in told {
        core.runner.publish_unread(user).await;
    }
    Ok(())
}

/// Notes what became of runs that schedules started.
async fn settle(core: &Core) -> Result<(), StoreError> {
    loop {
        let ended = schedules::unsettled(&core.reader, AT_ONCE).await?;
        if ended.is_empty() {
            return Ok(());
        }
        let mut tx = core.commands.db.write().await?;
        for one in &ended {
            let well = core.runner.operations().ended_well(&one.resource, &one.action, one.status);
            schedules::settle(&mut tx, one.schedule_id, one.run_id, well.then_some(one.finished_at)).await?;
        }
        tx.commit().await?;
        if ended.len() < AT_ONCE as usize {
            return Ok(());
        }
    }
}

/// Tells of schedules that have not succeeded for twice their period, once until they succeed.
async fn tell_overdue(core: &Core) -> Result<(), StoreError> {
    let now = core.commands.clock.now();
    for schedule in schedules::overdue_untold(&core.reader, now, AT_ONCE).await? {
        let mut tx = core.commands.db.write().await?;
        let told = match schedules::tell_overdue(&mut tx, schedule.id, now).await? {
            true => {
                events::tell_overdue(&mut tx, &schedule, now).await?;
                ScheduleNotice::write(&mut tx, &schedule, None, now).await?
            }
            false => Vec::new(),
        };
        tx.commit().await?;
        tracing::warn!(schedule = %schedule.id, tenant = %schedule.tenant_id, "a schedule is overdue");
        for user in told {
            core.runner.publish_unread(user).await;
        }
    }
    Ok(())
}
