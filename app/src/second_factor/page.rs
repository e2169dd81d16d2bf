//! One's own second factor: set up, recovery codes, take away.

use leptos::prelude::*;
use tenantatlas_engine::{SecondFactorState, SetUp};

use super::functions::{
    BeginSecondFactor, ConfirmSecondFactor, KeepRecoveryCodes, NewRecoveryCodes, RemoveSecondFactor,
};
use super::{load as second_factor, qr};
use crate::error::AppError;
use crate::page::{done, plain_page, query, refusal};
use crate::ui::active_form::ActiveForm;
use crate::ui::card::styled_section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::code_field;
use crate::ui::note::{confirm_note, done_note, refusal_note};
use crate::ui::time::moment;
use crate::{address, scope};

/// Everything about the person's own second factor.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let plain = refusal::<BeginSecondFactor>(&query)
        .or_else(|| refusal::<NewRecoveryCodes>(&query))
        .or_else(|| refusal::<KeepRecoveryCodes>(&query));
    let confirm_error = refusal::<ConfirmSecondFactor>(&query);
    let remove_error = refusal::<RemoveSecondFactor>(&query);
    plain_page(move || async move {
        let session = scope::session()?;
        let (state, shown) = second_factor::load().await?;
        let body = match (state.since, &shown) {
            (None, Some(shown)) => set_up(shown, confirm_error),
            (None, None) => begin(),
            (Some(_), shown) => in_force(&state, shown.as_ref(), remove_error),
        };
        let content = view! {
            {done_note(done)}
            {plain.map(|error| refusal_note(&error))}
            <div class="page-head"><div>
                <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::ACCOUNT>"Profile and sessions"</a></nav>
                <h1>"Second factor"</h1>
                <p class="lead">"Whoever learns your password still cannot sign in without your authenticator."</p>
            </div></div>
            {confirm_note(&session, address::SECOND_FACTOR, "see or change the second factor")}
            {body}
        }
        .drawn();
        Ok(("Second factor".to_owned(), content))
    })
}

fn begin() -> AnyView {
    let action = address::function::<BeginSecondFactor>();
    styled_section_card(
        "card stack",
        "begin",
        "Set it up",
        view! {
            <p>"You need an authenticator app for time-based codes (RFC 6238), on a phone or in a password manager. A QR code and ten recovery codes are shown next."</p>
            <form method="post" action=action><button class="button primary">"Begin"</button></form>
        },
    )
}

fn set_up(shown: &SetUp, error: Option<AppError>) -> AnyView {
    let action = address::function::<ConfirmSecondFactor>().to_owned();
    styled_section_card(
        "card stack",
        "set-up",
        "Set it up",
        view! {
            {set_up_facts(shown)}
            <ActiveForm action class="form" error>
                {code_field("First code", "The six digits that your authenticator shows for TenantAtlas.", false)}
                <div class="form-foot"><button class="button primary">"Turn on"</button></div>
            </ActiveForm>
        },
    )
}

/// The QR code, the secret as text, and the recovery codes.
pub fn set_up_facts(shown: &SetUp) -> AnyView {
    let uri = shown.uri.clone();
    view! {
        <div class="stack">
            <p>"1. Scan this with your authenticator, or type the key into it."</p>
            {qr::code(&shown.uri, "QR code for your authenticator; the key below says the same")}
            <p>"Key: "<code class="secret-text">{shown.secret.clone()}</code></p>
            <details><summary>"As an address"</summary><code class="secret-text">{uri}</code></details>
            <p>"2. Keep these recovery codes where you find them without your phone. Each signs you in once. They are shown only now."</p>
            {code_list(&shown.recovery_codes)}
            <p>"3. Type the code that the authenticator shows."</p>
        </div>
    }
    .drawn()
}

fn code_list(codes: &[String]) -> AnyView {
    let rows = codes.iter().map(|code| view! { <li><code>{code.clone()}</code></li> }).collect_view();
    view! { <ol class="recovery-codes" aria-label="Recovery codes">{rows}</ol> }.drawn()
}

fn in_force(state: &SecondFactorState, shown: Option<&SetUp>, error: Option<AppError>) -> AnyView {
    let since = state.since.map(|at| moment(at.as_millis()));
    let left = format!("{} of 10 recovery codes are left.", state.recovery_codes);
    let codes = match shown {
        Some(shown) => {
            let keep = address::function::<KeepRecoveryCodes>();
            view! {
                <p>"Keep these where you find them without your phone. They are shown only now, and the old ones work until you activate these."</p>
                {code_list(&shown.recovery_codes)}
                <form method="post" action=keep><button class="button primary">"I have them: activate them"</button></form>
            }
            .drawn()
        }
        None => {
            let new = address::function::<NewRecoveryCodes>();
            view! { <form method="post" action=new><button class="button">"Make new recovery codes"</button></form> }
                .drawn()
        }
    };
    let remove = if state.required {
        view! { <p>"The rules of this server require a second factor, so it cannot be removed."</p> }.drawn()
    } else {
        let action = address::function::<RemoveSecondFactor>().to_owned();
        view! {
            <ActiveForm action class="form" error>
                {code_field("Code", "The six digits that your authenticator shows, or a recovery code.", true)}
                <div class="form-foot"><button class="button danger">"Remove"</button></div>
            </ActiveForm>
        }
        .drawn()
    };
    view! {
        {styled_section_card("card stack", "codes", "Recovery codes", view! {
            <p>"The second factor is on since "{since}". "{left}</p>
            {codes}
        })}
        {styled_section_card("card danger-zone stack", "remove", "Remove the second factor", view! {
            <p>"From then on the password alone signs you in."</p>
            {remove}
        })}
    }
    .drawn()
}
