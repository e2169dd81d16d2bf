//! Notifications of a person, on whatever page they are.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::NotificationId;

use super::model::NotificationPage;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load,
    crate::{access::Rule, address, redirect::go_to, scope},
};

/// The newest ones, for the drawer: those of all tenants of the person, as the bell counts them.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "notifications", input = Json)]
pub async fn notifications() -> Result<NotificationPage, AppError> {
    load::newest().await
}
rule!(Notifications, Rule::SignedIn);

/// Marks one as read.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "mark_read")]
pub async fn mark_read(notification: NotificationId) -> Result<(), AppError> {
    scope::engine()?.runs().mark_read(scope::session()?.user_id, notification).await?;
    back_to_the_list();
    Ok(())
}
rule!(MarkRead, Rule::SignedIn);

/// Marks those as read that the drawer shows: whoever opens it sees them. Of more than a hundred the rest is left out.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "mark_shown", input = Json)]
pub async fn mark_shown(shown: Vec<NotificationId>) -> Result<(), AppError> {
    let shown = &shown[..shown.len().min(MOST_SHOWN)];
    scope::engine()?.runs().mark_these_read(scope::session()?.user_id, shown).await?;
    Ok(())
}
rule!(MarkShown, Rule::SignedIn);

/// Marks all of the person as read, over all their tenants: the bell counts them together.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "mark_all_read")]
pub async fn mark_all_read() -> Result<(), AppError> {
    scope::engine()?.runs().mark_all_read(scope::session()?.user_id, None).await?;
    back_to_the_list();
    Ok(())
}
rule!(MarkAllRead, Rule::SignedIn);

/// Notifications that are marked as read at once, at most.
#[cfg(feature = "ssr")]
const MOST_SHOWN: usize = 100;

/// Leads a form to the page it came from: that of the tenant, or the one outside of any.
#[cfg(feature = "ssr")]
fn back_to_the_list() {
    go_to(&address::notifications(scope::inside().ok().map(|inside| inside.id())));
}
