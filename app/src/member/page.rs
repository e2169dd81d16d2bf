//! The members of a tenant and their roles.

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::members::Member;

use super::functions::{AddMember, ChangeMember, RemoveMember, RestoreMember, RevokeInvitation};
use super::invitations::{link_note, open_invitations};
use super::load::{invitations, list, new_link};
use crate::done::Done;
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, options};
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, refusal_note};
use crate::ui::time::moment;

/// Who may do what; owners change it.
#[component]
pub fn MembersPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<ChangeMember>(&query).or_else(|| refusal::<RemoveMember>(&query));
    let refused = refused.or_else(|| refusal::<RestoreMember>(&query));
    let refused = refused.or_else(|| refusal::<RevokeInvitation>(&query));
    let add_error = refusal::<AddMember>(&query);
    let removed = query("removed").filter(|_| done == Some(Done::MemberRemoved)).and_then(|text| text.parse().ok());
    tenant_page(Section::Settings, move |inside| async move {
        let members = list(&inside).await?;
        let may_edit = inside.role.allows(Action::ManageMembers);
        // Who is invited is known to those who invite.
        let invited = if may_edit { invitations(&inside).await? } else { Vec::new() };
        let new_link = if may_edit { new_link(&inside).await? } else { None };
        let said = match (removed, new_link) {
            (Some(user), _) => Some(undo_note(&inside, user)),
            (None, Some((invitation, link))) => Some(link_note(&invitation, link)),
            (None, None) => done_note(done),
        };
        let rows = members.iter().map(|member| row(&inside, member, may_edit)).collect_view();
        let confirm =
            may_edit.then(|| confirm_note(&inside.session, &inside.address().members(), "change members")).flatten();
        let content = view! {
            {said}
            {refused.map(|error: AppError| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().settings()>"Settings"</a></nav>
                    <h1>"Members"</h1>
                    <p class="lead">"Who may see this tenant and what they may do in it. Whoever administers the platform may do everything."</p>
                </div>
            </div>
            {confirm}
            <div class="table-wrap">
                <table class="table cards">
                    <caption class="visually-hidden">"Members"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"E-mail"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Since"</th>
                            {may_edit.then(|| view! { <th scope="col"><span class="visually-hidden">"Actions"</span></th> })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {open_invitations(&inside, &invited)}
            <div class="columns">
                {may_edit.then(|| add(&inside, add_error))}
                {roles()}
            </div>
        }
        .drawn();
        Ok(("Members".to_owned(), content))
    })
}

/// Says that a member was removed, and offers to take it back.
fn undo_note(inside: &Inside, user: UserId) -> AnyView {
    let action = inside.address().function::<RestoreMember>();
    view! {
        <div class="note" data-tone="ok" role="status">
            {Icon::Done.view()}
            <p>{Done::MemberRemoved.sentence()}</p>
            <ActiveForm action class="actions" error=None>
                {hidden("user", user.to_string())}
                <button class="button small">"Undo"</button>
            </ActiveForm>
        </div>
    }
    .drawn()
}

fn role_options(chosen: &str) -> AnyView {
    options(Role::ALL.iter().map(|role| (role.as_str(), role.label())), chosen)
}

fn row(inside: &Inside, member: &Member, may_edit: bool) -> AnyView {
    let disabled = member.disabled_at.map(|_| view! { <span class="badge">"cannot sign in"</span> });
    let role = if may_edit { change(inside, member) } else { member.role.label().drawn() };
    view! {
        <tr>
            <th scope="row" class="title">{member.name.clone()}" "{disabled}</th>
            <td class="wide" data-label="E-mail">{member.email.clone()}</td>
            <td data-label="Role" class="wide">{role}</td>
            <td data-label="Since" class="quiet">{moment(member.created_at.as_millis())}</td>
            {may_edit.then(|| view! { <td class="shrink">{remove(inside, member)}</td> })}
        </tr>
    }
    .drawn()
}

fn change(inside: &Inside, member: &Member) -> AnyView {
    let action = inside.address().function::<ChangeMember>();
    let label = format!("Role of {}", member.name);
    let button = format!("Change the role of {}", member.name);
    let (user, role) = (member.user_id.to_string(), member.role.as_str());
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("user", user)}
            <select class="select" name="role" aria-label=label>{role_options(role)}</select>
            <button class="button small" aria-label=button>"Change"</button>
        </ActiveForm>
    }
    .drawn()
}

fn remove(inside: &Inside, member: &Member) -> AnyView {
    let action = inside.address().function::<RemoveMember>();
    let user = member.user_id.to_string();
    let (id, title) = (format!("remove-{user}"), format!("remove-{user}-title"));
    let (target, close, labelled) = (id.clone(), id.clone(), title.clone());
    let oneself = member.user_id == inside.session.user_id;
    let (question, means) = if oneself {
        ("Leave this tenant?".to_owned(), "You lose access at once. An owner can add you again.".to_owned())
    } else {
        (format!("Remove {}?", member.name), format!("{} loses access to this tenant at once.", member.email))
    };
    let (opens, does) = if oneself {
        ("Leave this tenant".to_owned(), "Leave the tenant".to_owned())
    } else {
        (format!("Remove {}", member.name), format!("Yes, remove {}", member.name))
    };
    // A popover opens, closes and is left by Esc without a script.
    view! {
        <button class="button quiet small" type="button" popovertarget=target aria-label=opens>{if oneself { "Leave" } else { "Remove" }}</button>
        <div class="question" id=id popover="auto" role="dialog" aria-labelledby=labelled>
            <h2 id=title>{question}</h2>
            <p>{means}</p>
            <ActiveForm action class="actions" error=None>
                {hidden("user", user)}
                <button class="button danger">{does}</button>
                <button class="button" type="button" popovertarget=close popovertargetaction="hide" autofocus>"Cancel"</button>
            </ActiveForm>
        </div>
    }
    .drawn()
}

fn add(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<AddMember>();
    section_card(
        "add",
        "Add a member",
        view! {
            <ActiveForm action class="form" error>
                {field("email", "E-mail", Some("Whoever signs in with it becomes a member at once. For anybody else you get a link to send them."), view! {
                    <input class="input" id="email" name="email" type="email" autocomplete="off" required />
                })}
                {field("role", "Role", None, view! { <select class="select" id="role" name="role">{role_options("readonly")}</select> })}
                <div class="form-foot"><button class="button primary">"Add"</button></div>
            </ActiveForm>
        },
    )
}

fn roles() -> AnyView {
    section_card(
        "roles",
        "What the roles may do",
        view! {
            <dl class="facts">
                <dt>{Role::Readonly.label()}</dt><dd>"Can view the inventory, runs, findings and schedules, but not the settings and scripts inside policies."</dd>
                <dt>{Role::Operator.label()}</dt><dd>"Can also view settings and scripts, start, cancel and retry runs, and accept findings."</dd>
                <dt>{Role::Manager.label()}</dt><dd>"Can also edit the connection, schedules and endpoints, and revoke tokens of the tenant."</dd>
                <dt>{Role::Owner.label()}</dt><dd>"Can also manage members and create tokens of the tenant."</dd>
            </dl>
        },
    )
}
