//! The members of a tenant.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::Role;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load::list,
    crate::{access::Rule, address, done::Done, redirect::go_to_with, scope, session::origin::origin},
    tenantatlas_domain::role::Action,
    tenantatlas_engine::AddedMember,
};

/// Gives a user of this server a role. Where nobody has the address it makes an invitation, and leads to its link; the list
/// shows which of the two it was (docs/security.md, "What is accepted").
///
/// # Errors
/// Forbidden; to be confirmed; no address; they are a member already; too many are invited.
#[server(prefix = "/api", endpoint = "add_member")]
pub async fn add_member(email: String, role: Role) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    let origin = origin()?;
    match inside.engine.add_member(&inside.session.actor(), inside.id(), &email, role).await? {
        AddedMember::Member => go_to_with(&inside.address().members(), Done::MemberAdded),
        AddedMember::Invited(invited) => {
            origin.show_link(&invited.token);
            go_to_with(&inside.address().members(), Done::MemberInvited);
        }
    }
    Ok(())
}
rule!(AddMember, Rule::Member(Action::ManageMembers));

/// Takes an invitation back: its link no longer works.
///
/// # Errors
/// Forbidden; no such invitation, or it was used meanwhile.
#[server(prefix = "/api", endpoint = "revoke_invitation")]
pub async fn revoke_invitation(invitation: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    let id = invitation.parse().map_err(|_| AppError::not_found("The invitation"))?;
    inside.engine.revoke_invitation(&inside.session.actor(), inside.id(), id).await?;
    go_to_with(&inside.address().members(), Done::InvitationRevoked);
    Ok(())
}
rule!(RevokeInvitation, Rule::Member(Action::ManageMembers));

/// Changes the role of a member.
///
/// # Errors
/// Forbidden; no such member; the last owner stays owner.
#[server(prefix = "/api", endpoint = "change_member")]
pub async fn change_member(user: UserId, role: Role) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    if !list(&inside).await?.iter().any(|member| member.user_id == user) {
        return Err(AppError::not_found("The member"));
    }
    inside.engine.set_member(&inside.session.actor(), inside.id(), user, role).await?;
    go_to_with(&inside.address().members(), Done::MembersSaved);
    Ok(())
}
rule!(ChangeMember, Rule::Member(Action::ManageMembers));

/// Takes a member's access away; open live streams end within seconds.
///
/// # Errors
/// Forbidden; no such member; the last owner stays.
#[server(prefix = "/api", endpoint = "remove_member")]
pub async fn remove_member(user: UserId) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    inside.engine.remove_member(&inside.session.actor(), inside.id(), user).await?;
    // Who left the tenant themselves cannot see its members any more, and cannot take it back.
    if user == inside.session.user_id {
        go_to_with(address::HOME, Done::TenantLeft);
    } else {
        go_to_with(&inside.address().members_without(user), Done::MemberRemoved);
    }
    Ok(())
}
rule!(RemoveMember, Rule::Member(Action::ManageMembers));

/// Takes the removal of a member back, within ten minutes and by who removed them.
///
/// # Errors
/// Forbidden; no such removal; they are a member again.
#[server(prefix = "/api", endpoint = "restore_member")]
pub async fn restore_member(user: UserId) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    inside.engine.restore_member(&inside.session.actor(), inside.id(), user).await?;
    go_to_with(&inside.address().members(), Done::MemberRestored);
    Ok(())
}
rule!(RestoreMember, Rule::Member(Action::ManageMembers));
