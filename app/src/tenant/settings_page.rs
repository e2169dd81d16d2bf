//! How a tenant is connected.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::role::Action;
use tenantatlas_store::tenants::Tenant;

use super::check::check_result;
use super::connection_form::{cloud_label, connection_fields, credential_choice, credential_fields};
use super::functions::{EditConnection, RemoveTenant, RotateCredential, TestConnection};
use super::load::{Checks, checks, environment};
use crate::error::AppError;
use crate::finding::choices::{AFTER_SYNC, after_sync_words};
use crate::frame::view::Section;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::{section_card, styled_section_card};
use crate::ui::drawn::Drawn as _;
use crate::ui::form::field;
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, refusal_note};
use crate::ui::time::moment;

/// The connection and whether it works; managers edit it, platform administrators remove the tenant.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let test_error = refusal::<TestConnection>(&query);
    let edit_error = refusal::<EditConnection>(&query);
    let rotate_error = refusal::<RotateCredential>(&query);
    let remove_error = refusal::<RemoveTenant>(&query);
    tenant_page(Section::Settings, move |inside| async move {
        let checks = checks(&inside).await?;
        let may_edit = inside.role.allows(Action::EditConnection);
        let edit = if may_edit { edit(&inside, edit_error) } else { facts(&inside.tenant) };
        let rotate = may_edit.then(|| rotate(&inside, rotate_error));
        let what = "change where the tenant is connected, replace its credential or remove it";
        let confirm = may_edit.then(|| confirm_note(&inside.session, &inside.address().settings(), what)).flatten();
        let remove = inside.session.platform_admin.then(|| remove(&inside, remove_error));
        let content = view! {
            {done_note(done)}
            {test_error.map(|error| refusal_note(&error))}
            <div class="page-head">
                <div><h1>"Settings"</h1><p class="lead">{inside.tenant.name.clone()}</p></div>
                <div class="actions">
                    {may_edit.then(|| view! { <a class="button" href=inside.address().endpoints()>{Icon::Bell.view()}"Endpoints"</a> })}
                    {may_edit.then(|| view! { <a class="button" href=inside.address().tokens()>"Tokens"</a> })}
                    <a class="button" href=inside.address().members()>{Icon::People.view()}"Members"</a>
                </div>
            </div>
            {connection(&inside, &checks, may_edit)}
            {after_sync(&inside)}
            {confirm}
            <div class="columns">{edit} {rotate}</div>
            {remove}
        }
        .drawn();
        Ok(("Settings".to_owned(), content))
    })
}

fn connection(inside: &Inside, checks: &Checks, may_edit: bool) -> AnyView {
    view! {
        <section class="card" id="connection" aria-labelledby="connection-title">
            <div class="section-head">
                <h2 id="connection-title">"Connection"</h2>
                {may_edit.then(|| check(inside))}
            </div>
            {check_result(inside, checks)}
        </section>
    }
    .drawn()
}

/// What follows each sync is chosen beside what a sync is compared with.
fn after_sync(inside: &Inside) -> AnyView {
    let href = format!("{}#{AFTER_SYNC}", inside.address().findings());
    let words = after_sync_words(inside.tenant.after_sync);
    let link = if inside.role.allows(Action::EditSchedules) { "Choose what follows" } else { "How syncs are compared" };
    section_card("follow", "After a sync", view! { <p>{words}" "<a href=href>{link}</a></p> })
}

fn check(inside: &Inside) -> AnyView {
    let action = inside.address().function::<TestConnection>();
    view! {
        <ActiveForm action class="actions" error=None>
            <label class="check"><input type="checkbox" name="types" value="true" />"Also read the first page of each type"</label>
            <button class="button">{Icon::Turning.view()}"Check the connection"</button>
        </ActiveForm>
    }
    .drawn()
}

fn edit(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<EditConnection>();
    let (tenant, administers) = (inside.tenant.clone(), inside.session.platform_admin);
    section_card(
        "edit",
        "Tenant",
        view! {
            <ActiveForm action class="form" error>
                // Made within the form, whose refusal the fields tell.
                {connection_fields(Some(&tenant), administers)}
                <div class="form-foot"><button class="button primary">"Save"</button></div>
            </ActiveForm>
        },
    )
}

fn facts(tenant: &Tenant) -> AnyView {
    section_card(
        "facts",
        "Tenant",
        view! {
            <dl class="facts">
                <dt>"Name"</dt><dd>{tenant.name.clone()}</dd>
                <dt>"Environment"</dt><dd>{environment(tenant.environment).label()}</dd>
                <dt>"Directory (tenant) ID"</dt><dd class="identifier">{visible_on_page(&tenant.entra_tenant_id).into_owned()}</dd>
                <dt>"Application (client) ID"</dt><dd class="identifier">{visible_on_page(&tenant.client_id).into_owned()}</dd>
                <dt>"Microsoft cloud"</dt><dd>{cloud_label(tenant.cloud)}</dd>
                <dt>"Added"</dt><dd>{moment(tenant.created_at.as_millis())}</dd>
            </dl>
            <p class="quiet-text">"A manager or an owner of the tenant can change this."</p>
        },
    )
}

fn rotate(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<RotateCredential>();
    let kind = match inside.tenant.credential_kind {
        Some(kind) => format!("A {} is stored", kind.as_str().replace('_', " ")),
        None => "No credential is stored".to_owned(),
    };
    let chosen = inside.tenant.credential_kind;
    let since = inside.tenant.credential_updated_at.map(|at| view! { " since "{moment(at.as_millis())} });
    section_card(
        "credential",
        "Credential",
        view! {
            <p class="quiet-text">{kind}{since}", encrypted with the key of this server. It is never shown again."</p>
            <ActiveForm action class="form" error>
                {credential_choice(chosen)}
                {credential_fields()}
                <div class="form-foot"><button class="button primary">"Replace the credential"</button></div>
            </ActiveForm>
        },
    )
}

fn remove(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<RemoveTenant>();
    let label = format!("Type the name of the tenant: {}", inside.tenant.name);
    styled_section_card(
        "card danger-zone",
        "remove",
        "Remove this tenant",
        view! {
            <p>"Everything that was read from it is deleted: inventory, history, runs. For a large tenant this takes some minutes. Nothing changes at Microsoft. Audit entries stay. This cannot be undone."</p>
            <ActiveForm action class="form" error>
                {field("confirmation", label, None, view! {
                    <input class="input" id="confirmation" name="confirmation" autocomplete="off" required />
                })}
                <div class="form-foot"><button class="button danger">"Remove the tenant"</button></div>
            </ActiveForm>
        },
    )
}
