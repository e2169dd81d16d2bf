//! Tenants as screens show them.

use super::model::{Environment, TenantEntry};
use crate::error::AppError;
use crate::scope::Inside;
use tenantatlas_domain::registry::registry;
use tenantatlas_store::permissions;
use tenantatlas_store::tenants::{Environment as StoredEnvironment, VisibleTenant};

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

/// What the last connection test found missing, and when it looked at how many permissions.
///
/// # Errors
/// When the database fails.
pub async fn missing_permissions(inside: &Inside) -> Result<(Vec<MissingPermission>, usize), AppError> {
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
