//! Nothing here, something wrong, and notes.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;

use super::icon::Icon;
use crate::address;
use crate::done::Done;
use crate::error::{AppError, ErrorKind};
use crate::scope::RequestId;
use crate::session::current::CurrentSession;
use crate::ui::drawn::Drawn as _;

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
    .drawn()
}

/// A note with a tone: `info`, `ok`, `warn` or `bad`.
pub fn note(tone: &'static str, content: impl IntoView + 'static) -> AnyView {
    let icon = match tone {
        "ok" => Icon::Done,
        "info" => Icon::Compass,
        _ => Icon::Warning,
    };
    view! { <div class="note" data-tone=tone>{icon.view()}<div>{content}</div></div> }.drawn()
}

/// What was done before the page was shown.
pub fn done_note(done: Option<Done>) -> Option<AnyView> {
    let done = done?;
    Some(match done {
        Done::AlreadyRunning | Done::TypesLeftOut => note("info", done.sentence()),
        _ => view! { <div class="note" data-tone="ok" role="status">{Icon::Done.view()}<p>{done.sentence()}</p></div> }
            .drawn(),
    })
}

/// Says which parameters of the address of a list were not understood; nothing when all were.
pub fn left_out_note(left_out: &[(&'static str, String)]) -> Option<AnyView> {
    let (first, more) = left_out.split_first()?;
    let named = |(name, value): &(&'static str, String)| format!("{name} \"{}\"", visible_on_page(value));
    let all = more.iter().fold(named(first), |all, one| format!("{all}, {}", named(one)));
    let words =
        format!("The address asks for {all}, which is not understood, so all is shown without it: choose again below.");
    Some(note("warn", view! { <p>{words}</p> }))
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

/// What a page is called that shows an error in its place.
#[must_use]
pub const fn error_title(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "Not found",
        ErrorKind::Forbidden => "No access",
        ErrorKind::Confirm => "Confirm your password",
        ErrorKind::SignedOut => "Signed out",
        ErrorKind::Invalid | ErrorKind::Conflict => "Not possible",
        ErrorKind::TooMany => "Too many attempts",
        ErrorKind::Unavailable | ErrorKind::Internal => "Something went wrong",
    }
}

/// A whole page for an error: the sentence, the way back to the list that it belongs to, and what to report.
pub fn error_page(error: &AppError, back: Option<(String, &'static str)>) -> AnyView {
    let icon = match error.kind {
        ErrorKind::NotFound => Icon::Compass,
        ErrorKind::Forbidden | ErrorKind::Confirm => Icon::Key,
        ErrorKind::SignedOut => Icon::Leave,
        ErrorKind::TooMany => Icon::Waiting,
        ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Internal => Icon::Warning,
    };
    let title = error_title(error.kind);
    let back = back.map(|(href, words)| view! { <a class="button primary" href=href>{format!("Back to {words}")}</a> });
    let request = use_context::<RequestId>().map(|RequestId(id)| {
        view! {
            <p class="quiet-text">"To report it, give the request ID "<span class="identifier" id="request-id">{id}</span>"."</p>
        }
    });
    view! {
        <div class="empty">
            {icon.view()}
            <h1>{title}</h1>
            <p>{error.message.clone()}</p>
            <div class="actions">{back} <a class="button" href=address::HOME>"All tenants"</a></div>
            {request}
        </div>
    }
    .drawn()
}
