//! Tenants: adding, editing, rotating the credential, removing.

use serde_json::json;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::tenants::{self, TenantCredential, TenantDetails};
use tenantatlas_store::{StoreError, members};
use url::Url;
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::connection::{self, endpoints};
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::trail::Entry;

/// Longest name of a tenant, in characters.
const MAX_NAME: usize = 120;
/// Longest credential, in bytes: a certificate chain with its key fits many times.
const MAX_CREDENTIAL: usize = 64 * 1024;

impl Engine {
    /// Adds a tenant with its credential. A person who adds it becomes its owner.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Invalid`] that names the field, [`EngineError::Conflict`] when the
    /// name is taken.
    pub async fn add_tenant(
        &self,
        actor: &Actor,
        details: &TenantDetails,
        credential: &TenantCredential,
    ) -> Result<TenantId, EngineError> {
        Core::authorise_platform(actor)?;
        let details = checked(details)?;
        check_credential(credential)?;
        let id = TenantId::from_uuid(Uuid::now_v7());
        let (core, at) = (&self.core, self.core.clock.now());
        let mut tx = core.db.write().await?;
        tenants::create(&mut tx, id, &details, at).await.map_err(taken)?;
        tenants::set_credential(&mut tx, &core.vault, id, credential, at).await?;
        if let (ActorKind::Person, Some(user)) = (actor.kind, actor.user_id) {
            members::set(&mut tx, id, user, Role::Owner, at).await?;
        }
        let entry = Entry::new("tenant.added", "tenant", id).of(id).with(facts(&details));
        core.record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes what a person entered about a tenant. The connection counts as unchecked afterwards. When it leads to other
    /// addresses the credential is taken away, and `true` is answered: whoever may edit a connection must not be able to
    /// have a secret that they never saw sent to an address of their choice.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`], [`EngineError::Conflict`].
    pub async fn update_tenant(
        &self,
        actor: &Actor,
        id: TenantId,
        details: &TenantDetails,
    ) -> Result<bool, EngineError> {
        let core = &self.core;
        core.authorise(actor, id, Action::EditConnection).await?;
        let details = checked(details)?;
        let mut tx = core.db.write().await?;
        let before = tenants::get(&mut tx, id).await?.ok_or(EngineError::NotFound("the tenant"))?;
        if !tenants::update(&mut tx, id, &details, core.clock.now()).await.map_err(taken)? {
            return Err(EngineError::NotFound("the tenant"));
        }
        let elsewhere = before.cloud != details.cloud
            || before.login_url != details.login_url
            || before.graph_url != details.graph_url;
        let cleared = elsewhere && before.credential_kind.is_some();
        if cleared {
            tenants::clear_credential(&mut tx, id, core.clock.now()).await?;
            core.record(&mut tx, actor, Entry::new("tenant.credential_removed", "tenant", id).of(id)).await?;
        }
        core.record(&mut tx, actor, Entry::new("tenant.updated", "tenant", id).of(id).with(facts(&details))).await?;
        tx.commit().await?;
        Ok(cleared)
    }

    /// Replaces the credential of a tenant. It is written, never shown again.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`].
    pub async fn rotate_credential(
        &self,
        actor: &Actor,
        id: TenantId,
        credential: &TenantCredential,
    ) -> Result<(), EngineError> {
        let core = &self.core;
        core.authorise(actor, id, Action::EditConnection).await?;
        check_credential(credential)?;
        let mut tx = core.db.write().await?;
        if !tenants::set_credential(&mut tx, &core.vault, id, credential, core.clock.now()).await? {
            return Err(EngineError::NotFound("the tenant"));
        }
        core.record(&mut tx, actor, Entry::new("tenant.credential_rotated", "tenant", id).of(id)).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a tenant with everything that was read from it. The name must be typed as confirmation. Audit entries stay.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`] when the confirmation is not the
    /// name.
    pub async fn remove_tenant(&self, actor: &Actor, id: TenantId, confirmation: &str) -> Result<(), EngineError> {
        let core = &self.core;
        core.authorise(actor, id, Action::ManageMembers).await?;
        Core::authorise_platform(actor)?;
        let tenant = connection::tenant(&core.db, id).await?;
        if confirmation.trim() != tenant.name {
            return Err(EngineError::invalid(
                "confirmation",
                format!("must be the name of the tenant, {:?}", tenant.name),
            ));
        }
        self.stop_work_of(id).await?;
        let mut tx = core.db.write().await?;
        if !tenants::remove(&mut tx, id).await? {
            return Err(EngineError::NotFound("the tenant"));
        }
        let entry = Entry::new("tenant.removed", "tenant", id).of(id).with(json!({ "name": tenant.name }));
        core.record(&mut tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

/// Facts of a tenant that the audit keeps.
fn facts(details: &TenantDetails) -> serde_json::Value {
    json!({
        "name": details.name,
        "entra_tenant_id": details.entra_tenant_id,
        "cloud": details.cloud,
        "environment": details.environment,
        "client_id": details.client_id,
        "login_host": host(details.login_url.as_deref()),
        "graph_host": host(details.graph_url.as_deref()),
    })
}

/// Where an address of one's own leads; nothing else of it, since people put all sorts of things into addresses.
fn host(address: Option<&str>) -> Option<String> {
    Some(Url::parse(address?).ok()?.origin().ascii_serialization())
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict("a tenant with this name exists already".to_owned())
    } else {
        error.into()
    }
}

/// The details in their stored form.
fn checked(details: &TenantDetails) -> Result<TenantDetails, EngineError> {
    let mut details = details.clone();
    details.name = details.name.trim().to_owned();
    if details.name.is_empty() || details.name.chars().count() > MAX_NAME || details.name.chars().any(char::is_control)
    {
        return Err(EngineError::invalid("name", format!("must have 1 to {MAX_NAME} characters")));
    }
    details.entra_tenant_id = guid("entra_tenant_id", &details.entra_tenant_id)?;
    details.client_id = guid("client_id", &details.client_id)?;
    endpoints(details.cloud, details.login_url.as_deref(), details.graph_url.as_deref())?;
    Ok(details)
}

fn guid(field: &'static str, text: &str) -> Result<String, EngineError> {
    let text = text.trim();
    match Uuid::try_parse(text) {
        // Only the form with dashes: the others are never what the portal shows.
        Ok(uuid) if text.len() == 36 => Ok(uuid.hyphenated().to_string()),
        _ => Err(EngineError::invalid(field, "must be a GUID like 01234567-89ab-cdef-0123-456789abcdef")),
    }
}

fn check_credential(credential: &TenantCredential) -> Result<(), EngineError> {
    use secrecy::ExposeSecret as _;
    match credential {
        TenantCredential::ClientSecret(secret) => {
            let length = secret.expose_secret().len();
            if length == 0 || length > MAX_CREDENTIAL {
                return Err(EngineError::invalid("client_secret", "must not be empty"));
            }
        }
        TenantCredential::Certificate { certificate_pem, private_key_pem } => {
            if !certificate_pem.contains("-----BEGIN CERTIFICATE-----") || certificate_pem.len() > MAX_CREDENTIAL {
                return Err(EngineError::invalid("certificate", "must be a certificate in PEM form"));
            }
            let key = private_key_pem.expose_secret();
            if !key.contains("PRIVATE KEY-----") || key.len() > MAX_CREDENTIAL {
                return Err(EngineError::invalid(
                    "private_key",
                    "must be a private key in PEM form, without a password",
                ));
            }
        }
    }
    Ok(())
}
