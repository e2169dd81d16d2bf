//! What a person last used and likes.

use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::role::Action;
use tenantatlas_store::{preferences, user_preferences};

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Marks a tenant as favourite, or not. It concerns nobody else, so the audit log says nothing of it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant does not exist for the actor.
    pub async fn set_favourite(&self, actor: &Actor, tenant: TenantId, favourite: bool) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::TenantFavourite, "tenant", tenant).of(tenant);
        let right = Right::Tenant(tenant, Action::View);
        self.core
            .execute(Command::new(actor, right, entry), async |tx, log| {
                log.unchanged();
                Ok(preferences::set_favourite(tx, user, tenant, favourite).await?)
            })
            .await
    }

    /// Keeps which columns of the list of items the actor sees, in every tenant; none is the name alone.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] when the actor is no person.
    pub async fn set_item_columns(&self, actor: &Actor, columns: &[ItemColumn]) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        self.core
            .execute(of_oneself(actor, user), async |tx, log| {
                log.unchanged();
                Ok(user_preferences::set_item_columns(tx, user, columns).await?)
            })
            .await
    }

    /// Keeps whether single keys do something on the actor's pages.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] when the actor is no person.
    pub async fn set_single_keys(&self, actor: &Actor, single_keys: bool) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        self.core
            .execute(of_oneself(actor, user), async |tx, log| {
                log.unchanged();
                Ok(user_preferences::set_single_keys(tx, user, single_keys).await?)
            })
            .await
    }

    /// Notes that a person uses a tenant now.
    ///
    /// # Errors
    /// When person or tenant are gone, or the database fails.
    pub async fn note_use(&self, user: UserId, tenant: TenantId) -> Result<(), EngineError> {
        let mut tx = self.core.commands.db.write().await?;
        preferences::record_use(&mut tx, user, tenant, self.core.commands.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

/// A command that concerns nobody else.
fn of_oneself(actor: &Actor, user: UserId) -> Command<'_> {
    Command::new(actor, Right::SignedIn, AuditEntry::new(AuditAction::PreferencesChanged, "user", user))
}
