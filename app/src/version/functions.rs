//! What a person does about versions.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{access::Rule, done::Done, redirect::go_to_with, scope},
    tenantatlas_domain::role::Action,
};

/// Reads the names of settings from Microsoft, and leads to the run.
///
/// # Errors
/// Forbidden below operator; when the tenant has no credential.
#[server(prefix = "/api", endpoint = "refresh_setting_names")]
pub async fn refresh_setting_names() -> Result<(), AppError> {
    let inside = scope::acting(Action::Capture)?;
    let started = inside.engine.refresh_setting_catalog(&inside.session.actor(), inside.id()).await?;
    go_to_with(&inside.address().run(started.state.id), started.already_running.then_some(Done::AlreadyRunning));
    Ok(())
}
rule!(RefreshSettingNames, Rule::Member(Action::Capture));
