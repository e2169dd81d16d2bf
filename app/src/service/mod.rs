//! What server functions and pages do: find out who asks and what they may, ask the store or the engine, and say what
//! went wrong in words. No rule and no SQL lives here.

pub mod audit;
pub mod frame;
pub mod home;
pub mod inventory;
pub mod item;
pub mod me;
pub mod members;
pub mod notifications;
pub mod picker;
pub mod runs;
pub mod second_factor;
pub mod session;
pub mod tenants;
pub mod users;

use crate::address;
use crate::auth::is_own_address;
use crate::error::AppError;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

/// Where a form leads when it has done its work. `done` names what is said there.
pub(crate) fn go_to(address: &str, done: Option<&str>) {
    let address = match done {
        Some(done) => format!("{address}{}done={done}", if address.contains('?') { '&' } else { '?' }),
        None => address.to_owned(),
    };
    // What cannot stand in a header would make the framework panic.
    leptos_axum::redirect(if is_own_address(&address) { &address } else { address::HOME });
}

/// Sets a cookie with the answer.
pub(crate) fn set_cookie(cookie: &str) {
    if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), http::HeaderValue::from_str(cookie)) {
        options.append_header(http::header::SET_COOKIE, value);
    }
}

/// Reads an id that came from outside; what is no id names nothing.
pub(crate) fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| AppError::not_found(what))
}
