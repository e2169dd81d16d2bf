//! Sign-in.

use leptos::prelude::*;
use leptos_meta::Title;

/// The sign-in form.
#[component]
pub fn SignIn() -> impl IntoView {
    view! {
        <Title text="Sign in" />
        <main id="main">
            <h1>"Sign in"</h1>
            <form method="post" action="/api/sign_in">
                <label>"E-mail " <input name="email" type="email" autocomplete="username" required /></label>
                <label>"Password " <input name="password" type="password" autocomplete="current-password" required /></label>
                <button>"Sign in"</button>
            </form>
            <crate::island::Probe label="ok".to_owned() />
        </main>
    }
}
