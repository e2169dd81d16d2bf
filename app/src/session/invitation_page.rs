//! The account of somebody who was invited into a tenant, by a link that works once.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_store::invitations::Invitation;

use super::functions::AcceptInvitation;
use super::origin::invitation_of;
use crate::address;
use crate::error::{AppError, ErrorKind};
use crate::page::{path_part, query, refusal, refused};
use crate::scope;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, new_password, reveal};
use crate::ui::logo::{chart, logo};
use crate::ui::note::note;
use crate::ui::title::page_title;

/// The form that makes the account. Looking at it uses nothing up.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let token = path_part("token");
    let error = refusal::<AcceptInvitation>(&query());
    Suspend::new(async move {
        match invitation_of(&token).await {
            Ok(Some(invited)) => form(token, &invited, error),
            Ok(None) => refused(works_no_more()).await,
            Err(error) => refused(error).await,
        }
    })
}

fn works_no_more() -> AppError {
    AppError::new(
        ErrorKind::NotFound,
        "This invitation does not work (any more): it was used, taken back, or its time is over. Ask whoever sent it for a new one. With an account you can sign in.",
    )
}

fn form(token: String, invited: &Invitation, error: Option<AppError>) -> AnyView {
    let who = invited.inviter.as_deref().unwrap_or("Whoever runs this server");
    let words = format!("{who} invites you to {}, with the role {}.", invited.tenant_name, invited.role.label());
    let email = visible_on_page(&invited.email).into_owned();
    let signed_in = scope::session().ok().map(|session| {
        note(
            "info",
            format!(
                "You are signed in as {}. This browser is signed out of that when the account is made.",
                visible_on_page(&session.email)
            ),
        )
    });
    view! {
        {page_title("Invitation")}
        <div class="gate">
            <main class="gate-form" id="main">
                <div>
                    <span class="brand">{logo()}<span>"TenantAtlas"</span></span>
                    <h1>"Create your account"</h1>
                    <p class="quiet-text">{words}</p>
                </div>
                {signed_in}
                <ActiveForm action={address::function::<AcceptInvitation>().to_owned()} class="form" error>
                    {hidden("token", token)}
                    {field("email", "E-mail", Some("You sign in with this address."), view! {
                        <input class="input" id="email" type="email" autocomplete="username" readonly value=email />
                    })}
                    {field("name", "Your name", None, view! {
                        <input class="input" id="name" name="name" autocomplete="name" required maxlength="200" />
                    })}
                    {new_password("Password")}
                    {reveal()}
                    <button class="button primary">"Create account"</button>
                </ActiveForm>
            </main>
            <aside class="gate-map" aria-hidden="true">{chart()}<p>"One map for every tenant."</p></aside>
        </div>
    }
    .drawn()
}
