//! What an actor may do, read inside the write transaction that uses the right up.
//!
//! A right that is read before the transaction may be gone when the transaction begins: a request that waits for the
//! single writer of SQLite, or for a row lock of PostgreSQL, would then act on a right that was taken away meanwhile
//! (OWASP ASVS 4.0.3, requirements 4.1.2 and 11.1.6). Here the rows that carry the right are locked first and stay locked
//! until the commit, so whoever takes the right away waits for the command, or the command waits and finds it gone.
//!
//! Rows are locked in one order, so that two commands cannot block each other: the tenant, as strongly as the command will
//! need it, since a lock that becomes stronger later waits for those who hold the weaker one; then all who administer the
//! platform; then the person; then the membership. Where two commands still meet crosswise, as two tenants that swap their
//! names, PostgreSQL takes one of them back, and it is tried again.

use std::time::Duration;

use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::{Access, Tx, api_tokens, members, sessions, tenants, users};
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::error::CommandError;

/// What an actor must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Administer the platform: tenants and users.
    Platform,
    /// Act in a tenant.
    Tenant(TenantId, Action),
    /// Be signed in: for what people change about themselves.
    SignedIn,
}

/// Reads the right of an actor and keeps it until the transaction ends: the rows that carry it cannot change meanwhile.
///
/// # Errors
/// [`CommandError::NotFound`] when the tenant does not exist for the actor, [`CommandError::Forbidden`].
pub async fn require(tx: &mut Tx, actor: &Actor, right: Right) -> Result<(), CommandError> {
    match (actor.kind, actor.user_id) {
        (ActorKind::System | ActorKind::CommandLine, _) => match right {
            Right::Tenant(tenant, action) => {
                if held_tenant(tx, tenant, action).await? {
                    Ok(())
                } else {
                    Err(CommandError::NotFound("the tenant"))
                }
            }
            Right::Platform | Right::SignedIn => Ok(()),
        },
        (ActorKind::Person, Some(user)) => match right {
            Right::Platform => {
                users::lock_platform_admins(tx).await?;
                let person = users::lock(tx, user).await?.ok_or(CommandError::Forbidden)?;
                if person.platform_admin { Ok(()) } else { Err(CommandError::Forbidden) }
            }
            Right::SignedIn => users::lock(tx, user).await?.map(|_| ()).ok_or(CommandError::Forbidden),
            Right::Tenant(tenant, action) => match held_role(tx, tenant, user, action).await? {
                None => Err(CommandError::NotFound("the tenant")),
                Some(role) if role.allows(action) => Ok(()),
                Some(_) => Err(CommandError::Forbidden),
            },
        },
        // A token never acts outside of a tenant, and never for its person's account.
        (ActorKind::Token, _) => match right {
            Right::Tenant(tenant, action) => match held_role_of_token(tx, tenant, actor.token, action).await? {
                None => Err(CommandError::NotFound("the tenant")),
                Some(role) if role.allows(action) => Ok(()),
                Some(_) => Err(CommandError::Forbidden),
            },
            Right::Platform | Right::SignedIn => Err(CommandError::Forbidden),
        },
        (ActorKind::Person | ActorKind::Anonymous, _) => match right {
            Right::Tenant(..) => Err(CommandError::NotFound("the tenant")),
            Right::Platform | Right::SignedIn => Err(CommandError::Forbidden),
        },
    }
}

/// How long a person who proved who they are may change what is sensitive (`docs/rules.md`, section Access).
pub const CONFIRMATION_LASTS: Duration = Duration::from_secs(600);

/// Whether what was proved at one time still counts at another. A clock that was set back makes nothing last longer.
#[must_use]
pub fn is_confirmed(verified_at: Timestamp, now: Timestamp) -> bool {
    let age = now.as_millis().saturating_sub(verified_at.as_millis());
    u64::try_from(age).is_ok_and(|age| u128::from(age) <= CONFIRMATION_LASTS.as_millis())
}

