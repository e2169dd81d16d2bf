//! A new tenant.

use leptos::prelude::*;

use super::connection_form::{connection_fields, credential_choice, credential_fields};
use super::functions::AddTenant;
use super::set_up::preparation;
use crate::page::{plain_page, query, refusal};
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::note::confirm_note;
use crate::{address, scope};

/// What has to be prepared at Microsoft, and the form for what comes of it.
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
                    <p class="lead">"TenantAtlas signs in as an application of the tenant, and only reads."</p>
                </div>
            </div>
            {confirm_note(&session, address::ADD_TENANT, "add a tenant")}
            <ActiveForm action class="form wide-form" error>
                {section_card("prepare", "1. Register the application at Microsoft", view! {
                    {credential_choice(None)}
                    {preparation()}
                })}
                {section_card("connect", "2. Enter what the script printed", view! {
                    <div class="form">
                        {connection_fields(None, true)}
                        {credential_fields()}
                        <div class="form-foot">
                            <button class="button primary">"Add the tenant"</button>
                            <span class="quiet-text">"The connection is checked at once. Then start the first sync."</span>
                        </div>
                    </div>
                })}
            </ActiveForm>
        }
        .drawn();
        Ok(("Add a tenant".to_owned(), content))
    })
}
