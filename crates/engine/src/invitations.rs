//! Inviting people who have no account: a link that works once makes account and membership in one transaction.
//!
//! The link is for whoever has it: nothing is sent from here, so no address is proved. It is worth no more than who
//! invited: when they may no longer say who is a member, it does not work.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, CommandError, Log, Right, require};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::invitations::{self, Invitation, NewInvitation};
use tenantatlas_store::one_time_links::{self, Purpose};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::users::{self, NewUser};
use tenantatlas_store::{StoreError, Tx, members};
use uuid::Uuid;

use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::password::{Person, hash_password};
use crate::sign_in::{Visitor, after};
use crate::token::new_token;
use crate::users::{check_email, check_name};

/// How long the link of an invitation works.
pub const INVITATION_LASTS: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Open invitations into one tenant, at most: each is somebody's way in.
const MOST_OPEN: usize = 50;

/// What became of adding somebody by their e-mail address.
pub enum AddedMember {
    /// They have an account, and are a member now.
    Member,
    /// Nobody has that address: a link was made.
    Invited(Invited),
}

/// An invitation that was just made. It has no `Debug`: its token must not reach a log.
pub struct Invited {
    /// What stands for the invitation in its link. It is kept nowhere: the database holds its hash.
    pub token: String,
    /// When the link stops working.
    pub until: Timestamp,
}

impl Engine {
    /// The invitation of a link, when it would work now: in time, not used, and who invited may still say who is a member.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitation(&self, link: &TokenHash) -> Result<Option<Invitation>, EngineError> {
        let Some(found) = invitations::find(self.reader(), link, self.now()).await? else { return Ok(None) };
        let Some(inviter) = found.invited_by else { return Ok(Some(found)) };
        let role = members::effective_role(self.reader(), found.tenant_id, inviter).await?;
        Ok(role.is_some_and(|role| role.allows(Action::ManageMembers)).then_some(found))
    }

    /// Makes the account of somebody who was invited, and their membership, in one transaction: a link that is refused
    /// leaves nobody behind, and a password that is refused does not use the link up. The person then signs in like everybody
    /// else. Answers the invitation.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the link does not work, [`EngineError::Invalid`] for what the person typed,
    /// [`EngineError::Conflict`] when somebody has the address meanwhile, [`EngineError::TooMany`] for whoever guesses links.
    pub async fn accept_invitation(
        &self,
        visitor: &Visitor,
        link: &TokenHash,
        name: &str,
        password: SecretString,
    ) -> Result<Invitation, EngineError> {
        let core = &self.core;
        let nobody = Actor::anonymous().from_address(Some(visitor.address));
        let invited = {
            let attempt = core.attempt_at_link(visitor, &nobody).await?;
            match self.invitation(link).await? {
                Some(invited) => invited,
                None => {
                    attempt.failed("link").await?;
                    self.tell_of_refused(&nobody, link).await?;
                    return Err(EngineError::NotFound("the link"));
                }
            }
        };
        let name = &check_name(name)?;
        Person { name, email: &invited.email }.check(&password)?;
        let hash = hash_password(&core.commands.vault, &password).await?;
        let at = core.commands.clock.now();
        let mut tx = core.commands.db.write().await?;
        // The right of who invited is read where it is used up, as that of a command is.
        let inviter = invited.invited_by.map_or_else(Actor::command_line, |id| Actor::person(id, "", ""));
        let right = Right::Tenant(invited.tenant_id, Action::ManageMembers);
        require(&mut tx, &inviter, right).await.map_err(|error| match error {
            CommandError::NotFound(_) | CommandError::Forbidden => EngineError::NotFound("the link"),
            error => error.into(),
        })?;
        if one_time_links::take(&mut tx, link, Purpose::Invitation, at).await?.is_none() {
            return Err(EngineError::NotFound("the link"));
        }
        let id = UserId::from_uuid(Uuid::now_v7());
        let new = NewUser { id, email: invited.email.clone(), name: name.clone(), platform_admin: false };
        users::create(&mut tx, &new, at).await.map_err(taken)?;
        users::set_password_hash(&mut tx, id, &hash, at).await?;
        members::set(&mut tx, invited.tenant_id, id, invited.role, at).await?;
        let person = Actor::person(id, new.name, new.email).from_address(Some(visitor.address));
        let created = AuditEntry::new(AuditAction::UserCreated, "user", id)
            .with(json!({ "platform_admin": false, "by_link": true }));
        core.commands.record(&mut tx, &person, created).await?;
        core.commands.record(&mut tx, &person, accepted(&invited, "user", id)).await?;
        tx.commit().await?;
        Ok(invited)
    }

    /// Takes an invitation back: its link no longer works.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for tenant or invitation, [`EngineError::Forbidden`], [`EngineError::Confirm`].
    pub async fn revoke_invitation(
        &self,
        actor: &Actor,
        tenant: TenantId,
        invitation: Uuid,
    ) -> Result<(), EngineError> {
        let entry = AuditEntry::new(AuditAction::InvitationRevoked, "invitation", invitation).of(tenant);
        let right = Right::Tenant(tenant, Action::ManageMembers);
        self.core
            .execute(Command::new(actor, right, entry.clone()).sensitive(), async |tx, log| {
                let email = invitations::revoke(tx, tenant, invitation).await?;
                let email = email.ok_or(EngineError::NotFound("the invitation"))?;
                log.replace(entry.clone().with(json!({ "email": email })));
                Ok(())
            })
            .await
    }

    /// Writes into the log of the tenant that an invitation was to be used whose inviter may invite nobody any more.
    async fn tell_of_refused(&self, actor: &Actor, link: &TokenHash) -> Result<(), EngineError> {
        if let Some(found) = invitations::find(self.reader(), link, self.now()).await? {
            let entry = accepted(&found, "invitation", found.id).ended(Outcome::Denied);
            self.core.commands.record_refusal(actor, entry).await;
        }
        Ok(())
    }
}

