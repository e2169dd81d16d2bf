//! Nothing here, something wrong, and notes.

use crate::error::{AppError, ErrorKind};
use crate::icon::Icon;
use leptos::prelude::*;

/// An empty place that says what belongs there and how it comes.
pub fn empty(icon: Icon, title: impl Into<String>, words: impl Into<String>, actions: Option<AnyView>) -> AnyView {
    let (title, words): (String, String) = (title.into(), words.into());
    view! {
        <div class="empty">
            {icon.view()}
            <h2>{title}</h2>
            <p>{words}</p>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
    .into_any()
}

/// A note with a tone: `info`, `ok`, `warn` or `bad`.
pub fn note(tone: &'static str, content: impl IntoView + 'static) -> AnyView {
    let icon = match tone {
        "ok" => Icon::Done,
        "info" => Icon::Compass,
        _ => Icon::Warning,
    };
    view! { <div class="note" data-tone=tone>{icon.view()}<div>{content}</div></div> }.into_any()
}

/// A whole page for an error.
pub fn error_page(error: &AppError) -> AnyView {
    let (icon, title) = match error.kind {
        ErrorKind::NotFound => (Icon::Compass, "Not on this map"),
        ErrorKind::Forbidden => (Icon::Key, "Your role does not reach here"),
        ErrorKind::SignedOut => (Icon::Leave, "Signed out"),
        ErrorKind::Invalid | ErrorKind::Conflict => (Icon::Warning, "That does not work"),
        ErrorKind::TooMany => (Icon::Waiting, "Too many attempts"),
        ErrorKind::Unavailable | ErrorKind::Internal => (Icon::Warning, "Something went wrong"),
    };
    view! {
        <div class="empty">
            {icon.view()}
            <h1>{title}</h1>
            <p>{error.message.clone()}</p>
            <div class="actions"><a class="button" href="/">"To your tenants"</a></div>
        </div>
    }
    .into_any()
}
