//! The members of a tenant.

use super::go_to;
use crate::address;
use crate::error::AppError;
use crate::scope::{self, Inside};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::members::{self, Member};

/// The members, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside) -> Result<Vec<Member>, AppError> {
    Ok(members::list(inside.engine.db(), inside.id()).await?)
}

/// Gives a user of this server a role. Whether somebody has the address is told to those who see all users anyway, and to
/// nobody else.
///
/// # Errors
/// Forbidden; to be confirmed; they are a member already; nobody has that address.
pub async fn add(email: String, role: Role) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    let found = inside.engine.add_member(&inside.session.actor(), inside.id(), &email, role).await?;
    if !found && inside.session.platform_admin {
        return Err(AppError::invalid(
            "email",
            "Nobody on this server signs in with that address. Somebody who administers the platform can add them.",
        ));
    }
    go_to(&inside.address().members(), Some("added"));
    Ok(())
}

/// Changes the role of a member.
///
/// # Errors
/// Forbidden; no such member; the last owner stays owner.
pub async fn change(user: UserId, role: Role) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    if !list(&inside).await?.iter().any(|member| member.user_id == user) {
        return Err(AppError::not_found("The member"));
    }
    inside.engine.set_member(&inside.session.actor(), inside.id(), user, role).await?;
    go_to(&inside.address().members(), Some("member"));
    Ok(())
}

/// Takes a member's access away.
///
/// # Errors
/// Forbidden; no such member; the last owner stays.
pub async fn remove(user: UserId) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    inside.engine.remove_member(&inside.session.actor(), inside.id(), user).await?;
    // Who left the tenant themselves cannot see its members any more.
    let next = if user == inside.session.user_id { address::HOME.to_owned() } else { inside.address().members() };
    go_to(&next, Some("member"));
    Ok(())
}
