//! An inventory sync: choose what is read, and start.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::model::{Picker, StartedSync};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load,
    crate::{access::Rule, redirect::go_to_with, scope},
    tenantatlas_domain::{role::Action, selection::Selection},
};

/// Starts an inventory sync of a selection, or answers with the run that reads the same selection already.
///
/// # Errors
/// Forbidden below operator; a selection that names nothing.
#[server(prefix = "/api", endpoint = "start_sync")]
pub async fn start_sync(
    #[server(default)] policy_types: Vec<String>,
    #[server(default)] include_foundations: bool,
    #[server(default)] include_dependencies: bool,
) -> Result<StartedSync, AppError> {
    let inside = scope::acting(Action::Sync)?;
    let selection = Selection { policy_types, categories: Vec::new(), include_foundations, include_dependencies };
    let outcome = inside.engine.dispatch_sync(&inside.session.actor(), inside.id(), &selection).await?;
    let started = StartedSync {
        run_id: outcome.run_id,
        already_running: outcome.already_running,
        dropped: outcome.dropped.iter().map(|one| format!("{}: {}", one.key, one.reason.sentence())).collect(),
    };
    go_to_with(&inside.address().run(started.run_id), started.done());
    Ok(started)
}
rule!(StartSync, Rule::Member(Action::Sync));

/// What the type picker shows in a tenant.
///
/// # Errors
/// Forbidden below operator; when the database fails.
#[server(prefix = "/api", endpoint = "picker", input = Json)]
pub async fn load_picker() -> Result<Picker, AppError> {
    load::of(&scope::acting(Action::Sync)?, "").await
}
rule!(LoadPicker, Rule::Member(Action::Sync));
