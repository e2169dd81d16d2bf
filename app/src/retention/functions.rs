//! How long is kept what has ended. Platform administrators only.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{access::Rule, address, done::Done, redirect::go_to_with, scope},
    tenantatlas_store::retention::Retention,
};

/// A number of days as it was typed.
#[cfg(feature = "ssr")]
fn days(field: &'static str, typed: &str) -> Result<u32, AppError> {
    typed.trim().parse().map_err(|_| AppError::invalid(field, "Type a whole number of days, 1 to 3650."))
}

/// Says how long things are kept, in every tenant, in days.
///
/// # Errors
/// Forbidden; what is no number of days from 1 to 3650.
#[server(prefix = "/api", endpoint = "set_retention")]
pub async fn set_retention(
    runs: String,
    notifications: String,
    versions: String,
    deliveries: String,
) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let wanted = Retention {
        run_days: days("runs", &runs)?,
        notification_days: days("notifications", &notifications)?,
        version_days: days("versions", &versions)?,
        delivery_days: days("deliveries", &deliveries)?,
    };
    scope::engine()?.set_retention(&session.actor(), wanted).await?;
    go_to_with(address::RETENTION, Done::RetentionChanged);
    Ok(())
}
rule!(SetRetention, Rule::Administrator);
