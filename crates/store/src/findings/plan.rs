//! What can be compared with what: per type the read that tells of the current run, and the one that is its baseline.

use sqlx::FromRow;
use tenantatlas_domain::drift::{Gap, GapCode};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::sync::TypeOutcome;
use uuid::Uuid;

use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::reader::Readable;
use crate::scopes::{Scope, ScopeId};
use crate::sql::args;
use crate::sync_runs::{self, Filter, SyncRun, TypeRun};

/// A read of a type to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Read {
    /// The run that read it.
    #[sqlx(try_from = "Uuid")]
    pub run_id: SyncRunId,
    /// The number of that run.
    pub seq: i64,
    /// The lowest number among the runs that were under way when that run began: what one below it wrote was there before.
    pub floor_seq: i64,
}

/// A type that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedType {
    /// Its key.
    pub policy_type: String,
    /// The read that it is compared with.
    pub baseline: Read,
    /// The read that tells of it now.
    pub current: Read,
    /// Whether the list changed while it was read now, so that what it did not show may be there.
    pub unsteady: bool,
}

/// Types that are compared with the same reads, and so are walked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The types; never empty.
    pub types: Vec<ComparedType>,
}

impl Group {
    /// The read that all of them are compared with. Another run than that of the comparison may stand in for it.
    #[must_use]
    pub fn baseline(&self) -> Read {
        self.types[0].baseline
    }

    /// The read that tells of all of them now.
    #[must_use]
    pub fn current(&self) -> Read {
        self.types[0].current
    }

    /// One of them by its key.
    #[must_use]
    pub fn find(&self, policy_type: &str) -> Option<&ComparedType> {
        self.types.iter().find(|one| one.policy_type == policy_type)
    }
}

/// A comparison of two runs of a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The scope.
    pub scope: Scope,
    /// The run that is compared with; `None` when there is none yet.
    pub baseline: Option<SyncRun>,
    /// Whether a person chose that run. Objects with open findings are else compared with what they were when these began.
    pub pinned: bool,
    /// The latest completed run of the scope.
    pub current: SyncRun,
    /// What is compared.
    pub groups: Vec<Group>,
    /// What is not.
    pub gaps: Vec<Gap>,
}

impl Plan {
    /// The id of the scope.
    #[must_use]
    pub fn scope_id(&self) -> ScopeId {
        self.scope.id
    }
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No run of the scope has come to its own end.
    #[error("no run of this selection has come to its end yet")]
    NothingRead,
    /// The run that was chosen as baseline cannot be one.
    #[error("the baseline must be a run of the same selection that came to its own end, from before the latest one")]
    NoBaseline,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Plans the comparison of the latest completed run of a scope with the one that is chosen, else with the one that the scope is
/// pinned to, else with the completed run before it. Per type, where that run did not read it to the end, or not steadily, the last earlier one of the scope that did
/// stands in for it.
///
/// # Errors
/// [`PlanError`].
pub async fn plan(
    db: &impl Readable,
    tenant: TenantId,
    scope: &Scope,
    chosen: Option<SyncRunId>,
) -> Result<Plan, PlanError> {
    let db = db.database();
    let latest = scope.latest.ok_or(PlanError::NothingRead)?;
    let current = sync_runs::get(db, tenant, latest.id).await?.ok_or(PlanError::NothingRead)?;
    // The latest run may be the pinned one itself: nothing has come after it yet.
    let chosen = chosen.or(scope.drift_baseline.filter(|pinned| *pinned != latest.id));
    let baseline = match chosen {
        Some(id) => {
            let run = sync_runs::get(db, tenant, id).await?;
            let fits = |run: &SyncRun| run.scope_id == scope.id && run.is_completed() && run.seq < current.seq;
            Some(run.filter(fits).ok_or(PlanError::NoBaseline)?)
        }
        None => {
            let before = Filter { scope: Some(scope.id), completed: true, before_seq: Some(current.seq), limit: 1 };
            sync_runs::list(db, tenant, &before).await?.pop()
        }
    };
    let mut plan = Plan {
        tenant_id: tenant,
        scope: scope.clone(),
        baseline,
        pinned: chosen.is_some(),
        current,
        groups: Vec::new(),
        gaps: Vec::new(),
    };
    for row in sync_runs::list_types(db, tenant, plan.current.id).await? {
        match compared(db, &plan, &row).await? {
            Ok(compared) => plan.add(compared),
            Err(gap) => plan.gaps.push(gap),
        }
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, compared: ComparedType) {
        let same = |group: &&mut Group| (group.baseline(), group.current()) == (compared.baseline, compared.current);
        match self.groups.iter_mut().find(same) {
            Some(group) => group.types.push(compared),
            None => self.groups.push(Group { types: vec![compared] }),
        }
    }
}

async fn compared(mut on: impl Access, plan: &Plan, row: &TypeRun) -> Result<Result<ComparedType, Gap>, StoreError> {
    let gap = |code, reason, message| Gap { policy_type: row.policy_type.clone(), code, reason, message, items: None };
    if row.outcome != Some(TypeOutcome::Succeeded) {
        return Ok(Err(gap(GapCode::NotRead, row.reason_code, row.message.clone())));
    }
    let up_to = plan.baseline.as_ref().map_or(0, |run| run.seq);
    let baseline: Option<Read> = on
        .row(
            "SELECT COALESCE(t.carried_from, t.run_id) AS run_id, t.read_seq AS seq, t.read_floor_seq AS floor_seq
             FROM inventory_sync_run_types t
             WHERE t.scope_id = $1 AND t.policy_type = $2 AND t.seq <= $3 AND t.read_seq < $4 AND t.tenant_id = $5
                 AND t.outcome = 'succeeded' AND t.unsteady = FALSE
             ORDER BY t.seq DESC LIMIT 1",
            &args![plan.scope.id.0, &row.policy_type, up_to, row.read_seq, plan.tenant_id],
        )
        .await?;
    let Some(baseline) = baseline else { return Ok(Err(gap(GapCode::NoBaseline, None, None))) };
    let run_id = row.carried_from.unwrap_or(plan.current.id);
    let current = Read { run_id, seq: row.read_seq, floor_seq: row.read_floor_seq };
    Ok(Ok(ComparedType { policy_type: row.policy_type.clone(), baseline, current, unsteady: row.unsteady }))
}
