//! What a person does with the list of items.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load::picked,
    crate::{
        access::Rule,
        done::Done,
        filter::{ListFilter as _, inventory::InventoryFilter, read_query},
        redirect::{go_to, go_to_with},
        scope::{self, Inside},
    },
    std::collections::BTreeSet,
    tenantatlas_domain::item_column::ItemColumn,
    tenantatlas_domain::role::Action,
    tenantatlas_domain::selection::Selection,
    tenantatlas_engine::CaptureOf,
    uuid::Uuid,
};

/// The list that a form was sent from, by the parameters of its address.
#[cfg(feature = "ssr")]
fn back(inside: &Inside, query: &str) -> String {
    read_query::<InventoryFilter>(query).address(&inside.address().inventory())
}

#[cfg(feature = "ssr")]
fn id_of(view: &str) -> Result<Uuid, AppError> {
    view.parse().map_err(|_| AppError::not_found("The saved view"))
}

/// Keeps which columns of the list the person sees. Names that are no column are left out.
///
/// # Errors
/// Not found when the tenant does not exist for this person.
#[server(prefix = "/api", endpoint = "set_columns")]
pub async fn set_columns(
    #[server(default)] columns: Vec<String>,
    #[server(default)] query: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    let columns: Vec<ItemColumn> = columns.iter().filter_map(|name| name.parse().ok()).collect();
    inside.engine.set_item_columns(&inside.session.actor(), &columns).await?;
    go_to(&back(&inside, &query));
    Ok(())
}
rule!(SetColumns, Rule::Member(Action::View));

/// Keeps the filter of an address under a name.
///
/// # Errors
/// A name that is not acceptable or taken; too many views.
#[server(prefix = "/api", endpoint = "save_view")]
pub async fn save_view(name: String, #[server(default)] query: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    let filter = read_query::<InventoryFilter>(&query).first_page();
    inside.engine.save_view(&inside.session.actor(), inside.id(), &name, &filter.query_text()).await?;
    go_to_with(&filter.address(&inside.address().inventory()), Done::ViewSaved);
    Ok(())
}
rule!(SaveView, Rule::Member(Action::View));

/// Gives a saved view another name.
///
/// # Errors
/// A name that is not acceptable or taken; not found when the person has no such view.
#[server(prefix = "/api", endpoint = "rename_view")]
pub async fn rename_view(view: String, name: String, #[server(default)] query: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.rename_view(&inside.session.actor(), inside.id(), id_of(&view)?, &name).await?;
    go_to_with(&back(&inside, &query), Done::ViewSaved);
    Ok(())
}
rule!(RenameView, Rule::Member(Action::View));

/// Deletes a saved view.
///
/// # Errors
/// Not found when the person has no such view.
#[server(prefix = "/api", endpoint = "remove_view")]
pub async fn remove_view(view: String, #[server(default)] query: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.remove_view(&inside.session.actor(), inside.id(), id_of(&view)?).await?;
    go_to_with(&back(&inside, &query), Done::ViewDeleted);
    Ok(())
}
rule!(RemoveView, Rule::Member(Action::View));

/// Starts a sync of the types of the items that were picked, and leads to its run.
///
/// # Errors
/// Forbidden below operator; when no item was picked, or none of them exists.
#[server(prefix = "/api", endpoint = "sync_items")]
pub async fn sync_items(#[server(default)] items: Vec<String>) -> Result<(), AppError> {
    let inside = scope::acting(Action::Sync)?;
    let rows = picked(&inside, None, items.iter().map(String::as_str)).await?;
    let types: BTreeSet<String> = rows.into_iter().map(|row| row.item.policy_type).collect();
    let selection = Selection {
        policy_types: types.into_iter().collect(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: true,
    };
    let started = inside.engine.dispatch_sync(&inside.session.actor(), inside.id(), &selection).await?;
    go_to_with(&inside.address().run(started.run_id), started.already_running.then_some(Done::AlreadyRunning));
    Ok(())
}
rule!(SyncItems, Rule::Member(Action::Sync));

/// Starts a capture of the items that were picked, and leads to its run.
///
/// # Errors
/// Forbidden below operator; when no item was picked, or none of them exists.
#[server(prefix = "/api", endpoint = "capture_items")]
pub async fn capture_items(#[server(default)] items: Vec<String>) -> Result<(), AppError> {
    let inside = scope::acting(Action::Capture)?;
    let rows = picked(&inside, None, items.iter().map(String::as_str)).await?;
    let what = rows.into_iter().map(|row| (row.item.policy_type, row.item.external_id)).collect();
    let actor = inside.session.actor();
    let started = inside.engine.dispatch_capture(&actor, inside.id(), &CaptureOf::Items(what), false).await?;
    go_to_with(&inside.address().run(started.run_id), started.already_running.then_some(Done::AlreadyRunning));
    Ok(())
}
rule!(CaptureItems, Rule::Member(Action::Capture));

/// Starts a reading of the audit logs of Microsoft, from where the last one ended, and leads to its run.
///
/// # Errors
/// Forbidden below operator.
#[server(prefix = "/api", endpoint = "read_audit_events")]
pub async fn read_audit_events() -> Result<(), AppError> {
    let inside = scope::acting(Action::Sync)?;
    let started = inside.engine.read_audit_events(&inside.session.actor(), inside.id()).await?;
    let already = started.already_running.then_some(Done::AlreadyRunning);
    go_to_with(&inside.address().run(started.state.id), already);
    Ok(())
}
rule!(ReadAuditEvents, Rule::Member(Action::Sync));
