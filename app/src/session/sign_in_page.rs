//! Sign-in.

use leptos::prelude::*;

use super::functions::SignIn as SignInForm;
use crate::account::theme_switch::ThemeSwitch;
use crate::address;
use crate::frame::load as frame;
use crate::page::{query, refusal};
use crate::redirect::safe_next;
use crate::ui::active_form::ActiveForm;
use crate::ui::form::{field, hidden, reveal};
use crate::ui::logo::{chart, logo};
use crate::ui::title::page_title;

/// The sign-in form. `next` in the address says where to go afterwards.
#[component]
pub fn SignIn() -> impl IntoView {
    let query = query();
    let next = query("next").map(|next| safe_next(&next)).filter(|next| next != address::HOME).unwrap_or_default();
    let ended = !next.is_empty();
    let error = refusal::<SignInForm>(&query);
    view! {
        {page_title("Sign in")}
        <div class="gate">
            <main class="gate-form" id="main">
                <div>
                    <span class="brand">{logo()}<span>"TenantAtlas"</span></span>
                    <h1>"Sign in"</h1>
                    {ended.then(|| view! { <p class="quiet-text">"Sign in to go on where you were."</p> })}
                </div>
                <ActiveForm action={address::function::<SignInForm>().to_owned()} class="form" error>
                    {hidden("next", next)}
                    {field("email", "E-mail", None, view! {
                        <input class="input" id="email" name="email" type="email" autocomplete="username" required autofocus />
                    })}
                    {field("password", "Password", None, view! {
                        <input class="input" id="password" name="password" type="password" autocomplete="current-password" required />
                    })}
                    {reveal()}
                    <button class="button primary">"Sign in"</button>
                </ActiveForm>
                <ThemeSwitch theme=frame::theme() />
            </main>
            <aside class="gate-map" aria-hidden="true">
                {chart()}
                <p>"Know what is configured, when it was last seen, and what nobody could read."</p>
            </aside>
        </div>
    }
}
