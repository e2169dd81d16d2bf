//! The commands on schedules.

use serde::Deserialize as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{ScheduleId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::OperationKind;
use tenantatlas_store::StoreError;
use tenantatlas_store::schedules::{self, NewSchedule, Schedule, ScheduleChange};
use uuid::Uuid;

use super::scheduler::later;
use super::times::{Due, Times};
use super::work::{self, ScheduleOptions};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::typed_name;

/// The longest name of a schedule, characters.
const LONGEST_NAME: usize = 80;
/// Schedules of a tenant, at most.
const MOST_SCHEDULES: u64 = 50;
/// The longest stretch over which the schedules of many tenants are spread, minutes.
const LONGEST_SPREAD: u32 = 720;
/// What is told whoever changes a schedule that somebody else changed after they had looked at it.
const CHANGED_MEANWHILE: &str = "somebody changed the schedule meanwhile, and nothing of this was saved: load it again, and change what is there now";
/// Tenants to which a schedule is added at once, at most.
pub const MOST_TENANTS_AT_ONCE: usize = 100;

/// What a person wants to be started, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleSpec {
    /// A name for people.
    pub name: String,
    /// The operation, such as `inventory.sync`.
    pub operation: String,
    /// What of the operation is chosen.
    pub options: ScheduleOptions,
    /// A pattern of cron; [`super::pattern_of`] makes one of a time of day.
    pub cron: String,
    /// The name of a time zone.
    pub zone: String,
}

impl ScheduleSpec {
    /// Leaves what the forms and the API do not show of a sync as it is in a schedule that is there: whether it reads foundations
    /// and dependencies.
    pub fn keep_unseen(&mut self, known: &Schedule) {
        let before = ScheduleOptions::deserialize(&known.options).ok().and_then(|options| options.selection);
        let Some(before) = before.filter(|_| self.operation == format!("{}.{}", known.resource, known.action)) else {
            return;
        };
        match &mut self.options.selection {
            Some(selection) => {
                selection.include_foundations = before.include_foundations;
                selection.include_dependencies = before.include_dependencies;
            }
            None if before.policy_types.is_empty() && before.categories.is_empty() => {
                self.options.selection = Some(before);
            }
            None => {}
        }
    }
}

/// What became of a schedule of many tenants.
#[derive(Debug)]
pub struct ForMany {
    /// The tenants that have it.
    pub added: Vec<(TenantId, ScheduleId)>,
    /// The tenants that have not, and why.
    pub refused: Vec<(TenantId, EngineError)>,
}

/// A specification that was read.
struct Read {
    name: String,
    kind: OperationKind,
    options: Value,
    times: Times,
}

impl Read {
    fn change(
        &self,
        actor: &Actor,
        tenant: TenantId,
        spread: u32,
        now: Timestamp,
    ) -> Result<ScheduleChange, EngineError> {
        let offset_ms = offset(tenant, &self.name, spread);
        let due = next_due(&self.times, offset_ms, now)?;
        Ok(ScheduleChange {
            name: self.name.clone(),
            resource: self.kind.resource.to_owned(),
            action: self.kind.action.to_owned(),
            options: self.options.clone(),
            cron: self.times.pattern(),
            zone: self.times.zone_name(),
            spread_minutes: spread,
            offset_ms,
            created_by: actor.user_id,
            creator: actor.name.clone(),
            period_ms: self.times.period(now),
            due_at: due.at,
            due_local: due.local_minute(),
        })
    }

    fn facts(&self) -> Value {
        json!({
            "name": self.name, "operation": self.kind.to_string(), "cron": self.times.pattern(),
            "zone": self.times.zone_name(), "options": self.options,
        })
    }
}

/// The same of a schedule that is there.
fn facts_of(known: &Schedule) -> Value {
    json!({
        "name": known.name, "operation": format!("{}.{}", known.resource, known.action), "cron": known.cron,
        "zone": known.zone, "options": known.options,
    })
}

