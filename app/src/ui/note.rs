//! Nothing here, something wrong, and notes.

use super::icon::Icon;
use crate::address;
use crate::done::Done;
use crate::error::{AppError, ErrorKind};
use crate::session::current::CurrentSession;
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

/// What was done before the page was shown.
pub fn done_note(done: Option<Done>) -> Option<AnyView> {
    let done = done?;
    Some(match done {
        Done::AlreadyRunning | Done::TypesLeftOut => note("info", done.sentence()),
        _ => view! { <div class="note" data-tone="ok" role="status">{Icon::Done.view()}<p>{done.sentence()}</p></div> }
            .into_any(),
    })
}

/// The refusal of a form that keeps nothing that was typed.
pub fn refusal_note(error: &AppError) -> AnyView {
    let confirm =
        (error.kind == ErrorKind::Confirm).then(|| view! { " "<a href=address::CONFIRM>"Confirm your password"</a> });
    note("bad", view! { <p>{error.message.clone()}{confirm}</p> })
}

/// Says, before anything is typed, that the password must be confirmed for what the page changes; nothing when it was
/// confirmed lately. `what` ends the sentence "Confirm your password to …".
pub fn confirm_note(session: &CurrentSession, page: &str, what: &str) -> Option<AnyView> {
    if session.confirmed {
        return None;
    }
    let address = address::with_next(address::CONFIRM, page);
    let words = format!(" to {what}. It is asked for again ten minutes after it was last typed.");
    Some(note("info", view! { <p><a href=address>"Confirm your password"</a>{words}</p> }))
}

/// A whole page for an error.
pub fn error_page(error: &AppError) -> AnyView {
    let (icon, title) = match error.kind {
        ErrorKind::NotFound => (Icon::Compass, "Not on this map"),
        ErrorKind::Forbidden => (Icon::Key, "Your role does not reach here"),
        ErrorKind::Confirm => (Icon::Key, "Your password is needed again"),
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
            <div class="actions"><a class="button" href=address::HOME>"To your tenants"</a></div>
        </div>
    }
    .into_any()
}
