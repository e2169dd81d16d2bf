//! What platform administrators do: users, and new tenants.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_engine::{MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS};
use tenantatlas_store::users::User;

use super::functions::{AddUser, ChangeUser, RemoveUser, ResetPassword, ResetSecondFactor};
use super::load as users;
use crate::error::AppError;
use crate::page::{done, plain_page, query, refusal};
use crate::session::current::CurrentSession;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, new_password, reveal};
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, refusal_note};
use crate::ui::state::state;
use crate::ui::time::moment_or;
use crate::{address, scope};

/// Everybody who may sign in.
#[component]
pub fn UsersPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<ChangeUser>(&query).or_else(|| refusal::<ResetPassword>(&query));
    let refused = refused.or_else(|| refusal::<RemoveUser>(&query)).or_else(|| refusal::<ResetSecondFactor>(&query));
    let add_error = refusal::<AddUser>(&query);
    plain_page(move || async move {
        let session = scope::administrator()?;
        let (people, with_factor) = (users::list().await?, users::with_second_factor().await?);
        let rows = people.iter().map(|user| row(&session, user, with_factor.contains(&user.id))).collect_view();
        let content = view! {
            {done_note(done)}
            {refused.map(|error: AppError| refusal_note(&error))}
            <div class="page-head">
                <div><h1>"Administration"</h1><p class="lead">"Everybody who may sign in to this server."</p></div>
                <div class="actions"><a class="button" href=address::RETENTION>{Icon::Waiting.view()}"Retention"</a><a class="button" href=address::ALL_TENANTS>{Icon::Tenant.view()}"All tenants"</a><a class="button" href=address::ADD_TENANT>{Icon::Add.view()}"Add a tenant"</a></div>
            </div>
            {confirm_note(&session, address::USERS, "add, change or remove people")}
            <div class="table-wrap">
                <table class="table cards">
                    <caption class="visually-hidden">"People"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"E-mail"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Last sign-in"</th>
                            <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {add(add_error)}
        }
        .drawn();
        Ok(("Administration".to_owned(), content))
    })
}

fn row(session: &CurrentSession, user: &User, has_factor: bool) -> AnyView {
    let own = user.id == session.user_id;
    let disabled = user.disabled_at.is_some();
    let chip =
        if disabled { state("idle", Icon::Excluded, "Cannot sign in") } else { state("ok", Icon::Included, "Active") };
    view! {
        <tr>
            <th scope="row" class="title">
                {user.name.clone()}" "
                {user.platform_admin.then(|| view! { <span class="badge" data-tone="info">"Administrator"</span> })}
                {has_factor.then(|| view! { " "<span class="badge" data-tone="ok">"Second factor"</span> })}
            </th>
            <td class="wide" data-label="E-mail">{visible_on_page(&user.email).into_owned()}</td>
            <td data-label="State">{chip}</td>
            <td data-label="Last sign-in" class="quiet">
                {moment_or(user.last_sign_in_at.map(tenantatlas_domain::time::Timestamp::as_millis), "never")}
            </td>
            <td class="wide">
                <details>
                    <summary>"Change "<span class="visually-hidden">{user.name.clone()}</span></summary>
                    <div class="stack">
                        <div class="actions">
                            {change(user, "platform_admin", !user.platform_admin, if user.platform_admin { "Remove administration" } else { "Make administrator" })}
                            {change(user, "disabled", !disabled, if disabled { "Let sign in again" } else { "Disable" })}
                        </div>
                        {if own { own_password() } else { reset(user) }}
                        {has_factor.then(|| reset_factor(user))}
                        {remove(user)}
                    </div>
                </details>
            </td>
        </tr>
    }
    .drawn()
}

fn change(user: &User, what: &'static str, value: bool, words: &'static str) -> AnyView {
    let id = user.id.to_string();
    let action = address::function::<ChangeUser>().to_owned();
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("user", id)}
            {hidden(what, if value { "true" } else { "false" })}
            <button class="button small">{words}</button>
        </ActiveForm>
    }
    .drawn()
}

fn reset(user: &User) -> AnyView {
    let id = user.id.to_string();
    let action = address::function::<ResetPassword>().to_owned();
    let label = format!("New password of {}", user.name);
    let email = user.email.clone();
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("user", id)}
            <input type="text" name="username" value=email autocomplete="username" hidden readonly />
            <input class="input" name="password" type="password" autocomplete="new-password" placeholder="New password" aria-label=label required minlength=MIN_PASSWORD_CHARACTERS maxlength=MAX_PASSWORD_CHARACTERS />
            <button class="button small">"Set the password"</button>
        </ActiveForm>
    }
    .drawn()
}

fn own_password() -> AnyView {
    view! { <p class="quiet-text">"Your own password is changed under "<a href=address::ACCOUNT>"Profile"</a>"."</p> }
        .drawn()
}

fn reset_factor(user: &User) -> AnyView {
    let id = user.id.to_string();
    let action = address::function::<ResetSecondFactor>().to_owned();
    let label = format!("Remove the second factor of {}", user.name);
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("user", id)}
            <button class="button small" aria-label=label>"Remove the second factor"</button>
        </ActiveForm>
    }
    .drawn()
}

fn remove(user: &User) -> AnyView {
    let id = user.id.to_string();
    let action = address::function::<RemoveUser>().to_owned();
    let email = visible_on_page(&user.email);
    let label = format!("To remove {}, type {email}", user.name);
    let button = format!("Remove {}", user.name);
    let placeholder = email.into_owned();
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("user", id)}
            <input class="input" name="confirmation" autocomplete="off" spellcheck="false" placeholder=placeholder aria-label=label required />
            <button class="button danger small" aria-label=button>"Remove"</button>
        </ActiveForm>
    }
    .drawn()
}

fn add(error: Option<AppError>) -> AnyView {
    let action = address::function::<AddUser>().to_owned();
    section_card(
        "add",
        "Add a person",
        view! {
            <ActiveForm action class="form" error>
                <div class="form-row">
                    {field("name", "Name", None, view! { <input class="input" id="name" name="name" autocomplete="off" required maxlength="200" /> })}
                    {field("email", "E-mail", None, view! { <input class="input" id="email" name="email" type="email" autocomplete="off" required /> })}
                </div>
                {new_password("First password")}
                {reveal()}
                <label class="check">
                    <input type="checkbox" name="platform_admin" value="true" />
                    "Administers the platform: all tenants and all people"
                </label>
                <div class="form-foot"><button class="button primary">"Add"</button></div>
            </ActiveForm>
        },
    )
}