/// When a schedule is due next that starts so many milliseconds after the times of its pattern.
fn next_due(times: &Times, offset_ms: i64, now: Timestamp) -> Result<Due, EngineError> {
    let due = times.next(later(now, -offset_ms));
    let due = due.ok_or_else(|| EngineError::invalid("cron", "must name a time that comes"))?;
    Ok(Due { at: later(due.at, offset_ms), ..due })
}

/// How long after the times of the pattern the schedule of a tenant starts: the same whenever it is made, spread evenly.
pub(super) fn offset(tenant: TenantId, name: &str, spread_minutes: u32) -> i64 {
    let spread = u64::from(spread_minutes) * 60;
    if spread == 0 {
        return 0;
    }
    let digest = Sha256::digest(format!("{tenant} {name}"));
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    i64::try_from(number % spread).unwrap_or_default() * 1_000
}

fn entry(action: AuditAction, tenant: TenantId, schedule: ScheduleId) -> AuditEntry {
    AuditEntry::new(action, "schedule", schedule).of(tenant)
}

fn right(tenant: TenantId) -> Right {
    Right::Tenant(tenant, Action::EditSchedules)
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict("the tenant has a schedule of this name already: choose another name".to_owned())
    } else {
        error.into()
    }
}

impl Engine {
    /// The operations that a schedule can start, with their words.
    #[must_use]
    pub fn schedulable(&self) -> Vec<(OperationKind, String)> {
        work::schedulable(self.runs().operations())
    }

    fn read_schedule(&self, spec: &ScheduleSpec) -> Result<Read, EngineError> {
        let name = typed_name::checked(&spec.name, LONGEST_NAME)?;
        let kind = work::checked(self.runs().operations(), &spec.operation, &spec.options)?;
        let times = Times::checked(&spec.cron, &spec.zone, self.now())?;
        let options = serde_json::to_value(&spec.options).map_err(|error| EngineError::Internal(error.to_string()))?;
        Ok(Read { name, kind, options, times })
    }

    /// The same for somebody who may change the schedules of a tenant and start this themselves.
    async fn ready_schedule(&self, actor: &Actor, tenant: TenantId, spec: &ScheduleSpec) -> Result<Read, EngineError> {
        self.authorise(actor, tenant, Action::EditSchedules).await?;
        let read = self.read_schedule(spec)?;
        self.may_start(actor, tenant, read.kind).await?;
        Ok(read)
    }

    /// Refuses what the actor may not start themselves. Whoever answers for a schedule is asked again at each of its times.
    async fn may_start(&self, actor: &Actor, tenant: TenantId, kind: OperationKind) -> Result<(), EngineError> {
        self.authorise(actor, tenant, Action::EditSchedules).await?;
        if actor.token.is_some() && actor.user_id.is_none() {
            let words = "nobody answers for what a token of a tenant would have started: add, change and resume schedules with the token of a person";
            return Err(EngineError::Conflict(words.to_owned()));
        }
        let permission = self.runs().operations().permission(kind.resource, kind.action);
        match self.authorise(actor, tenant, permission.unwrap_or(Action::ManageMembers)).await {
            Err(EngineError::Forbidden) => {
                let words =
                    format!("must be one that you may start yourself: your role in this tenant does not allow {kind}");
                Err(EngineError::invalid("operation", words))
            }
            answer => answer,
        }
    }

    /// Adds a schedule to a tenant.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for `name`, `operation`, `options`, `types`, `cron` or `zone`, [`EngineError::Selection`],
    /// [`EngineError::Conflict`] when the name is taken or there are too many, [`EngineError::NotFound`] and
    /// [`EngineError::Forbidden`] by the actor's role.
    pub async fn add_schedule(
        &self,
        actor: &Actor,
        tenant: TenantId,
        spec: &ScheduleSpec,
    ) -> Result<ScheduleId, EngineError> {
        self.add_schedule_of(actor, tenant, spec, (None, 0)).await
    }

