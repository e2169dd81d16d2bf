//! What the list of runs shows.

use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::{OperationBucket, OperationStatus};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::Engine;
use tenantatlas_store::operation_runs::{self, Counted, Initiator, OperationRun};
use tenantatlas_store::tenants;

use crate::address;
use crate::error::AppError;
use crate::filter::DAY;
use crate::filter::run::{BUCKETS, RunFilter};
use crate::scope::Inside;
use crate::session::current::CurrentSession;

/// Runs on one page of the list.
const PAGE: u32 = 50;
/// Tenants whose names are suggested.
const MOST_SUGGESTED: usize = 500;

/// Whose runs are listed, for whom.
pub struct Place {
    /// The engine.
    pub engine: Engine,
    /// Who asks.
    pub session: CurrentSession,
    /// The tenant and the person's role in it; none where all tenants of the person are meant.
    pub tenant: Option<(TenantId, Role)>,
    /// The address of the list.
    pub base: String,
}

impl Place {
    /// The list of a tenant.
    #[must_use]
    pub fn of_tenant(inside: &Inside) -> Self {
        let Inside { engine, session, role, .. } = inside.clone();
        Self { engine, session, tenant: Some((inside.id(), role)), base: inside.address().runs() }
    }

    /// The list of all tenants of a person.
    #[must_use]
    pub fn of_person(engine: Engine, session: CurrentSession) -> Self {
        Self { engine, session, tenant: None, base: address::RUNS.to_owned() }
    }

    /// The tenant of the page.
    #[must_use]
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.tenant.map(|(id, _)| id)
    }

    /// What the store is asked for. Which tenants exist for the person is part of the question.
    fn question(&self, filter: &RunFilter, tenant: Option<TenantId>, limit: u32) -> operation_runs::Filter {
        let since = |days: u32| Timestamp::from_millis(self.engine.now().as_millis() - i64::from(days) * DAY);
        operation_runs::Filter {
            tenant_id: self.tenant_id().or(tenant),
            seen_by: Some(self.session.user_id),
            operation: filter.operation.clone(),
            statuses: filter.bucket.map(statuses).unwrap_or_default(),
            user_id: filter.by_whom().0.or_else(|| filter.mine.then_some(self.session.user_id)),
            schedule_id: filter.by_whom().1,
            token_id: filter.by_whom().2,
            by_person: filter.by_person,
            by_schedule: filter.by_schedule.then_some(true),
            by_token: filter.by_token,
            reason: filter.reason,
            from: filter.days.map(since).max(filter.from),
            until: filter.until,
            before: filter.before,
            limit,
            ..operation_runs::Filter::default()
        }
    }
}

fn statuses(bucket: OperationBucket) -> Vec<OperationStatus> {
    OperationStatus::ALL.iter().copied().filter(|status| status.bucket() == bucket).collect()
}

/// A page of runs, newest first, with what stands beside it.
pub struct Hub {
    /// The runs.
    pub runs: Vec<OperationRun>,
    /// Where the next page begins.
    pub next: Option<(Timestamp, OperationRunId)>,
    /// How many fit the filter in each state, whichever state it names.
    pub counted: Counted,
    /// The people who started runs lately.
    pub initiators: Vec<Initiator>,
    /// Names that are suggested for the tenant; empty on the page of one, and where they are too many.
    pub tenants: Vec<String>,
    /// Whether the filter names a tenant that there is none of.
    pub unknown_tenant: bool,
}

impl Hub {
    /// How many of those that fit the filter can be cancelled.
    #[must_use]
    pub fn cancellable(&self, filter: &RunFilter) -> u64 {
        self.count(filter, &CANCELLABLE)
    }

    /// How many of those that fit the filter did not succeed as a whole.
    #[must_use]
    pub fn retryable(&self, filter: &RunFilter) -> u64 {
        self.count(filter, &RETRYABLE)
    }

    fn count(&self, filter: &RunFilter, of: &[OperationBucket]) -> u64 {
        let fits = |bucket: &&OperationBucket| filter.bucket.is_none_or(|wanted| wanted == **bucket);
        of.iter().filter(fits).map(|bucket| self.counted.of(*bucket)).sum()
    }
}

/// What has not ended.
const CANCELLABLE: [OperationBucket; 2] = [OperationBucket::Queued, OperationBucket::Running];
/// What has ended and did not succeed as a whole.
const RETRYABLE: [OperationBucket; 2] = [OperationBucket::PartiallySucceeded, OperationBucket::Failed];

