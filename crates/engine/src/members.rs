//! Who may do what in a tenant.

use std::time::Duration;

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Rate, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{self, Outcome};
use tenantatlas_store::{Tx, invitations, members, users};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::invitations::AddedMember;

/// Members added by one person: a team at once, then two a minute.
const ADD_RATE: Rate = Rate { burst: 30, every: Duration::from_secs(30) };

/// For how long the removal of a member can be taken back, milliseconds.
const UNDO_LASTS: i64 = 600_000;

impl Engine {
    /// Makes a person a member of a tenant, or changes their role.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for tenant or person, [`EngineError::Forbidden`], [`EngineError::Conflict`] when the
    /// last owner would lose the role.
    pub async fn set_member(
        &self,
        actor: &Actor,
        tenant: TenantId,
        user: UserId,
        role: Role,
    ) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::MemberSet, "user", user).of(tenant).with(json!({ "role": role }));
        let right = Right::Tenant(tenant, Action::ManageMembers);
        core.execute(Command::new(actor, right, entry).sensitive(), async |tx, _| {
            users::get(&mut *tx, user).await?.ok_or(EngineError::NotFound("the person"))?;
            members::lock(tx, tenant, Role::Owner).await?;
            let owners = members::count(&mut *tx, tenant, Role::Owner).await?;
            members::set(tx, tenant, user, role, core.commands.clock.now()).await?;
            keep_one_owner(tx, tenant, owners).await
        })
        .await
    }

    /// Makes the person with an e-mail address a member. When nobody has that address they are invited: the answer is a
    /// link that makes their account. Whoever may do this sees in the list of members which of the two it was. Trying
    /// addresses asks for the password again, is slow, and each is in the audit log.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for the tenant, [`EngineError::Forbidden`], [`EngineError::Confirm`],
    /// [`EngineError::Invalid`] for the address, [`EngineError::Conflict`] when they are a member already or too many are
    /// invited, [`EngineError::TooMany`].
    pub async fn add_member(
        &self,
        actor: &Actor,
        tenant: TenantId,
        email: &str,
        role: Role,
    ) -> Result<AddedMember, EngineError> {
        let core = &self.core;
        core.commands.limit(actor, "add_member", ADD_RATE).await?;
        let entry =
            AuditEntry::new(AuditAction::MemberAdded, "user", "unknown").of(tenant).with(json!({ "role": role }));
        let right = Right::Tenant(tenant, Action::ManageMembers);
        core.execute(Command::new(actor, right, entry.clone()).sensitive(), async |tx, log| {
            let Some(found) = users::find_by_email(&mut *tx, email).await? else {
                return core.invite(tx, log, actor, tenant, email, role).await.map(AddedMember::Invited);
            };
            let user = found.user.id;
            if let Some(present) = members::lock_role(tx, tenant, user).await? {
                return Err(is_member(&found.user.name, present));
            }
            members::set(tx, tenant, user, role, core.commands.clock.now()).await?;
            invitations::remove_of(tx, tenant, email).await?;
            log.replace(
                AuditEntry::new(AuditAction::MemberAdded, "user", user).of(tenant).with(json!({ "role": role })),
            );
            Ok(AddedMember::Member)
        })
        .await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for tenant or membership, [`EngineError::Forbidden`], [`EngineError::Conflict`] when it
    /// is the last owner's.
    pub async fn remove_member(&self, actor: &Actor, tenant: TenantId, user: UserId) -> Result<(), EngineError> {
        let entry = AuditEntry::new(AuditAction::MemberRemoved, "user", user).of(tenant);
        let right = Right::Tenant(tenant, Action::ManageMembers);
        self.core
            .execute(Command::new(actor, right, entry.clone()).sensitive(), async |tx, log| {
                members::lock(tx, tenant, Role::Owner).await?;
                let owners = members::count(&mut *tx, tenant, Role::Owner).await?;
                let Some(role) = members::lock_role(tx, tenant, user).await? else {
                    return Err(EngineError::NotFound("the member"));
                };
                members::remove(tx, tenant, user).await?;
                keep_one_owner(tx, tenant, owners).await?;
                log.replace(entry.clone().with(json!({ "role": role })));
                Ok(())
            })
            .await
    }

    /// Takes the removal of a member back: the person has the role again that they had. Only for who removed them, and
    /// for [`UNDO_LASTS`]; what the role was is read from the audit log.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for tenant, person or removal, [`EngineError::Forbidden`], [`EngineError::Conflict`] when
    /// they are a member again.
    pub async fn restore_member(&self, actor: &Actor, tenant: TenantId, user: UserId) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::MemberAdded, "user", user).of(tenant);
        let right = Right::Tenant(tenant, Action::ManageMembers);
        core.execute(Command::new(actor, right, entry.clone()).sensitive(), async |tx, log| {
            let person = users::get(&mut *tx, user).await?.ok_or(EngineError::NotFound("the person"))?;
            if let Some(present) = members::lock_role(tx, tenant, user).await? {
                return Err(is_member(&person.name, present));
            }
            let now = core.commands.clock.now();
            let removal = audit::Filter {
                tenant_id: Some(tenant),
                actor_id: actor.user_id,
                action: Some(AuditAction::MemberRemoved.as_str().to_owned()),
                resource_id: Some(user.to_string()),
                from: Some(Timestamp::from_millis(now.as_millis() - UNDO_LASTS)),
                limit: 10,
                ..audit::Filter::default()
            };
            let removals = audit::list(&mut *tx, &removal).await?;
            let removed = removals.iter().find(|entry| entry.outcome == Outcome::Success);
            let role = removed.and_then(|entry| entry.context["role"].as_str()?.parse::<Role>().ok());
            let role = role.ok_or(EngineError::NotFound("the removal"))?;
            members::set(tx, tenant, user, role, now).await?;
            log.replace(entry.clone().with(json!({ "role": role, "restored": true })));
            Ok(())
        })
        .await
    }
}

/// Nobody becomes a member twice: the second time would silently change their role.
fn is_member(name: &str, role: Role) -> EngineError {
    EngineError::Conflict(format!(
        "{name} is a member already, with the role {}. Change the role in the list.",
        role.label()
    ))
}

/// A tenant that has an owner keeps one. The owners were locked before the change, so that two changes at once cannot both
/// count on the other's person.
async fn keep_one_owner(tx: &mut Tx, tenant: TenantId, before: u64) -> Result<(), EngineError> {
    if before > 0 && members::count(tx, tenant, Role::Owner).await? == 0 {
        return Err(EngineError::Conflict(
            "The tenant would be left without an owner. Make somebody else an owner first.".to_owned(),
        ));
    }
    Ok(())
}
