//! How the check of a connection goes, and what it found: one result, in one tone.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::registry::{PortalSite, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_engine::endpoints;
use tenantatlas_store::tenants::{Cloud, ConnectionStatus, Licence, Tenant};

use super::consent_page::return_address;
use super::load::{Checks, MissingPermission, Step};
use super::portal::portal_cloud;
use crate::scope::Inside;
use crate::sync::functions::StartSync;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::note;
use crate::ui::time::moment;

/// The part of the settings that follows a check as it goes.
pub fn check_result(inside: &Inside, checks: &Checks) -> AnyView {
    let tenant = &inside.tenant;
    let body = if checks.under_way() { under_way(checks) } else { result(inside, checks) };
    let first_sync = (!checks.under_way() && checks.never_synced && works(tenant) && inside.role.allows(Action::Sync))
        .then(|| first_sync(inside));
    view! { <div class="stack" id="connection-state" data-live="">{body} {first_sync}</div> }.drawn()
}

const fn works(tenant: &Tenant) -> bool {
    matches!(tenant.connection_status, ConnectionStatus::Ok | ConnectionStatus::Degraded)
}

/// Each check with its tick.
fn under_way(checks: &Checks) -> AnyView {
    let done = checks.steps.iter().filter(|(_, step)| !matches!(step, Step::Waiting | Step::Current)).count();
    let rows = checks
        .steps
        .iter()
        .map(|(label, step)| {
            let (tone, icon, word) = match step {
                Step::Done => ("ok", Icon::Done, "passed"),
                Step::Failed => ("bad", Icon::Failed, "failed"),
                Step::Skipped => ("warn", Icon::Skipped, "skipped"),
                Step::Current => ("info", Icon::Turning, "being checked"),
                Step::Waiting => ("idle", Icon::Waiting, "waiting"),
            };
            view! { <li data-tone=tone>{icon.view()}<span class="grow">{label.clone()}</span><span class="quiet">{word}</span></li> }
        })
        .collect_view();
    view! {
        <p>{format!("Checking the connection: {done} of {} checks done.", checks.steps.len())}</p>
        <noscript><p class="quiet-text">"Reload the page to see how it goes on."</p></noscript>
        <ul class="rows checks">{rows}</ul>
    }
    .drawn()
}

fn result(inside: &Inside, checks: &Checks) -> AnyView {
    let tenant = &inside.tenant;
    let when = tenant
        .connection_checked_at
        .map(|at| view! { <p class="quiet-text">"Checked "{moment(at.as_millis())}"."</p> });
    let reason = tenant.connection_reason.map(|reason| reason.sentence().to_owned());
    // What Graph said begins with the sentence of its code; one of both is enough.
    let told = tenant.connection_message.as_deref().map(|told| visible_on_page(told).into_owned()).or(reason);
    let (tone, head) = match tenant.connection_status {
        ConnectionStatus::Unchecked => return note("info", "The connection has not been checked yet."),
        ConnectionStatus::Ok => ("ok", "The connection works."),
        ConnectionStatus::Degraded if checks.missing.is_empty() => ("warn", "The connection works in part."),
        ConnectionStatus::Degraded => ("warn", "The connection works, but permissions are missing."),
        ConnectionStatus::Failed => ("bad", "The connection does not work."),
    };
    let permissions_say_it = !checks.missing.is_empty() && tenant.connection_status == ConnectionStatus::Degraded;
    let detail = told.filter(|_| !permissions_say_it).map(|told| view! { <p>{told}</p> });
    let all = (checks.missing.is_empty() && checks.checked > 0)
        .then(|| view! { <p>{format!("All {} permissions of the full inventory are granted.", checks.checked)}</p> });
    let missing = (!checks.missing.is_empty()).then(|| missing(inside, &checks.missing, checks.checked));
    view! {
        {note(tone, view! { <p><strong>{head}</strong></p> {detail} {all} {missing} {found(tenant)} {when} })}
    }
    .drawn()
}

