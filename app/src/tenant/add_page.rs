//! A new tenant.

use super::connection_form::{connection_fields, credential_fields};
use super::functions::AddTenant;
use crate::page::{plain_page, query, refusal};
use crate::ui::active_form::ActiveForm;
use crate::ui::card::styled_section_card;
use crate::ui::note::confirm_note;
use crate::{address, scope};
use leptos::prelude::*;
use std::collections::BTreeSet;
use tenantatlas_domain::registry::registry;

/// The form for a new tenant, with what has to be prepared at Microsoft.
#[component]
pub fn AddTenantPage() -> impl IntoView {
    let error = refusal::<AddTenant>(&query());
    plain_page(move || async move {
        let session = scope::administrator()?;
        let action = address::function::<AddTenant>().to_owned();
        let content = view! {
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::HOME>"Tenants"</a></nav>
                    <h1>"Add a tenant"</h1>
                    <p class="lead">"TenantAtlas only reads. It signs in as an application that you register in the tenant."</p>
                </div>
            </div>
            {confirm_note(&session, address::ADD_TENANT, "add a tenant")}
            <div class="columns">
                <section class="card" aria-label="Connection">
                    <ActiveForm action class="form" error>
                        {connection_fields(None, true)}
                        {credential_fields()}
                        <div class="form-foot"><button class="button primary">"Add the tenant"</button></div>
                    </ActiveForm>
                </section>
                {preparation()}
            </div>
        }
        .into_any();
        Ok(("Add a tenant".to_owned(), content))
    })
}

fn preparation() -> AnyView {
    let permissions: BTreeSet<&str> = registry().default_on().map(|one| one.permission).collect();
    let count = permissions.len();
    let rows =
        permissions.into_iter().map(|one| view! { <li><span class="identifier">{one}</span></li> }).collect_view();
    styled_section_card(
        "card stack",
        "preparation",
        "Before you begin",
        view! {
            <ol class="steps">
                <li>"In the Microsoft Entra admin centre, register an application. Note its application (client) id and the directory (tenant) id."</li>
                <li>"Under API permissions add the Microsoft Graph application permissions below, and grant admin consent."</li>
                <li>"Under Certificates and secrets make a secret or upload a certificate. A certificate is safer."</li>
            </ol>
            <p class="quiet-text">"A permission that is missing leaves out only the types that need it. The connection test names them."</p>
            <details>
                <summary>{format!("The {count} permissions of the full inventory")}</summary>
                <ul class="rows">{rows}</ul>
            </details>
        },
    )
}