impl Core {
    /// Invites somebody of an address that nobody has, within the command that was to add them.
    pub(crate) async fn invite(
        &self,
        tx: &mut Tx,
        log: &mut Log,
        actor: &Actor,
        tenant: TenantId,
        email: &str,
        role: Role,
    ) -> Result<Invited, EngineError> {
        check_email(email)?;
        let email = email.trim();
        let at = self.commands.clock.now();
        let open = invitations::list(&mut *tx, tenant, at).await?;
        if open.len() >= MOST_OPEN {
            return Err(EngineError::Conflict(format!(
                "{MOST_OPEN} invitations into this tenant are open, as many as there can be. Take one back first."
            )));
        }
        let (token, token_hash) = new_token();
        let (id, until) = (Uuid::now_v7(), after(at, INVITATION_LASTS));
        let new = NewInvitation { id, tenant, email, role, invited_by: actor.user_id, token_hash, expires_at: until };
        invitations::create(tx, &new, at).await?;
        let facts = json!({ "email": email, "role": role });
        log.replace(AuditEntry::new(AuditAction::MemberInvited, "invitation", id).of(tenant).with(facts));
        Ok(Invited { token, until })
    }
}

/// What the audit log says of an invitation that is used.
fn accepted(invited: &Invitation, resource: &'static str, id: impl std::fmt::Display) -> AuditEntry {
    let facts = json!({
        "role": invited.role,
        "invitation": invited.id,
        "invited_by": invited.invited_by,
    });
    AuditEntry::new(AuditAction::InvitationAccepted, resource, id).of(invited.tenant_id).with(facts)
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict(
            "Somebody signs in with this e-mail address by now. Sign in, and ask whoever invited you to add you as a member."
                .to_owned(),
        )
    } else {
        error.into()
    }
}
