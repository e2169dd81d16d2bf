//! Lists of runs by what is asked for. What is asked for stands in the two indexes that have the order of
//! a page (`…_by_tenant`, `…_by_age`), so that no row is read but those of the page.

use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::OperationRun;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::Name;
use crate::sql::{Statement, args};

/// The longest page.
const MAX_PAGE: u32 = 500;
/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this tenant. `None` without `tenant_ids` and `seen_by` is for the command line: who looks from the web names one
    /// of the three.
    pub tenant_id: Option<TenantId>,
    /// Only of these tenants.
    pub tenant_ids: Option<Vec<TenantId>>,
    /// Only of tenants that exist for this person.
    pub seen_by: Option<UserId>,
    /// Only these.
    pub ids: Option<Vec<OperationRunId>>,
    /// Only of this operation: resource and action.
    pub operation: Option<(String, String)>,
    /// Only in these states; all when empty.
    pub statuses: Vec<OperationStatus>,
    /// Only started by this person.
    pub user_id: Option<UserId>,
    /// Only (`true`) or not (`false`) started by a person.
    pub by_person: Option<bool>,
    /// Only (`true`) or not (`false`) started by a schedule, or following a run that was.
    pub by_schedule: Option<bool>,
    /// Only started with a token of the API.
    pub by_token: bool,
    /// Only started by this schedule, or following a run that was.
    pub schedule_id: Option<ScheduleId>,
    /// Only started with this token.
    pub token_id: Option<Uuid>,
    /// Only those of which something was not done for this reason, or that ended for it.
    pub reason: Option<ReasonCode>,
    /// Only dispatched at this time or later.
    pub from: Option<Timestamp>,
    /// Only dispatched before this time.
    pub until: Option<Timestamp>,
    /// Only those that were started after the good end of this run.
    pub follows: Option<OperationRunId>,
    /// Only those dispatched before this one.
    pub before: Option<(Timestamp, OperationRunId)>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

/// The tenants that exist for the person `$1`, as a condition. Neither part depends on a run, so each is asked once.
const SEEN_BY: &str = " AND (
    EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.platform_admin = TRUE AND u.disabled_at IS NULL)
    OR tenant_id IN (
        SELECT m.tenant_id
        FROM tenant_members m
        JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL
        WHERE m.user_id = $1))
    AND tenant_id NOT IN (SELECT t.id FROM tenants t WHERE t.removed_at IS NOT NULL)";

impl Filter {
    /// Whether what is asked for, but for states and the place of a page, is what ended runs are counted by.
    pub(super) fn asks_for_tenants_and_operation_alone(&self) -> bool {
        let Self {
            tenant_id: _,
            tenant_ids: _,
            seen_by: _,
            operation: _,
            statuses: _,
            before: _,
            limit: _,
            ids,
            user_id,
            by_person,
            by_schedule,
            by_token,
            schedule_id,
            token_id,
            reason,
            from,
            until,
            follows,
        } = self;
        let any_run = ids.is_none() && follows.is_none();
        let by_anybody = user_id.is_none() && by_person.is_none() && by_schedule.is_none() && !by_token;
        let by_anybody = by_anybody && schedule_id.is_none() && token_id.is_none();
        any_run && by_anybody && reason.is_none() && from.is_none() && until.is_none()
    }

    /// The conditions of all but the state.
    pub(super) fn conditions(&self, statement: &mut Statement) {
        if let Some(tenant) = self.tenant_id {
            statement.push(" AND tenant_id = $1", args![tenant]);
        }
        if let Some(tenants) = &self.tenant_ids {
            statement.push_in(" AND tenant_id", tenants);
        }
        if let Some(person) = self.seen_by {
            statement.push(SEEN_BY, args![person]);
        }
        if let Some(ids) = &self.ids {
            statement.push_in(" AND id", ids);
        }
        if let Some((resource, action)) = &self.operation {
            statement.push(" AND resource = $1 AND action = $2", args![resource.clone(), action.clone()]);
        }
        if let Some(user) = self.user_id {
            statement.push(" AND user_id = $1", args![user]);
        }
        match self.by_person {
            Some(true) => drop(statement.push(" AND user_id IS NOT NULL", [])),
            Some(false) => drop(statement.push(" AND user_id IS NULL", [])),
            None => {}
        }
        match self.by_schedule {
            Some(true) => drop(statement.push(" AND schedule_id IS NOT NULL", [])),
            Some(false) => drop(statement.push(" AND schedule_id IS NULL", [])),
            None => {}
        }
        if self.by_token {
            statement.push(" AND token_id IS NOT NULL", []);
        }
        if let Some(schedule) = self.schedule_id {
            statement.push(" AND schedule_id = $1", args![schedule]);
        }
        if let Some(token) = self.token_id {
            statement.push(" AND token_id = $1", args![token]);
        }
        if let Some(reason) = self.reason {
            // The first part is what the indexes of runs with reasons hold.
            statement.push(" AND reasons <> '' AND reasons LIKE $1", args![format!("%,{},%", reason.as_str())]);
        }
        if let Some(from) = self.from {
            statement.push(" AND created_at >= $1", args![from]);
        }
        if let Some(until) = self.until {
            statement.push(" AND created_at < $1", args![until]);
        }
        if let Some(run) = self.follows {
            statement.push(" AND follows = $1", args![run]);
        }
    }

