//! The pages.

mod sign_in;

pub use sign_in::SignIn;

use leptos::prelude::*;

/// What is shown for an address that does not exist.
pub fn missing() -> AnyView {
    view! { <main id="main"><h1>"There is nothing here"</h1></main> }.into_any()
}
