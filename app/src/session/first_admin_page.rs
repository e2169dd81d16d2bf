//! The first administrator, by the one-time link that the server printed at its first start.

use leptos::prelude::*;

use super::functions::ClaimFirstAdmin;
use super::origin as session;
use crate::address;
use crate::error::AppError;
use crate::page::{path_part, query, refusal, refused};
use crate::ui::active_form::ActiveForm;
use crate::ui::form::{field, hidden, new_password, reveal};
use crate::ui::logo::{chart, logo};
use crate::ui::title::page_title;

/// The form that makes the first administrator.
#[component]
pub fn Welcome() -> impl IntoView {
    let token = path_part("token");
    let error = refusal::<ClaimFirstAdmin>(&query());
    Suspend::new(async move {
        match session::first_admin_link_works(&token).await {
            Ok(true) => form(token, error),
            Ok(false) => refused(AppError::not_found("The link")).await,
            Err(error) => refused(error).await,
        }
    })
}

fn form(token: String, error: Option<AppError>) -> AnyView {
    view! {
        {page_title("Welcome")}
        <div class="gate">
            <main class="gate-form" id="main">
                <div>
                    <span class="brand">{logo()}<span>"TenantAtlas"</span></span>
                    <h1>"Welcome"</h1>
                    <p class="quiet-text">"Create the first account. It administers this server: tenants and people."</p>
                </div>
                <ActiveForm action={address::function::<ClaimFirstAdmin>().to_owned()} class="form" error>
                    {hidden("token", token)}
                    {field("name", "Your name", None, view! {
                        <input class="input" id="name" name="name" autocomplete="name" required maxlength="200" />
                    })}
                    {field("email", "E-mail", None, view! {
                        <input class="input" id="email" name="email" type="email" autocomplete="username" required />
                    })}
                    {new_password("Password")}
                    {reveal()}
                    <button class="button primary">"Create account"</button>
                </ActiveForm>
            </main>
            <aside class="gate-map" aria-hidden="true">{chart()}<p>"One map for every tenant."</p></aside>
        </div>
    }
    .into_any()
}
