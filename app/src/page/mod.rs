//! The pages.

mod home;
mod sign_in;

pub use home::Home;
pub use sign_in::SignIn;

use leptos::prelude::*;

/// What is shown for an address that does not exist. The server answers with 404.
pub fn missing() -> AnyView {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <main id="main" class="gate-form">
            <h1>"There is nothing here"</h1>
            <p>"The address is wrong, or it is not yours to see."</p>
            <p><a class="button" href="/">"To your tenants"</a></p>
        </main>
    }
    .into_any()
}
