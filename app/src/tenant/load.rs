//! Tenants as screens show them.

use std::cmp::Ordering;

use tenantatlas_domain::operation::FailureKind;
use tenantatlas_domain::registry::registry;
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::tenants::{Environment as StoredEnvironment, NearTenant, VisibleTenant};
use tenantatlas_store::{permissions, sync_runs};

use super::model::{Environment, TenantEntry};
use crate::error::AppError;
use crate::scope::Inside;

/// A tenant in the switcher.
#[must_use]
pub fn entry(visible: &VisibleTenant) -> TenantEntry {
    TenantEntry {
        id: visible.tenant.id,
        name: visible.tenant.name.clone(),
        environment: environment(visible.tenant.environment),
        favourite: visible.favourite,
    }
}

/// A tenant at hand in the switcher.
#[must_use]
pub fn near_entry(near: NearTenant) -> TenantEntry {
    TenantEntry { id: near.id, name: near.name, environment: environment(near.environment), favourite: near.favourite }
}

/// The environment as screens know it.
#[must_use]
pub fn environment(stored: StoredEnvironment) -> Environment {
    Environment::ALL.into_iter().find(|one| one.as_str() == stored.as_str()).unwrap_or_default()
}

/// A permission that the last connection test found missing.
#[derive(Debug, Clone)]
pub struct MissingPermission {
    /// Its name at Microsoft Graph.
    pub permission: String,
    /// The labels of the types that need it.
    pub types: Vec<&'static str>,
}

/// One check of a connection, as far as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It passed.
    Done,
    /// It failed.
    Failed,
    /// It could not be made.
    Skipped,
    /// It is being made.
    Current,
    /// Its turn has not come.
    Waiting,
}

/// What is known of the checks of a connection.
#[derive(Debug, Clone)]
pub struct Checks {
    /// The steps of a check that has not ended; empty when none is under way.
    pub steps: Vec<(String, Step)>,
    /// The permissions that the last one found missing.
    pub missing: Vec<MissingPermission>,
    /// The permissions that it looked for.
    pub checked: usize,
    /// Whether no sync of the tenant has been started yet.
    pub never_synced: bool,
}

impl Checks {
    /// Whether a check has not ended.
    #[must_use]
    pub fn under_way(&self) -> bool {
        !self.steps.is_empty()
    }
}

/// The checks of the tenant's connection.
///
/// # Errors
/// When the database fails.
pub async fn checks(inside: &Inside) -> Result<Checks, AppError> {
    let db = inside.engine.reader();
    let runs = operation_runs::active(db, Some(inside.id()), None).await?;
    let check = runs.iter().find(|run| (run.resource.as_str(), run.action.as_str()) == ("tenants", "check"));
    let steps = check.map(|run| steps(inside, run)).unwrap_or_default();
    let (missing, checked) = missing_permissions(inside).await?;
    let newest = sync_runs::Filter { limit: 1, ..sync_runs::Filter::default() };
    let never_synced = sync_runs::list(db, inside.id(), &newest).await?.is_empty()
        && !runs.iter().any(|run| run.resource == "inventory");
    Ok(Checks { steps, missing, checked, never_synced })
}

/// The units of a check end in the order in which its run names them.
fn steps(inside: &Inside, run: &OperationRun) -> Vec<(String, Step)> {
    let done = usize::try_from(run.counters.processed).unwrap_or(usize::MAX);
    let step = |index: usize, unit: &String| match index.cmp(&done) {
        Ordering::Greater => Step::Waiting,
        Ordering::Equal => Step::Current,
        Ordering::Less => match run.failures.iter().find(|failure| failure.item_id.as_ref() == Some(unit)) {
            None => Step::Done,
            Some(failure) if failure.kind == FailureKind::Skipped => Step::Skipped,
            Some(_) => Step::Failed,
        },
    };
    let operations = inside.engine.runs().operations();
    let label = |unit: &str| operations.unit_label(&run.resource, &run.action, unit);
    run.item_ids.iter().enumerate().map(|(index, unit)| (label(unit), step(index, unit))).collect()
}

/// What the last connection test found missing, and when it looked at how many permissions.
///
/// # Errors
/// When the database fails.
async fn missing_permissions(inside: &Inside) -> Result<(Vec<MissingPermission>, usize), AppError> {
    let known = permissions::list(inside.engine.reader(), inside.id()).await?;
    let checked = known.len();
    let missing = known
        .into_iter()
        .filter(|permission| !permission.granted)
        .map(|permission| MissingPermission {
            types: permission.required_by.iter().filter_map(|key| registry().get(key)).map(|one| one.label).collect(),
            permission: permission.permission,
        })
        .collect();
    Ok((missing, checked))
}
