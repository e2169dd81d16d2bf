//! The second step of a sign-in.

use leptos::prelude::*;
use leptos_meta::Title;
use tenantatlas_engine::SetUp;

use super::functions::{SignInCode, SignInSetUp};
use super::origin as session;
use crate::address;
use crate::error::AppError;
use crate::page::{query, refusal, refused, see_other};
use crate::redirect::safe_next;
use crate::second_factor::page::set_up_facts;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{code_field, hidden};
use crate::ui::logo::{chart, logo};

/// Asks for a code after the password. Without a sign-in that waits it leads to the first step.
#[component]
pub fn SignInCodePage() -> impl IntoView {
    let query = query();
    let next = query("next").map(|next| safe_next(&next)).filter(|next| next != address::HOME).unwrap_or_default();
    let error = refusal::<SignInCode>(&query);
    Suspend::new(async move {
        match session::waits_for_code().await {
            Ok(true) => code(next, error),
            Ok(false) => see_other(address::SIGN_IN),
            Err(error) => refused(error).await,
        }
    })
}

/// Sets up the second factor that the rules of the server want, before there is a session.
#[component]
pub fn SignInSetUpPage() -> impl IntoView {
    let query = query();
    let next = query("next").map(|next| safe_next(&next)).filter(|next| next != address::HOME).unwrap_or_default();
    let error = refusal::<SignInSetUp>(&query);
    Suspend::new(async move {
        match session::set_up_at_sign_in().await {
            Ok(Some(shown)) => set_up(&shown, next, error),
            Ok(None) => see_other(address::SIGN_IN),
            Err(error) => refused(error).await,
        }
    })
}

fn code(next: String, error: Option<AppError>) -> AnyView {
    let content = view! {
        <ActiveForm action={address::function::<SignInCode>().to_owned()} class="form" error>
            {hidden("next", next)}
            {code_field("Code", "The six digits that your authenticator shows, or a recovery code.", true)}
            <button class="button primary">"Sign in"</button>
        </ActiveForm>
        <p class="quiet-text">
            "Without authenticator and recovery codes, ask whoever administers this server to remove the second factor. "
            <a href=address::SIGN_IN>"Begin again"</a>
        </p>
    }
    .drawn();
    gate("Your code", "The password is correct. Enter the second factor.", content)
}

fn set_up(shown: &SetUp, next: String, error: Option<AppError>) -> AnyView {
    let content = view! {
        {set_up_facts(shown)}
        <ActiveForm action={address::function::<SignInSetUp>().to_owned()} class="form" error>
            {hidden("next", next)}
            {code_field("First code", "The six digits that your authenticator shows for TenantAtlas.", false)}
            <button class="button primary">"Turn on and sign in"</button>
        </ActiveForm>
    }
    .drawn();
    gate("Set up a second factor", "This server requires one before you can go on.", content)
}

fn gate(title: &'static str, lead: &'static str, content: AnyView) -> AnyView {
    view! {
        <Title text=title />
        <div class="gate">
            <main class="gate-form" id="main">
                <div>
                    <span class="brand">{logo()}<span>"TenantAtlas"</span></span>
                    <h1>{title}</h1>
                    <p class="quiet-text">{lead}</p>
                </div>
                {content}
            </main>
            <aside class="gate-map" aria-hidden="true">{chart()}<p>"Two locks are better than one."</p></aside>
        </div>
    }
    .drawn()
}
