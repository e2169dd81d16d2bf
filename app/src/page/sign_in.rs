//! Sign-in.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The sign-in form. `?refused=…` says why the last attempt failed, in the same words for an unknown person and a wrong
/// password.
#[component]
pub fn SignIn() -> impl IntoView {
    let refused = use_query_map().with_untracked(|query| query.get("refused"));
    let message = match refused.as_deref() {
        Some("credentials") => Some("E-mail and password do not fit. Check both and try again."),
        Some("wait") => Some("Too many attempts. Wait a minute and try again."),
        Some(_) => Some("Signing in is not possible right now. Try again in a moment."),
        None => None,
    };
    view! {
        <Title text="Sign in" />
        <main id="main" class="gate-form">
            <h1>"Sign in to TenantAtlas"</h1>
            <form method="post" action="/sign-in" class="form">
                {message.map(|message| view! { <p class="note" role="alert">{message}</p> })}
                <div class="field">
                    <label for="email">"E-mail"</label>
                    <input class="input" id="email" name="email" type="email" autocomplete="username" required />
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        class="input"
                        id="password"
                        name="password"
                        type="password"
                        autocomplete="current-password"
                        required
                    />
                </div>
                <button class="button primary">"Sign in"</button>
            </form>
            <crate::island::ThemeSwitch />
        </main>
    }
}
