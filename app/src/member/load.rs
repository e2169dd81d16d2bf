//! What the page of the members shows.

use tenantatlas_store::invitations::{self, Invitation};
use tenantatlas_store::members::{self, Member};

use crate::address;
use crate::error::AppError;
use crate::scope::Inside;
use crate::session::cookies::hash_token;
use crate::session::origin::{in_full, link_to_show};

/// The members, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside) -> Result<Vec<Member>, AppError> {
    Ok(members::list(inside.engine.reader(), inside.id()).await?)
}

/// The open invitations, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn invitations(inside: &Inside) -> Result<Vec<Invitation>, AppError> {
    Ok(invitations::list(inside.engine.reader(), inside.id(), inside.engine.now()).await?)
}

/// The invitation that this browser has just made, with its link: the one time that it is shown. Nothing but a link of this
/// tenant is, whatever a cookie says.
///
/// # Errors
/// When the database fails.
pub async fn new_link(inside: &Inside) -> Result<Option<(Invitation, String)>, AppError> {
    let Some(token) = link_to_show() else { return Ok(None) };
    let found = invitations::find(inside.engine.reader(), &hash_token(&token), inside.engine.now()).await?;
    let found = found.filter(|found| found.tenant_id == inside.id());
    Ok(found.and_then(|found| Some((found, in_full(&address::invitation(&token))?))))
}