/// Refuses a person who has not proved lately, in the session in which they act, who they are. The command line and the
/// product itself have nobody to ask.
///
/// # Errors
/// [`CommandError::Confirm`], and when the database fails.
pub async fn require_confirmed(on: impl Access, actor: &Actor, now: Timestamp) -> Result<(), CommandError> {
    match (actor.kind, actor.user_id, actor.session) {
        (ActorKind::System | ActorKind::CommandLine, _, _) => Ok(()),
        (ActorKind::Person, Some(user), Some(session)) => {
            let verified_at = sessions::verified_at(on, user, session, now).await?;
            if verified_at.is_some_and(|at| is_confirmed(at, now)) { Ok(()) } else { Err(CommandError::Confirm) }
        }
        (ActorKind::Person | ActorKind::Anonymous | ActorKind::Token, _, _) => Err(CommandError::Confirm),
    }
}

/// Lets only those go on who administer the platform, within a command whose right was another one. Their row is locked
/// already, so nobody else's has to be.
///
/// # Errors
/// [`CommandError::Forbidden`].
pub async fn require_administrator(tx: &mut Tx, actor: &Actor) -> Result<(), CommandError> {
    match (actor.kind, actor.user_id) {
        (ActorKind::System | ActorKind::CommandLine, _) => Ok(()),
        (ActorKind::Person, Some(user)) => {
            let person = users::lock(tx, user).await?;
            if person.is_some_and(|person| person.platform_admin) { Ok(()) } else { Err(CommandError::Forbidden) }
        }
        (ActorKind::Person | ActorKind::Anonymous | ActorKind::Token, _) => Err(CommandError::Forbidden),
    }
}

/// Locks a tenant as strongly as an action in it needs. Answers whether there is one.
async fn held_tenant(tx: &mut Tx, tenant: TenantId, action: Action) -> Result<bool, CommandError> {
    Ok(match action {
        // Name and directory may change: nobody may even refer to the tenant meanwhile, as a run does that begins.
        Action::EditConnection => tenants::lock_whole(tx, tenant).await?.is_some(),
        Action::ManageMembers => tenants::lock(tx, tenant).await?.is_some(),
        Action::View
        | Action::Sync
        | Action::Capture
        | Action::SeeBodies
        | Action::AcknowledgeFindings
        | Action::CancelRun
        | Action::EditSchedules
        | Action::EditEndpoints => tenants::hold(tx, tenant).await?.is_some(),
    })
}

/// The role of a person in a tenant, locked until the transaction ends.
async fn held_role(tx: &mut Tx, tenant: TenantId, user: UserId, action: Action) -> Result<Option<Role>, CommandError> {
    if !held_tenant(tx, tenant, action).await? {
        return Ok(None);
    }
    let Some(person) = users::lock(tx, user).await? else { return Ok(None) };
    if person.platform_admin {
        return Ok(Some(Role::Owner));
    }
    Ok(members::lock_role(tx, tenant, user).await?)
}

/// What a token allows in a tenant, locked until the transaction ends: the lesser of its role and of what its person may do there
/// now. `None` when it was taken back, its person cannot sign in, or the tenant is not among its own.
async fn held_role_of_token(
    tx: &mut Tx,
    tenant: TenantId,
    token: Option<Uuid>,
    action: Action,
) -> Result<Option<Role>, CommandError> {
    let Some(id) = token else { return Ok(None) };
    let Some(known) = api_tokens::get(&mut *tx, id).await? else { return Ok(None) };
    let role = match known.user_id {
        Some(user) => held_role(tx, tenant, user, action).await?,
        None => held_tenant(tx, tenant, action).await?.then_some(Role::Owner),
    };
    let Some(token) = api_tokens::hold(tx, id).await? else { return Ok(None) };
    let reached = api_tokens::reaches(&mut *tx, &token, tenant).await?;
    Ok(role.filter(|_| reached).map(|role| role.min(token.role)))
}
