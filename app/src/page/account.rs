//! The person's own name, password and sessions.

use super::{plain_page, query, refusal};
use crate::api::{self, ChangePassword, EndSession, SignOutEverywhere, UpdateProfile};
use crate::auth::CurrentSession;
use crate::component::{field, hidden, moment, note, saved_note};
use crate::error::AppError;
use crate::island::{ActiveForm, ThemeSwitch};
use crate::scope;
use crate::service::{frame, me};
use leptos::prelude::*;
use tenantatlas_store::sessions::Session;

/// Profile and sessions.
#[component]
pub fn Account() -> impl IntoView {
    let query = query();
    let done = query("done");
    let profile_error = refusal::<UpdateProfile>(&query);
    let password_error = refusal::<ChangePassword>(&query);
    let session_error = refusal::<EndSession>(&query).or_else(|| refusal::<SignOutEverywhere>(&query));
    plain_page(move || async move {
        let session = scope::session()?;
        let sessions = me::sessions().await?;
        let content = view! {
            {saved_note(done.as_deref())}
            {session_error.map(|error: AppError| note("bad", error.message))}
            <div class="page-head"><div><h1>"Profile and sessions"</h1><p class="lead">{session.email.clone()}</p></div></div>
            <div class="columns">
                {profile(&session, profile_error)}
                {password(&session, password_error)}
            </div>
            {session_list(&session, &sessions)}
            <section class="card" aria-labelledby="colours-title">
                <h2 id="colours-title">"Colours"</h2>
                <ThemeSwitch theme=frame::theme() />
            </section>
        }
        .into_any();
        Ok(("Profile and sessions".to_owned(), content))
    })
}

fn profile(session: &CurrentSession, error: Option<AppError>) -> AnyView {
    let name = session.name.clone();
    let action = api::address::<UpdateProfile>().to_owned();
    view! {
        <section class="card" aria-labelledby="profile-title">
            <h2 id="profile-title">"Name"</h2>
            <ActiveForm action class="form" error>
                {field("name", "Your name", Some("It stands beside what you start, and in the audit log."), view! {
                    <input class="input" id="name" name="name" value=name autocomplete="name" required maxlength="200" aria-describedby="name-hint" />
                })}
                <div class="form-foot"><button class="button primary">"Save"</button></div>
            </ActiveForm>
        </section>
    }
    .into_any()
}

fn password(session: &CurrentSession, error: Option<AppError>) -> AnyView {
    let email = session.email.clone();
    let action = api::address::<ChangePassword>().to_owned();
    let refused = |name: &str| {
        let field = error.as_ref().and_then(|error| error.field.as_deref());
        (field == Some(name)).then_some("true")
    };
    let (current_refused, password_refused) = (refused("current"), refused("password"));
    view! {
        <section class="card" aria-labelledby="password-title">
            <h2 id="password-title">"Password"</h2>
            <ActiveForm action class="form" error>
                <input type="text" name="username" value=email autocomplete="username" hidden readonly />
                {field("current", "Current password", None, view! {
                    <input
                        class="input" id="current" name="current" type="password" autocomplete="current-password"
                        required aria-invalid=current_refused
                    />
                })}
                {field("password", "New password", Some("At least 10 characters; a sentence is fine. Every other session ends."), view! {
                    <input
                        class="input" id="password" name="password" type="password" autocomplete="new-password"
                        required minlength="10" aria-describedby="password-hint" aria-invalid=password_refused
                    />
                })}
                <div class="form-foot"><button class="button primary">"Change the password"</button></div>
            </ActiveForm>
        </section>
    }
    .into_any()
}

fn session_list(current: &CurrentSession, sessions: &[Session]) -> AnyView {
    let rows = sessions.iter().map(|session| session_row(current, session)).collect_view();
    let everywhere = api::address::<SignOutEverywhere>();
    view! {
        <section class="card" aria-labelledby="sessions-title">
            <div class="section-head">
                <h2 id="sessions-title">"Where you are signed in"</h2>
                <form method="post" action=everywhere><button class="button">"Sign out everywhere"</button></form>
            </div>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}

fn session_row(current: &CurrentSession, session: &Session) -> AnyView {
    let here = session.id == current.session_id;
    let browser = browser(&session.user_agent);
    let action = api::address::<EndSession>();
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
            <span class="grow"><strong>{browser.clone()}</strong>" from "<span class="identifier">{session.address.clone()}</span></span>
            {here.then(|| view! { <span class="badge" data-tone="ok">"This one"</span> })}
            <span class="quiet">"used "{moment(session.last_used_at.as_millis())}</span>
            {end}
        </li>
    }
    .into_any()
}

/// What a person recognises in a `User-Agent` header: the browser and the system.
fn browser(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Each of them also names the ones below it.
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_named_by_what_a_person_calls_it() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(
            browser("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"),
            "Safari on iPhone"
        );
        assert_eq!(browser(""), "An unknown browser");
    }
}
