//! The tokens of a person, and those of a tenant.

use leptos::prelude::*;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::{api_tokens, tenants};

use super::functions::{CreateTenantToken, CreateToken, RevokeTenantToken, RevokeToken};
use super::load::{Shown, new_secret, with_tenants};
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{done, plain_page, query, refusal, tenant_page};
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, options};
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, refusal_note};
use crate::ui::time::{day, moment};
use crate::{address, scope};

/// When a token may end.
const ENDS: [(&str, &str); 4] =
    [("30", "In 30 days"), ("90", "In 90 days"), ("180", "In 180 days"), ("365", "In a year")];

/// The tokens of the person.
#[component]
pub fn TokensPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<RevokeToken>(&query);
    let error = refusal::<CreateToken>(&query);
    plain_page(move || async move {
        let (engine, session) = (scope::engine()?, scope::session()?);
        let shown = with_tenants(&engine, api_tokens::of_person(engine.reader(), session.user_id).await?).await?;
        let secret = new_secret(&engine, &shown).await?;
        let own = tenants::list_visible(engine.reader(), session.user_id).await?;
        let own: Vec<(String, String)> =
            own.into_iter().map(|one| (one.tenant.id.to_string(), one.tenant.name)).collect();
        let said = secret.map_or_else(|| done_note(done), |(name, secret)| Some(secret_note(name, secret)));
        let confirm = confirm_note(&session, address::TOKENS, "make tokens");
        let action = address::function::<RevokeToken>();
        let content = view! {
            {said}
            {refused.map(|error: AppError| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::ACCOUNT>"Profile and sessions"</a></nav>
                    <h1>"Tokens"</h1>
                    <p class="lead">"With a token a program asks in your name, by the "<a href="/api/v1/reference">"REST API"</a>". It never may more than its role, and never more than you."</p>
                </div>
            </div>
            {confirm}
            {list(&shown, action, engine.now())}
            {create(own, error)}
        }
        .drawn();
        Ok(("Tokens".to_owned(), content))
    })
}

/// The tokens of a tenant.
#[component]
pub fn TenantTokensPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<RevokeTenantToken>(&query);
    let error = refusal::<CreateTenantToken>(&query);
    tenant_page(Section::Settings, move |inside| async move {
        let engine = &inside.engine;
        let shown = with_tenants(engine, api_tokens::of_tenant(engine.reader(), inside.id()).await?).await?;
        let secret = new_secret(engine, &shown).await?;
        let said = secret.map_or_else(|| done_note(done), |(name, secret)| Some(secret_note(name, secret)));
        let may_make = inside.role.allows(Action::ManageMembers);
        let confirm =
            may_make.then(|| confirm_note(&inside.session, &inside.address().tokens(), "make tokens")).flatten();
        let action = inside.address().function::<RevokeTenantToken>();
        let make = inside.address().function::<CreateTenantToken>();
        let form = may_make.then(|| {
            section_card(
                "create",
                "Make a token",
                view! {
                    <ActiveForm action=make class="form" error>
                        {name_field()}
                        {role_field()}
                        {end_field()}
                        <div class="form-foot"><button class="button primary">"Make the token"</button></div>
                    </ActiveForm>
                },
            )
        });
        let content = view! {
            {said}
            {refused.map(|error: AppError| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().settings()>"Settings"</a></nav>
                    <h1>"Tokens"</h1>
                    <p class="lead">"Programs that ask in the name of this tenant, by the "<a href="/api/v1/reference">"REST API"</a>". They stay when the person who made them leaves. Owners make them; managers revoke them."</p>
                </div>
            </div>
            {confirm}
            {list(&shown, action, engine.now())}
            {form}
        }
        .drawn();
        Ok(("Tokens".to_owned(), content))
    })
}

/// The secret of the token that was just made.
fn secret_note(name: String, secret: String) -> AnyView {
    view! {
        <div class="note" data-tone="ok" role="status">
            {Icon::Done.view()}
            <div>
                <p>"The token "{name}" is made. "<strong>"It is shown only now."</strong>" Whoever has it can use it: keep it like a password."</p>
                <dl class="facts">
                    <dt>"Token"</dt>
                    <dd>
                        <code class="identifier" id="new-token">{secret}</code>
                        <button class="button small copy" type="button" data-copy="new-token">{Icon::Copy.view()}<span aria-live="polite">"Copy"</span></button>
                    </dd>
                </dl>
            </div>
        </div>
    }
    .drawn()
}

fn list(shown: &[Shown], action: impl Into<String>, now: Timestamp) -> AnyView {
    if shown.is_empty() {
        return view! { <p class="quiet-text">"There are no tokens yet."</p> }.drawn();
    }
    let action: String = action.into();
    let rows = shown.iter().map(|one| row(one, action.clone(), now)).collect_view();
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Tokens"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Tenants"</th>
                        <th scope="col">"Ends"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .drawn()
}

fn row(shown: &Shown, action: String, now: Timestamp) -> AnyView {
    let token = &shown.token;
    let name = token.name.clone();
    let stands = token.stands(now);
    let state = match (&token.revoked_by, stands) {
        (Some(by), _) => Some(format!("revoked by {by}")),
        (None, false) => Some("ended".to_owned()),
        (None, true) => None,
    };
    let reach = match (token.all_tenants, token.tenant_id, shown.tenants.is_empty()) {
        (true, ..) => "All of yours".to_owned(),
        (false, Some(_), _) => "This one".to_owned(),
        (false, None, true) => "None any more".to_owned(),
        (false, None, false) => shown.tenants.join(", "),
    };
    let used = token.last_used_at.map_or_else(|| "never".drawn(), |at| moment(at.as_millis()).drawn());
    let button = format!("Revoke {name}");
    let id = token.id.to_string();
    let revoke = stands.then(|| {
        view! {
            <ActiveForm action class="actions" error=None>
                {hidden("token", id)}
                <button class="button quiet small" aria-label=button>"Revoke"</button>
            </ActiveForm>
        }
    });
    view! {
        <tr>
            <th scope="row" class="title">{name}" "{state.map(|words| view! { <span class="badge">{words}</span> })}</th>
            <td data-label="Role">{token.role.label()}</td>
            <td data-label="Tenants" class="wide">{reach}</td>
            <td data-label="Ends" class="quiet">{day(token.expires_at.as_millis())}</td>
            <td data-label="Last used" class="quiet">{used}</td>
            <td class="shrink">{revoke}</td>
        </tr>
    }
    .drawn()
}

fn name_field() -> AnyView {
    field(
        "name",
        "Name",
        Some("What uses it, such as Nightly export. It stands in the audit log and in the list of runs."),
        view! {
            <input class="input" id="name" name="name" required maxlength="80" autocomplete="off" />
        },
    )
}

fn role_field() -> AnyView {
    let roles = options(Role::ALL.iter().map(|role| (role.as_str(), role.label())), "readonly");
    field(
        "role",
        "Role",
        Some("The most that it may do."),
        view! { <select class="select" id="role" name="role">{roles}</select> },
    )
}

fn end_field() -> AnyView {
    field("days", "Ends", None, view! { <select class="select" id="days" name="days">{options(ENDS, "90")}</select> })
}

fn create(own: Vec<(String, String)>, error: Option<AppError>) -> AnyView {
    let action = address::function::<CreateToken>().to_owned();
    let own = std::iter::once((String::new(), "All of yours, also later ones".to_owned())).chain(own);
    section_card(
        "create",
        "Make a token",
        view! {
            <ActiveForm action class="form" error>
                {name_field()}
                {role_field()}
                {field("tenants", "Tenant", None, view! { <select class="select" id="tenants" name="tenants[]">{options(own, "")}</select> })}
                {end_field()}
                <div class="form-foot"><button class="button primary">"Make the token"</button></div>
            </ActiveForm>
        },
    )
}