fn missing(inside: &Inside, missing: &[MissingPermission], checked: usize) -> AnyView {
    let rows = missing
        .iter()
        .map(|one| {
            let needed = if one.types.is_empty() {
                "needed for the names of groups".to_owned()
            } else {
                format!("needed by {}", one.types.join(", "))
            };
            view! { <li><span class="identifier">{one.permission.clone()}</span><span class="grow quiet">{needed}</span></li> }
        })
        .collect_view();
    let are = if missing.len() == 1 { "is" } else { "are" };
    let words = format!(
        "{} of {checked} permissions {are} missing. What needs them cannot be read until they are added to the application and an administrator consents.",
        missing.len()
    );
    view! {
        <p>{words}</p>
        <ul class="rows">{rows}</ul>
        {consent_links(inside)}
    }
    .drawn()
}

/// Where permissions are added, and where an administrator consents to them.
fn consent_links(inside: &Inside) -> Option<AnyView> {
    let tenant = &inside.tenant;
    let cloud = portal_cloud(tenant.cloud)?;
    let view = format!("Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/{}", tenant.client_id);
    let permissions = PortalSite::Entra.address(cloud, &tenant.entra_tenant_id, &view);
    let back = return_address(&inside.engine);
    let consent = back.as_deref().and_then(|back| admin_consent(tenant, back)).map(|consent| {
        view! { <a class="button small" href=consent>"Grant admin consent"</a> }
    });
    let returns = consent.is_some().then_some(back).flatten().map(|back| {
        view! {
            <p class="quiet-text">
                "Microsoft leads back here afterwards if the application names "<span class="identifier">{back}</span>
                " as a Web redirect URI, as the script of adding a tenant does."
            </p>
        }
    });
    Some(
        view! {
            <p class="actions">
                <a class="button small" href=permissions target="_blank" rel="noopener noreferrer">"Add and grant its permissions in Entra"</a>
                {consent}
            </p>
            {returns}
        }
        .drawn(),
    )
}

/// The address at which an administrator consents to what the application asks for
/// (<https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent>), and from which they are led back to this
/// tenant. None for a cloud with custom endpoints.
fn admin_consent(tenant: &Tenant, back: &str) -> Option<String> {
    if tenant.cloud == Cloud::Custom {
        return None;
    }
    let mut address = endpoints(tenant.cloud, None, None).ok()?.login().clone();
    address.path_segments_mut().ok()?.pop_if_empty().extend([tenant.entra_tenant_id.as_str(), "adminconsent"]);
    let state = tenant.id.to_string();
    let pairs = [("client_id", tenant.client_id.as_str()), ("redirect_uri", back), ("state", state.as_str())];
    address.query_pairs_mut().extend_pairs(pairs);
    Some(address.into())
}

/// What the last check found out about the tenant itself.
fn found(tenant: &Tenant) -> Option<AnyView> {
    let licence = match tenant.licence? {
        Licence::Present => {
            return tenant
                .organization
                .clone()
                .map(|name| view! { <p>{format!("Its name at Microsoft is {name}.")}</p> }.drawn());
        }
        Licence::Missing => "The tenant has no Intune license, so there is nothing of Intune to read.",
        Licence::Unknown => "Whether the tenant has an Intune license could not be found out.",
    };
    Some(view! { <p>{licence}</p> }.drawn())
}

/// The full inventory, by one press. A plain form: this part of the page is fetched anew while a check runs.
fn first_sync(inside: &Inside) -> AnyView {
    let types = registry().default_on().map(|one| hidden("policy_types[]", one.key)).collect_view();
    let action = inside.address().function::<StartSync>();
    view! {
        <form method="post" action=action>
            {types}
            {hidden("include_foundations", "true")}
            {hidden("include_dependencies", "true")}
            <button class="button primary">{Icon::Turning.view()}"Start the first sync"</button>
        </form>
    }
    .drawn()
}
