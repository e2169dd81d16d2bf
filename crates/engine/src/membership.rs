//! Who may do what in a tenant.

use serde_json::json;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::{Tx, members, users};

use crate::actor::Actor;
use crate::command::{Command, Right};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::trail::Entry;

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
        let entry = Entry::new("member.set", "user", user).of(tenant).with(json!({ "role": role }));
        let right = Right::Tenant(tenant, Action::ManageMembers);
        core.command(Command::new(actor, right, entry), async |tx, _| {
            users::get(&mut *tx, user).await?.ok_or(EngineError::NotFound("the person"))?;
            members::lock(tx, tenant, Role::Owner).await?;
            let owners = members::count(&mut *tx, tenant, Role::Owner).await?;
            members::set(tx, tenant, user, role, core.clock.now()).await?;
            keep_one_owner(tx, tenant, owners).await
        })
        .await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for tenant or membership, [`EngineError::Forbidden`], [`EngineError::Conflict`] when it
    /// is the last owner's.
    pub async fn remove_member(&self, actor: &Actor, tenant: TenantId, user: UserId) -> Result<(), EngineError> {
        let entry = Entry::new("member.removed", "user", user).of(tenant);
        let right = Right::Tenant(tenant, Action::ManageMembers);
        self.core
            .command(Command::new(actor, right, entry), async |tx, _| {
                members::lock(tx, tenant, Role::Owner).await?;
                let owners = members::count(&mut *tx, tenant, Role::Owner).await?;
                if !members::remove(tx, tenant, user).await? {
                    return Err(EngineError::NotFound("the member"));
                }
                keep_one_owner(tx, tenant, owners).await
            })
            .await
    }
}

/// A tenant that has an owner keeps one. The owners were locked before the change, so that two changes at once cannot both
/// count on the other's person.
async fn keep_one_owner(tx: &mut Tx, tenant: TenantId, before: u64) -> Result<(), EngineError> {
    if before > 0 && members::count(tx, tenant, Role::Owner).await? == 0 {
        return Err(EngineError::Conflict("the tenant would be left without an owner".to_owned()));
    }
    Ok(())
}
