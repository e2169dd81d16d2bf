//! Filters of the inventory that a person keeps under a name.

use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Action;
use tenantatlas_store::StoreError;
use tenantatlas_store::saved_views::{self, SavedView};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::typed_name;

/// Saved views of a person in a tenant.
const MAX_VIEWS: usize = 50;
/// The longest name of a view, characters.
const MAX_NAME: usize = 80;
/// The longest query of a view, bytes. What a filter says of a search of 200 characters in any script fits.
const MAX_QUERY: usize = 4_000;

impl Engine {
    /// Keeps a filter of the inventory under a name, at most 50 of them. It concerns nobody else, so the audit log says
    /// nothing of it, here and below.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for the name or a query that is too long, [`EngineError::Conflict`] when the name is taken or
    /// there are too many, [`EngineError::NotFound`] when the tenant does not exist for the actor.
    pub async fn save_view(
        &self,
        actor: &Actor,
        tenant: TenantId,
        name: &str,
        query: &str,
    ) -> Result<Uuid, EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let name = typed_name::checked(name, MAX_NAME)?;
        if query.len() > MAX_QUERY {
            return Err(EngineError::invalid("query", format!("must be at most {MAX_QUERY} bytes long")));
        }
        let view = SavedView { id: Uuid::now_v7(), name, query: query.to_owned() };
        let at = self.core.commands.clock.now();
        self.core
            .execute(private(actor, tenant), async |tx, log| {
                log.unchanged();
                if saved_views::list(&mut *tx, user, tenant).await?.len() >= MAX_VIEWS {
                    let words = format!("there are {MAX_VIEWS} saved views already: delete one first");
                    return Err(EngineError::Conflict(words));
                }
                saved_views::add(tx, user, tenant, &view, at).await.map_err(taken)?;
                Ok(view.id)
            })
            .await
    }

    /// Gives a saved view another name.
    ///
    /// # Errors
    /// Those of [`Engine::save_view`]; [`EngineError::NotFound`] when the actor has no such view.
    pub async fn rename_view(
        &self,
        actor: &Actor,
        tenant: TenantId,
        view: Uuid,
        name: &str,
    ) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let name = typed_name::checked(name, MAX_NAME)?;
        self.core
            .execute(private(actor, tenant), async |tx, log| {
                log.unchanged();
                let found = saved_views::rename(tx, user, tenant, view, &name).await.map_err(taken)?;
                if found { Ok(()) } else { Err(EngineError::NotFound("the saved view")) }
            })
            .await
    }

    /// Deletes a saved view.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant does not exist for the actor, or they have no such view.
    pub async fn remove_view(&self, actor: &Actor, tenant: TenantId, view: Uuid) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        self.core
            .execute(private(actor, tenant), async |tx, log| {
                log.unchanged();
                let found = saved_views::remove(tx, user, tenant, view).await?;
                if found { Ok(()) } else { Err(EngineError::NotFound("the saved view")) }
            })
            .await
    }
}

fn private(actor: &Actor, tenant: TenantId) -> Command<'_> {
    let entry = AuditEntry::new(AuditAction::SavedViewChanged, "tenant", tenant).of(tenant);
    Command::new(actor, Right::Tenant(tenant, Action::View), entry)
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict("a saved view with this name exists already: choose another name".to_owned())
    } else {
        error.into()
    }
}
