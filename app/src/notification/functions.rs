//! Notifications of a person, as they are reached from a tenant.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use super::model::NotificationPage;
use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::NotificationId;
#[cfg(feature = "ssr")]
use {
    super::load,
    crate::{access::Rule, redirect::go_to, scope},
    tenantatlas_domain::role::Action,
};

/// The newest ones, for the drawer. They are those of all tenants of the person, as the bell counts them.
///
/// # Errors
/// Signed out, not found; when the database fails.
#[server(prefix = "/api", endpoint = "notifications", input = Json)]
pub async fn notifications() -> Result<NotificationPage, AppError> {
    load::newest(&scope::acting(Action::View)?).await
}
rule!(Notifications, Rule::Member(Action::View));

/// Marks one as read.
///
/// # Errors
/// Signed out, not found; when the database fails.
#[server(prefix = "/api", endpoint = "mark_read")]
pub async fn mark_read(notification: NotificationId) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.runs().mark_read(inside.session.user_id, notification).await?;
    go_to(&inside.address().notifications());
    Ok(())
}
rule!(MarkRead, Rule::Member(Action::View));

/// Marks all of the person as read, over all their tenants: the bell counts them together.
///
/// # Errors
/// Signed out, not found; when the database fails.
#[server(prefix = "/api", endpoint = "mark_all_read")]
pub async fn mark_all_read() -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.runs().mark_all_read(inside.session.user_id, None).await?;
    go_to(&inside.address().notifications());
    Ok(())
}
rule!(MarkAllRead, Rule::Member(Action::View));
