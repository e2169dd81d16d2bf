//! How a tenant is connected.

use super::connection_form::{cloud_label, connection_fields, credential_fields};
use super::functions::{EditConnection, RemoveTenant, RotateCredential, TestConnection};
use super::load::{MissingPermission, environment, missing_permissions};
use crate::error::AppError;
use crate::format;
use crate::frame::view::Section;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::{section_card, styled_section_card};
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, note, refusal_note};
use crate::ui::state::state;
use crate::ui::time::moment;
use leptos::prelude::*;
use tenantatlas_domain::role::Action;
use tenantatlas_store::tenants::{ConnectionStatus, Licence, Tenant};

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
        let (missing, checked) = missing_permissions(&inside).await?;
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
                <div class="actions"><a class="button" href=inside.address().members()>{Icon::People.view()}"Members"</a></div>
            </div>
            {connection(&inside, &missing, checked, may_edit)}
            {confirm}
            <div class="columns">{edit} {rotate}</div>
            {remove}
        }
        .into_any();
        Ok(("Settings".to_owned(), content))
    })
}

fn connection(inside: &Inside, missing: &[MissingPermission], checked: usize, may_edit: bool) -> AnyView {
    let tenant = &inside.tenant;
    let chip = match tenant.connection_status {
        ConnectionStatus::Ok => state("ok", Icon::Done, "Works"),
        ConnectionStatus::Unchecked => state("idle", Icon::Waiting, "Not tested"),
        ConnectionStatus::Degraded => state("warn", Icon::Partly, "Works, with permissions missing"),
        ConnectionStatus::Failed => state("bad", Icon::Failed, "Does not work"),
    };
    let reason = tenant.connection_reason.map(|reason| {
        let detail = tenant
            .connection_message
            .clone()
            .filter(|message| message != reason.sentence())
            .map(|message| view! { <p>{message}</p> });
        note("bad", view! { <p>{reason.sentence()}</p> {detail} })
    });
    let remark = tenant.connection_reason.is_none().then(|| tenant.connection_message.clone()).flatten();
    let remark = remark.map(|remark| view! { <p>{remark}</p> });
    let tested = tenant.connection_checked_at.map(|at| {
        view! { <span class="quiet-text">"tested "{moment(at.as_millis())}</span> }
    });
    let permissions = (checked > 0).then(|| permissions(missing, checked));
    let found = found(tenant);
    view! {
        <section class="card" id="connection" aria-labelledby="connection-title">
            <div class="section-head">
                <h2 id="connection-title">"Connection"</h2>
                {may_edit.then(|| test(inside))}
            </div>
            <p>
                {chip}" "
                {tested}
            </p>
            {reason}
            {remark}
            {found}
            {permissions}
        </section>
    }
    .into_any()
}

/// What the last check found out about the tenant itself.
fn found(tenant: &Tenant) -> Option<AnyView> {
    let licence = match tenant.licence? {
        Licence::Present => "yes",
        Licence::Missing => "no: there is nothing of Intune to read",
        Licence::Unknown => "could not be told",
    };
    let organization = tenant.organization.clone();
    Some(
        view! {
            <dl class="facts">
                {organization.map(|name| view! { <dt>"Known at Microsoft as"</dt><dd>{name}</dd> })}
                <dt>"Has Intune"</dt><dd>{licence}</dd>
            </dl>
        }
        .into_any(),
    )
}

fn test(inside: &Inside) -> AnyView {
    let action = inside.address().function::<TestConnection>();
    view! {
        <ActiveForm action class="actions" error=None>
            <label class="check"><input type="checkbox" name="types" value="true" />"Also the first page of each type"</label>
            <button class="button">{Icon::Turning.view()}"Test the connection"</button>
        </ActiveForm>
    }
    .into_any()
}

fn permissions(missing: &[MissingPermission], checked: usize) -> AnyView {
    if missing.is_empty() {
        return view! { <p>{format!("All {checked} permissions of the full inventory are granted.")}</p> }.into_any();
    }
    let rows = missing
        .iter()
        .map(|one| {
            view! {
                <li>
                    <span class="identifier">{one.permission.clone()}</span>
                    <span class="grow quiet">{format!("needed by {}", one.types.join(", "))}</span>
                </li>
            }
        })
        .collect_view();
    let words = format!(
        "{} of {checked} missing. The types that need them cannot be read until somebody grants them to the application and gives admin consent.",
        format::counted(missing.len() as u64, "permission", "permissions")
    );
    view! {
        {note("warn", words)}
        <ul class="rows">{rows}</ul>
    }
    .into_any()
}

fn edit(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<EditConnection>();
    let fields = connection_fields(Some(&inside.tenant), inside.session.platform_admin);
    section_card(
        "edit",
        "Tenant",
        view! {
            <ActiveForm action class="form" error>
                {fields}
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
                <dt>"Directory (tenant) id"</dt><dd class="identifier">{tenant.entra_tenant_id.clone()}</dd>
                <dt>"Application (client) id"</dt><dd class="identifier">{tenant.client_id.clone()}</dd>
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
        Some(kind) => format!("A {} is kept", kind.as_str().replace('_', " ")),
        None => "Nothing is kept".to_owned(),
    };
    let since = inside.tenant.credential_updated_at.map(|at| view! { " since "{moment(at.as_millis())} });
    section_card(
        "credential",
        "Credential",
        view! {
            <p class="quiet-text">{kind}{since}", sealed with the key of this server. It is never shown again."</p>
            <ActiveForm action class="form" error>
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
            <p>"Everything that was read from it goes: inventory, history, runs. A large tenant takes some minutes to be deleted whole. Nothing changes at Microsoft. Audit entries stay. There is no way back."</p>
            <ActiveForm action class="form" error>
                <div class="field">
                    <label for="confirmation">{label}</label>
                    <input class="input" id="confirmation" name="confirmation" autocomplete="off" required />
                </div>
                <div class="form-foot"><button class="button danger">"Remove the tenant"</button></div>
            </ActiveForm>
        },
    )
}
