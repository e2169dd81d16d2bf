//! From the sealed parts of a version to its settings.

use tenantatlas_domain::body::put_together;
use tenantatlas_domain::registry::{recipe, registry};
use tenantatlas_domain::settings::Settings;
use tenantatlas_store::policies::{self, TenantKey, Version};
use tenantatlas_store::{Access, StoreError};

/// The settings of a version, not yet named, opened with the key of its tenant; `None` where it is not known any more how bodies
/// of its type are read. What of them somebody may see is for the caller to say.
///
/// # Errors
/// [`StoreError::Sealed`] when a body does not open, or the database fails.
pub(crate) async fn settings_of_version(
    on: impl Access,
    key: &TenantKey,
    version: &Version,
) -> Result<Option<Settings>, StoreError> {
    let Some(policy_type) = registry().get(&version.policy_type) else { return Ok(None) };
    let Some(recipe) = recipe(policy_type) else { return Ok(None) };
    let slots = policies::open_slots(on, key, version.tenant_id, version.id).await?;
    let read = move || {
        let body = put_together(slots.into_iter().map(|slot| (slot.name, slot.value)));
        Settings::of(policy_type, recipe, &body)
    };
    computed(read).await.map(Some)
}

/// Runs a computation away from the threads that wait for the database.
///
/// # Errors
/// [`StoreError::Busy`] when the process stops.
pub(crate) async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down.
            Err(_) => Err(StoreError::Busy),
        },
    }
}