/// A page of the list. Those who started runs are looked up unless they are `known`.
///
/// # Errors
/// When the database fails.
pub async fn load(place: &Place, filter: &RunFilter, known: Option<Vec<Initiator>>) -> Result<Hub, AppError> {
    let db = place.engine.reader();
    let (tenant, names) = tenant_of(place, filter).await?;
    let unknown_tenant = place.tenant.is_none() && !filter.tenant.is_empty() && tenant.is_none();
    if unknown_tenant {
        let (runs, counted, initiators) = (Vec::new(), Counted::default(), Vec::new());
        return Ok(Hub { runs, next: None, counted, initiators, tenants: names, unknown_tenant });
    }
    let question = place.question(filter, tenant, PAGE + 1);
    let initiators = async {
        match known {
            Some(known) => Ok(known),
            None => operation_runs::initiators(db, &question).await,
        }
    };
    let (mut runs, initiators) = futures::try_join!(operation_runs::list(db, &question), initiators)?;
    let counted = match Counted::of_whole_list(&question, &runs) {
        Some(counted) => counted,
        None => operation_runs::count(db, &question).await?,
    };
    let more = runs.len() > PAGE as usize;
    runs.truncate(PAGE as usize);
    let next = runs.last().filter(|_| more).map(|run| (run.created_at, run.id));
    Ok(Hub { runs, next, counted, initiators, tenants: names, unknown_tenant })
}

/// Those who started the newest runs that the filter is about, whoever it names.
///
/// # Errors
/// When the database fails.
pub async fn initiators(place: &Place, filter: &RunFilter) -> Result<Vec<Initiator>, AppError> {
    let (tenant, _) = tenant_of(place, filter).await?;
    let question = place.question(&RunFilter::default(), tenant, 1);
    Ok(operation_runs::initiators(place.engine.reader(), &question).await?)
}

/// The tenant that the filter names, by its name or id, and the names that are suggested.
async fn tenant_of(place: &Place, filter: &RunFilter) -> Result<(Option<TenantId>, Vec<String>), AppError> {
    if place.tenant.is_some() {
        return Ok((None, Vec::new()));
    }
    let visible = tenants::list_visible(place.engine.reader(), place.session.user_id).await?;
    let wanted = filter.tenant.to_lowercase();
    let found = visible.iter().find(|one| {
        !wanted.is_empty() && (one.tenant.name.to_lowercase() == wanted || one.tenant.id.to_string() == wanted)
    });
    let found = found.map(|one| one.tenant.id);
    let names = match visible.len() <= MOST_SUGGESTED {
        true => visible.into_iter().map(|one| one.tenant.name).collect(),
        false => Vec::new(),
    };
    Ok((found, names))
}

/// What is to be done with runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// They are cancelled.
    Cancel,
    /// They are started again.
    Retry,
}

/// The runs that fit the filter now and with which this can be done, the newest `limit` of them, and how many they are.
///
/// # Errors
/// When the filter names a tenant that there is none of, and when the database fails.
pub async fn matching(
    place: &Place,
    filter: &RunFilter,
    deed: Deed,
    limit: u32,
) -> Result<(Vec<OperationRun>, u64), AppError> {
    let (tenant, _) = tenant_of(place, filter).await?;
    if place.tenant.is_none() && !filter.tenant.is_empty() && tenant.is_none() {
        return Err(AppError::invalid("tenant", "There is no tenant of this name: choose one of the list."));
    }
    let of = match deed {
        Deed::Cancel => CANCELLABLE,
        Deed::Retry => RETRYABLE,
    };
    let wanted: Vec<OperationBucket> =
        BUCKETS.into_iter().filter(|one| of.contains(one) && filter.bucket.is_none_or(|two| two == *one)).collect();
    let statuses: Vec<OperationStatus> = wanted.iter().flat_map(|bucket| statuses(*bucket)).collect();
    if statuses.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let first_page = RunFilter { before: None, ..filter.clone() };
    let question = operation_runs::Filter { statuses, ..place.question(&first_page, tenant, limit) };
    let db = place.engine.reader();
    let (runs, counted) =
        futures::try_join!(operation_runs::list(db, &question), operation_runs::count(db, &question))?;
    Ok((runs, wanted.iter().map(|bucket| counted.of(*bucket)).sum()))
}

/// Those of these runs that exist for the person.
///
/// # Errors
/// When the database fails.
pub async fn located(place: &Place, ids: Vec<OperationRunId>) -> Result<Vec<OperationRun>, AppError> {
    let question = operation_runs::Filter {
        tenant_id: place.tenant_id(),
        seen_by: Some(place.session.user_id),
        limit: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        ids: Some(ids),
        ..operation_runs::Filter::default()
    };
    Ok(operation_runs::list(place.engine.reader(), &question).await?)
}
