//! The open invitations of a tenant, and the link of a new one.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_store::invitations::Invitation;

use super::functions::RevokeInvitation;
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::time::{day, moment};

/// The link of the invitation that was just made, and what is to be done with it.
pub fn link_note(invited: &Invitation, link: String) -> AnyView {
    let email = visible_on_page(&invited.email).into_owned();
    view! {
        <div class="note" data-tone="ok" role="status">
            {Icon::Done.view()}
            <div>
                <p>
                    "Nobody signs in as "{email}" yet, so here is a link to send them. It makes their account with the role "
                    {invited.role.label()}", works once, and ends at "{day(invited.expires_at.as_millis())}". "
                    <strong>"It is shown only now."</strong>" Whoever has it can use it: send it to nobody else."
                </p>
                <dl class="facts">
                    <dt>"Link"</dt>
                    <dd>
                        <code class="identifier" id="invitation-link">{link}</code>
                        <button class="button small copy" type="button" data-copy="invitation-link">{Icon::Copy.view()}<span aria-live="polite">"Copy"</span></button>
                    </dd>
                </dl>
            </div>
        </div>
    }
    .drawn()
}

/// Who is invited and has not come yet; nothing where nobody is.
pub fn open_invitations(inside: &Inside, invitations: &[Invitation]) -> Option<AnyView> {
    if invitations.is_empty() {
        return None;
    }
    let rows = invitations.iter().map(|invited| row(inside, invited)).collect_view();
    let list = view! {
        <section aria-labelledby="invited-title">
            <h2 id="invited-title">"Invited"</h2>
            <div class="table-wrap">
                <table class="table cards">
                    <caption class="visually-hidden">"Open invitations"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"E-mail"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Invited by"</th>
                            <th scope="col">"Link ends"</th>
                            <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    };
    Some(list.drawn())
}

fn row(inside: &Inside, invited: &Invitation) -> AnyView {
    let email = visible_on_page(&invited.email).into_owned();
    let by = invited.inviter.clone().unwrap_or_else(|| "command line".to_owned());
    let button = format!("Take back the invitation of {email}");
    let (action, id) = (inside.address().function::<RevokeInvitation>(), invited.id.to_string());
    let (role, expires) = (invited.role.label(), invited.expires_at.as_millis());
    view! {
        <tr>
            <th scope="row" class="title">{email}</th>
            <td data-label="Role">{role}</td>
            <td data-label="Invited by" class="wide">{by}</td>
            <td data-label="Link ends" class="quiet">{moment(expires)}</td>
            <td class="shrink">
                <ActiveForm action class="actions" error=None>
                    {hidden("invitation", id)}
                    <button class="button quiet small" aria-label=button>"Take back"</button>
                </ActiveForm>
            </td>
        </tr>
    }
    .drawn()
}
