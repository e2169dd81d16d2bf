//! The person's own name, password and sessions.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_engine::SecondFactorState;
use tenantatlas_store::sessions::Session;

use super::functions::{ChangePassword, EndSession, SetSingleKeys, UpdateProfile};
use super::load as me;
use super::theme_switch::ThemeSwitch;
use crate::error::AppError;
use crate::frame::load as frame;
use crate::notification::load as notifications;
use crate::notification::model::Notification;
use crate::page::{done, plain_page, query, refusal};
use crate::second_factor::load as factors;
use crate::session::current::CurrentSession;
use crate::session::functions::SignOutEverywhere;
use crate::session::user_agent::browser;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, new_password, reveal};
use crate::ui::note::{done_note, refusal_note};
use crate::ui::time::moment;
use crate::{address, scope};

/// Profile and sessions.
#[component]
pub fn Account() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let profile_error = refusal::<UpdateProfile>(&query);
    let password_error = refusal::<ChangePassword>(&query);
    let session_error = refusal::<EndSession>(&query).or_else(|| refusal::<SignOutEverywhere>(&query));
    plain_page(move || async move {
        let session = scope::session()?;
        let sessions = me::sessions().await?;
        let (factor, _) = factors::load().await?;
        let account = notifications::of_account().await?;
        let single_keys = session.preferences.single_keys;
        let content = view! {
            {done_note(done)}
            {session_error.map(|error: AppError| refusal_note(&error))}
            <div class="page-head"><div><h1>"Profile and sessions"</h1><p class="lead">{visible_on_page(&session.email).into_owned()}</p></div></div>
            <div class="columns">
                {profile(&session, profile_error)}
                {password(&session, password_error)}
            </div>
            {second_factor(&factor)}
            {section_card("tokens", "Tokens", view! {
                <p>"With a token a program asks in your name, by the REST API."</p>
                <div class="form-foot"><a class="button" href=address::TOKENS>"Tokens"</a></div>
            })}
            {session_list(&session, &sessions)}
            {keys(single_keys)}
            {notices(&account)}
            {section_card("theme", "Theme", view! {
                <ThemeSwitch theme=frame::theme() />
            })}
        }
        .drawn();
        Ok(("Profile and sessions".to_owned(), content))
    })
}

fn profile(session: &CurrentSession, error: Option<AppError>) -> AnyView {
    let name = session.name.clone();
    let action = address::function::<UpdateProfile>().to_owned();
    section_card(
        "profile",
        "Name",
        view! {
            <ActiveForm action class="form" error>
                {field("name", "Your name", Some("Shown with what you start, and in the audit log."), view! {
                    <input class="input" id="name" name="name" value=name autocomplete="name" required maxlength="200" />
                })}
                <div class="form-foot"><button class="button primary">"Save"</button></div>
            </ActiveForm>
        },
    )
}

fn password(session: &CurrentSession, error: Option<AppError>) -> AnyView {
    let email = session.email.clone();
    let action = address::function::<ChangePassword>().to_owned();
    section_card(
        "password",
        "Password",
        view! {
            <ActiveForm action class="form" error>
                <input type="text" name="username" value=email autocomplete="username" hidden readonly />
                {field("current", "Current password", None, view! {
                    <input
                        class="input" id="current" name="current" type="password" autocomplete="current-password"
                        required
                    />
                })}
                {new_password("New password")}
                {reveal()}
                <p class="quiet-text">"All other sessions end."</p>
                <div class="form-foot"><button class="button primary">"Change the password"</button></div>
            </ActiveForm>
        },
    )
}

fn second_factor(factor: &SecondFactorState) -> AnyView {
    let (words, link) = match factor.since {
        Some(_) => ("A code of your authenticator is asked for at every sign-in.", "Change the second factor"),
        None => (
            "Besides the password, a code of an authenticator app can be asked for at every sign-in.",
            "Set up a second factor",
        ),
    };
    let few = factor.since.is_some() && factor.recovery_codes < 3;
    let left = few.then(|| format!(" Recovery codes left: {}. Make new ones.", factor.recovery_codes));
    section_card(
        "factor",
        "Second factor",
        view! {
            <p>{words}{left}</p>
            <div class="form-foot"><a class="button" href=address::SECOND_FACTOR>{link}</a></div>
        },
    )
}

/// Whether single keys do something (WCAG 2.2, success criterion 2.1.4).
fn keys(single_keys: bool) -> AnyView {
    let action = address::function::<SetSingleKeys>();
    section_card(
        "keys",
        "Keys",
        view! {
            <form class="form" method="post" action=action>
                <label class="check">
                    <input type="checkbox" name="single_keys" value="true" checked=single_keys autocomplete="off" />
                    "Single keys, such as / for the search and ? for the sheet of keys"
                </label>
                <div class="form-foot"><button class="button">"Save keys"</button><a href=address::HELP>"All keys"</a></div>
            </form>
        },
    )
}

/// What happened to the account; nothing when nothing did.
fn notices(notices: &[Notification]) -> Option<AnyView> {
    if notices.is_empty() {
        return None;
    }
    let rows = notices
        .iter()
        .map(|notice| {
            view! {
                <li>
                    <span class="grow"><strong>{notice.title()}</strong>" "{notice.detail()}</span>
                    <span class="quiet">{moment(notice.created_at)}</span>
                </li>
            }
        })
        .collect_view();
    Some(section_card(
        "notices",
        "What happened to your account",
        view! {
            <ul class="rows">{rows}</ul>
        },
    ))
}

fn session_list(current: &CurrentSession, sessions: &[Session]) -> AnyView {
    let rows = sessions.iter().map(|session| session_row(current, session)).collect_view();
    let everywhere = address::function::<SignOutEverywhere>();
    view! {
        <section class="card" aria-labelledby="sessions-title">
            <div class="section-head">
                <h2 id="sessions-title">"Where you are signed in"</h2>
                <form method="post" action=everywhere><button class="button">"Sign out everywhere"</button></form>
            </div>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .drawn()
}

fn session_row(current: &CurrentSession, session: &Session) -> AnyView {
    let here = session.id == current.session_id;
    let browser = browser(&session.user_agent);
    let action = address::function::<EndSession>();
    let id = session.id.to_string();
    let end = (!here).then(|| {
        let label = format!("End the session of {browser}");
        view! {
            <form method="post" action=action>
                {hidden("session", id)}
                <button class="button small" aria-label=label>"End"</button>
            </form>
        }
    });
    view! {
        <li>
            <span class="grow"><strong>{browser.clone()}</strong>" from "<span class="identifier">{visible_on_page(&session.address).into_owned()}</span></span>
            {here.then(|| view! { <span class="badge" data-tone="ok">"This one"</span> })}
            <span class="quiet">"used "{moment(session.last_used_at.as_millis())}</span>
            {end}
        </li>
    }
    .drawn()
}