    /// Adds a schedule to each of these tenants, of at most [`MOST_TENANTS_AT_ONCE`]. They start at different times, each always
    /// at the same, within so many minutes after the times of the pattern. What one tenant refuses is done in the others.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for `tenants`, `spread` and those of [`Engine::add_schedule`], before anything is added; when the
    /// database fails, and then what was added before stays.
    pub async fn add_schedule_to_many(
        &self,
        actor: &Actor,
        tenants: &[TenantId],
        spec: &ScheduleSpec,
        spread_minutes: u32,
    ) -> Result<ForMany, EngineError> {
        if tenants.is_empty() || tenants.len() > MOST_TENANTS_AT_ONCE {
            let words = format!("must be 1 to {MOST_TENANTS_AT_ONCE} tenants");
            return Err(EngineError::invalid("tenants", words));
        }
        if spread_minutes > LONGEST_SPREAD {
            return Err(EngineError::invalid("spread", format!("must be 0 to {LONGEST_SPREAD} minutes")));
        }
        self.read_schedule(spec)?;
        self.core.commands.begin_many(actor).await?;
        let group = Uuid::now_v7();
        let mut outcome = ForMany { added: Vec::new(), refused: Vec::new() };
        for tenant in tenants {
            match self.add_schedule_of(actor, *tenant, spec, (Some(group), spread_minutes)).await {
                Ok(id) => outcome.added.push((*tenant, id)),
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
                Err(error) => outcome.refused.push((*tenant, error)),
            }
        }
        Ok(outcome)
    }

    async fn add_schedule_of(
        &self,
        actor: &Actor,
        tenant: TenantId,
        spec: &ScheduleSpec,
        (group_id, spread): (Option<Uuid>, u32),
    ) -> Result<ScheduleId, EngineError> {
        let id = ScheduleId::from_uuid(Uuid::now_v7());
        let entry = entry(AuditAction::ScheduleAdded, tenant, id);
        let ready = self.ready_schedule(actor, tenant, spec);
        let read = self.core.commands.before(actor, &entry, ready).await?;
        let entry = entry.with(read.facts());
        self.core
            .execute(Command::new(actor, right(tenant), entry).of_many(group_id.is_some()), async |tx, _| {
                let now = self.core.commands.clock.now();
                if schedules::count(&mut *tx, tenant).await? >= MOST_SCHEDULES {
                    let words = format!("the tenant has {MOST_SCHEDULES} schedules already: remove one first");
                    return Err(EngineError::Conflict(words));
                }
                let what = read.change(actor, tenant, spread, now)?;
                schedules::add(tx, &NewSchedule { id, tenant_id: tenant, group_id, what }, now).await.map_err(taken)?;
                Ok(id)
            })
            .await
    }

    /// Changes what a schedule starts and when. Whoever changes it answers for it from then on; what it stopped for is forgotten,
    /// one that is paused stays so, and what is under way goes on as it was started. `revision` is the one that was seen.
    ///
    /// # Errors
    /// Those of [`Engine::add_schedule`]; [`EngineError::NotFound`] for the schedule; [`EngineError::Conflict`] when it was changed
    /// since it was seen.
    pub async fn change_schedule(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: ScheduleId,
        revision: u32,
        spec: &ScheduleSpec,
    ) -> Result<(), EngineError> {
        let entry = entry(AuditAction::ScheduleChanged, tenant, id);
        let ready = self.ready_schedule(actor, tenant, spec);
        let read = self.core.commands.before(actor, &entry, ready).await?;
        let tried = entry.clone().with(json!({ "name": read.name, "after": read.facts() }));
        self.core
            .execute(Command::new(actor, right(tenant), tried), async |tx, log| {
                let now = self.core.commands.clock.now();
                let known = schedules::get(&mut *tx, tenant, id).await?.ok_or(EngineError::NotFound("the schedule"))?;
                let what = read.change(actor, tenant, known.spread_minutes, now)?;
                if !schedules::change(tx, (tenant, id, revision), &what, now).await.map_err(taken)? {
                    return Err(EngineError::Conflict(CHANGED_MEANWHILE.to_owned()));
                }
                let facts = json!({ "name": known.name, "before": facts_of(&known), "after": read.facts() });
                log.replace(entry.with(facts));
                Ok(())
            })
            .await
    }