    fn states(&self, statement: &mut Statement) {
        if !self.statuses.is_empty() {
            let names: Vec<&'static str> = self.statuses.iter().map(|status| status.as_str()).collect();
            statement.push_in(" AND status", &names);
        }
    }
}

/// Runs, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, filter: &Filter) -> Result<Vec<OperationRun>, StoreError> {
    on.query(&list_statement(filter)).await
}

pub(super) fn list_statement(filter: &Filter) -> Statement {
    let mut statement = Statement::new(
        "SELECT * FROM bulk_operation_runs WHERE id IN (
             SELECT id FROM (SELECT id FROM bulk_operation_runs WHERE 1 = 1",
    );
    filter.conditions(&mut statement);
    filter.states(&mut statement);
    if let Some((at, id)) = filter.before {
        statement.push(" AND (created_at, id) < ($1, $2)", args![at, id]);
    }
    statement.push(
        " ORDER BY created_at DESC, id DESC LIMIT $1) page) ORDER BY created_at DESC, id DESC",
        args![filter.limit.clamp(1, MAX_PAGE)],
    );
    statement
}

/// Who or what started runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StartedBy {
    /// A person.
    Person(UserId),
    /// A schedule, with what followed.
    Schedule(ScheduleId),
    /// A token of the API.
    Token(Uuid),
}

/// Who or what started runs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiator {
    /// Which one.
    pub by: StartedBy,
    /// One of the names they had then.
    pub name: String,
}

#[derive(FromRow)]
struct Found {
    user_id: Option<Uuid>,
    schedule_id: Option<Uuid>,
    token_id: Option<Uuid>,
    #[sqlx(try_from = "Name")]
    name: String,
}

/// Runs that are looked at for who started them.
const RUNS_OF_INITIATORS: u32 = 1_000;

/// The people, schedules and tokens that started the newest thousand runs of the tenants that the filter names, by name.
///
/// # Errors
/// When the database fails.
pub async fn initiators(mut on: impl Access, filter: &Filter) -> Result<Vec<Initiator>, StoreError> {
    let of = Filter { tenant_id: filter.tenant_id, seen_by: filter.seen_by, ..Filter::default() };
    let mut statement = Statement::new(
        "SELECT user_id, schedule_id, token_id, MAX(initiator) AS name
         FROM (SELECT user_id, schedule_id, token_id, initiator FROM bulk_operation_runs WHERE 1 = 1",
    );
    of.conditions(&mut statement);
    statement.push(
        " ORDER BY created_at DESC, id DESC LIMIT $1) newest
         WHERE user_id IS NOT NULL OR schedule_id IS NOT NULL OR token_id IS NOT NULL
         GROUP BY user_id, schedule_id, token_id
         ORDER BY MAX(initiator), user_id, schedule_id, token_id",
        args![RUNS_OF_INITIATORS],
    );
    let found: Vec<Found> = on.query(&statement).await?;
    let read = |one: Found| {
        let by = match (one.schedule_id, one.token_id, one.user_id) {
            (Some(schedule), ..) => StartedBy::Schedule(ScheduleId::from_uuid(schedule)),
            (None, Some(token), _) => StartedBy::Token(token),
            (None, None, Some(user)) => StartedBy::Person(UserId::from_uuid(user)),
            (None, None, None) => return None,
        };
        Some(Initiator { by, name: one.name })
    };
    Ok(found.into_iter().filter_map(read).collect())
}
