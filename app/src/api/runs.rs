//! Operation runs: start, watch, cancel, retry.

use crate::error::AppError;
use crate::model::{Picker, RunState, StartedSync};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::OperationRunId;

/// Starts an inventory sync of a selection, or answers with the run that reads the same selection already.
#[server(prefix = "/api", endpoint = "start_sync")]
pub async fn start_sync(
    #[server(default)] policy_types: Vec<String>,
    #[server(default)] include_foundations: bool,
    #[server(default)] include_dependencies: bool,
) -> Result<StartedSync, AppError> {
    crate::service::runs::start_sync(policy_types, include_foundations, include_dependencies).await
}

/// Asks a run to stop.
#[server(prefix = "/api", endpoint = "cancel_run")]
pub async fn cancel_run(run: OperationRunId) -> Result<(), AppError> {
    crate::service::runs::cancel(run).await
}

/// Starts an ended run again: the whole of it, or only what failed.
#[server(prefix = "/api", endpoint = "retry_run")]
pub async fn retry_run(run: OperationRunId, #[server(default)] only_failed: bool) -> Result<(), AppError> {
    crate::service::runs::retry(run, only_failed).await
}

/// The state of one run now.
#[server(prefix = "/api", endpoint = "load_run", input = Json)]
pub async fn load_run(run: OperationRunId) -> Result<RunState, AppError> {
    crate::service::runs::state(run).await
}

/// What the type picker shows in a tenant.
#[server(prefix = "/api", endpoint = "picker", input = Json)]
pub async fn load_picker() -> Result<Picker, AppError> {
    crate::service::picker::load(String::new()).await
}