    /// Pauses a schedule. One that is paused stays so.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`].
    pub async fn pause_schedule(&self, actor: &Actor, tenant: TenantId, id: ScheduleId) -> Result<(), EngineError> {
        let entry = entry(AuditAction::SchedulePaused, tenant, id);
        self.core
            .execute(Command::new(actor, right(tenant), entry.clone()), async |tx, log| {
                let known = schedules::get(&mut *tx, tenant, id).await?.ok_or(EngineError::NotFound("the schedule"))?;
                if schedules::pause(tx, tenant, id, self.core.commands.clock.now()).await? {
                    log.replace(entry.with(json!({ "name": known.name })));
                } else {
                    log.unchanged();
                }
                Ok(())
            })
            .await
    }

    /// Lets a schedule that is paused or has stopped go on at its next time, with the rights of the actor. Times that passed
    /// meanwhile are not caught up.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`]; [`EngineError::Invalid`] when the actor may not start what it
    /// starts, or it names no time any more.
    pub async fn resume_schedule(&self, actor: &Actor, tenant: TenantId, id: ScheduleId) -> Result<(), EngineError> {
        let entry = entry(AuditAction::ScheduleResumed, tenant, id);
        let ready = async {
            self.authorise(actor, tenant, Action::EditSchedules).await?;
            let known = schedules::get(self.reader(), tenant, id).await?;
            let known = known.ok_or(EngineError::NotFound("the schedule"))?;
            let name = format!("{}.{}", known.resource, known.action);
            let kind = work::checked(self.runs().operations(), &name, &ScheduleOptions::default())?;
            self.may_start(actor, tenant, kind).await
        };
        self.core.commands.before(actor, &entry, ready).await?;
        self.core
            .execute(Command::new(actor, right(tenant), entry.clone()), async |tx, log| {
                let now = self.core.commands.clock.now();
                let known = schedules::get(&mut *tx, tenant, id).await?.ok_or(EngineError::NotFound("the schedule"))?;
                let times = Times::read(&known.cron, &known.zone)?;
                let due = next_due(&times, known.offset_ms, now)?;
                let (at, local) = (due.at, due.local_minute());
                let owner = (actor.user_id, actor.name.as_str());
                if schedules::resume(tx, (tenant, id), (at, &local), owner, now).await? {
                    log.replace(entry.with(json!({ "name": known.name })));
                } else {
                    log.unchanged();
                }
                Ok(())
            })
            .await
    }

    /// Removes a schedule. Runs that it started stay.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`].
    pub async fn remove_schedule(&self, actor: &Actor, tenant: TenantId, id: ScheduleId) -> Result<(), EngineError> {
        let entry = entry(AuditAction::ScheduleRemoved, tenant, id);
        self.core
            .execute(Command::new(actor, right(tenant), entry.clone()), async |tx, log| {
                let known = schedules::get(&mut *tx, tenant, id).await?.ok_or(EngineError::NotFound("the schedule"))?;
                schedules::remove(tx, tenant, id).await?;
                log.replace(entry.with(json!({ "name": known.name })));
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_of_many_tenants_are_spread_and_stay_where_they_are() {
        let tenants: Vec<TenantId> = (0..600_u128).map(|number| Uuid::from_u128(number).into()).collect();
        let offsets: Vec<i64> = tenants.iter().map(|tenant| offset(*tenant, "Nightly", 60)).collect();
        assert_eq!(offsets, tenants.iter().map(|tenant| offset(*tenant, "Nightly", 60)).collect::<Vec<_>>());
        assert!(offsets.iter().all(|offset| (0..3_600_000).contains(offset)));
        for sixth in 0..6 {
            let within = offsets.iter().filter(|offset| **offset / 600_000 == sixth).count();
            assert!((60..150).contains(&within), "ten minutes hold {within} of 600 tenants");
        }
        assert_eq!(offset(tenants[0], "Nightly", 0), 0);
    }
}
