//! Tenants: adding, editing, rotating the credential, removing.

use serde_json::json;
use tenantatlas_commands::{Actor, ActorKind, AuditEntry, Command, Right, require_administrator, require_confirmed};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::tenants::{self, Cloud, Tenant, TenantCredential, TenantDetails};
use tenantatlas_store::{StoreError, Tx, inventory, members, operation_runs, pending_certificates};
use url::Url;
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::tenants::connection::endpoints;
use crate::typed_name;

/// Longest name of a tenant, in characters.
const MAX_NAME: usize = 120;
/// Longest credential, in bytes: a certificate chain with its key fits many times.
const MAX_CREDENTIAL: usize = 64 * 1024;

/// With what a new tenant is signed in to.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// What was entered.
    Entered(&'a TenantCredential),
    /// A certificate that was made here, by its id.
    Made(Uuid),
}

fn no_certificate() -> EngineError {
    EngineError::invalid(
        "made_certificate",
        "was used for another tenant, or was made more than a day ago. Make a new one, and run the script with it",
    )
}

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
        check_credential(credential)?;
        self.add(actor, details, Given::Entered(credential)).await
    }

    /// Adds a tenant with a certificate that was made here for this person ([`Engine::make_certificate`]), which is used up. A
    /// refusal leaves it as it was.
    ///
    /// # Errors
    /// As [`Engine::add_tenant`]; [`EngineError::Invalid`] when the certificate was used, has ended, or is another person's.
    pub async fn add_tenant_by_made_certificate(
        &self,
        actor: &Actor,
        details: &TenantDetails,
        certificate: Uuid,
    ) -> Result<TenantId, EngineError> {
        self.add(actor, details, Given::Made(certificate)).await
    }

    async fn add(&self, actor: &Actor, details: &TenantDetails, given: Given<'_>) -> Result<TenantId, EngineError> {
        let core = &self.core;
        let details = checked(details)?;
        let id = TenantId::from_uuid(Uuid::now_v7());
        let entry = AuditEntry::new(AuditAction::TenantAdded, "tenant", id).of(id).with(facts(&details));
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            let (at, vault) = (core.commands.clock.now(), &core.commands.vault);
            tenants::create(tx, id, &details, at).await.map_err(taken)?;
            match given {
                Given::Entered(credential) => tenants::set_credential(tx, vault, id, credential, at).await?,
                Given::Made(certificate) => {
                    let user = actor.user_id.ok_or_else(no_certificate)?;
                    let made = pending_certificates::take(tx, vault, user, certificate, at).await?;
                    tenants::set_credential(tx, vault, id, &made.ok_or_else(no_certificate)?, at).await?
                }
            };
            if let (ActorKind::Person, Some(user)) = (actor.kind, actor.user_id) {
                members::set(tx, id, user, Role::Owner, at).await?;
            }
            Ok(id)
        })
        .await
    }

    /// Changes what a person entered about a tenant. The connection counts as unchecked afterwards.
    ///
    /// A credential is used only for what it was entered for: cloud, addresses, Entra tenant id and client id. When one of
    /// them changes it is taken away, and `true` is answered; whoever may edit a connection must not be able to have a
    /// secret that they never saw sent anywhere else. The Entra tenant id cannot change once something was read, since the
    /// objects of another directory would land in the same inventory; and addresses of one's own are the business of those
    /// who administer the platform, since the server itself sends requests there. Such a change asks for a confirmed
    /// password; another name or environment does not.
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
        let details = checked(details)?;
        let entry = AuditEntry::new(AuditAction::TenantUpdated, "tenant", id).of(id).with(facts(&details));
        let right = Right::Tenant(id, Action::EditConnection);
        core.execute(Command::new(actor, right, entry), async |tx, log| {
            let at = core.commands.clock.now();
            let before = tenants::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the tenant"))?;
            let moved = leads_elsewhere(&before, &details);
            let changed = moved || is_another_application(&before, &details);
            if changed {
                require_confirmed(&mut *tx, actor, at).await?;
            }
            if moved && details.cloud == Cloud::Custom {
                require_administrator(tx, actor).await?;
            }
            if before.entra_tenant_id != details.entra_tenant_id {
                keep_directory(tx, id).await?;
            }
            tenants::update(tx, id, &details, at).await.map_err(taken)?;
            let cleared = changed && before.credential_kind.is_some();
            if cleared {
                tenants::clear_credential(tx, id, at).await?;
                log.also(AuditEntry::new(AuditAction::CredentialRemoved, "tenant", id).of(id));
            }
            Ok(cleared)
        })
        .await
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
        check_credential(credential)?;
        let entry = AuditEntry::new(AuditAction::CredentialRotated, "tenant", id).of(id);
        let right = Right::Tenant(id, Action::EditConnection);
        core.execute(Command::new(actor, right, entry).sensitive(), async |tx, _| {
            if tenants::set_credential(tx, &core.commands.vault, id, credential, core.commands.clock.now()).await? {
                Ok(())
            } else {
                Err(EngineError::NotFound("the tenant"))
            }
        })
        .await
    }

    /// Removes a tenant with everything that was read from it. The name must be typed as confirmation. Audit entries stay.
    ///
    /// The tenant is gone for everybody when this answers. What was read from it is deleted afterwards, piece by piece,
    /// since other writers would have to wait for as long as a million rows take; a process that ends meanwhile leaves the
    /// rest to the sweeper of the next.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`] when the confirmation is not the
    /// name.
    pub async fn remove_tenant(&self, actor: &Actor, id: TenantId, confirmation: &str) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::TenantRemoved, "tenant", id).of(id);
        let command = Command::new(actor, Right::Platform, entry.clone()).rewrites(id).sensitive();
        core.execute(command, async |tx, log| {
            let tenant = tenants::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the tenant"))?;
            if confirmation.trim() != tenant.name {
                return Err(EngineError::invalid(
                    "confirmation",
                    format!("must be the name of the tenant, {:?}", tenant.name),
                ));
            }
            tenants::retire(tx, id, core.commands.clock.now()).await?;
            log.replace(entry.clone().with(json!({ "name": tenant.name })));
            Ok(())
        })
        .await?;
        // Nobody sees the tenant any more. Its workers learn it sooner than from the sweeper, who takes their runs away.
        if let Err(error) = core.runner.cancel_all_of_removed(actor, id).await {
            tracing::warn!(%error, tenant = %id, "runs of a removed tenant could not be cancelled, and are deleted with it");
        }
        core.clean_now.notify_one();
        Ok(())
    }
}

/// Whether a changed connection sends its credential to another place: cloud or addresses.
fn leads_elsewhere(before: &Tenant, after: &TenantDetails) -> bool {
    before.cloud != after.cloud || before.login_url != after.login_url || before.graph_url != after.graph_url
}

/// Whether a changed connection signs in as something else: another directory or another application.
fn is_another_application(before: &Tenant, after: &TenantDetails) -> bool {
    before.entra_tenant_id != after.entra_tenant_id || before.client_id != after.client_id
}

/// Refuses another directory for a tenant that was read, or that is being read now.
async fn keep_directory(tx: &mut Tx, id: TenantId) -> Result<(), EngineError> {
    if inventory::has_items(&mut *tx, id).await? {
        return Err(EngineError::invalid(
            "entra_tenant_id",
            "cannot change, because this tenant has been read: objects of two directories would mix in one inventory. Add the other directory as a tenant of its own",
        ));
    }
    if !operation_runs::active(&mut *tx, Some(id), None).await?.is_empty() {
        return Err(EngineError::Conflict(
            "a run of this tenant has not ended yet: cancel it or wait for its end, then change the directory"
                .to_owned(),
        ));
    }
    Ok(())
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

/// Everything that is not acceptable about a connection and its credential, each as an [`EngineError::Invalid`] that names its
/// field, so that a form can tell all of it at once. The commands refuse with the first of these.
#[must_use]
pub fn problems(details: &TenantDetails, credential: Option<&TenantCredential>) -> Vec<EngineError> {
    let mut problems = details_problems(details);
    problems.extend(credential.and_then(|credential| check_credential(credential).err()));
    problems
}

fn details_problems(details: &TenantDetails) -> Vec<EngineError> {
    let mut problems = Vec::new();
    problems.extend(typed_name::checked(&details.name, MAX_NAME).err());
    problems.extend(guid("entra_tenant_id", &details.entra_tenant_id).err());
    problems.extend(guid("client_id", &details.client_id).err());
    problems.extend(endpoints(details.cloud, details.login_url.as_deref(), details.graph_url.as_deref()).err());
    problems
}

/// The details in their stored form.
fn checked(details: &TenantDetails) -> Result<TenantDetails, EngineError> {
    if let Some(problem) = details_problems(details).into_iter().next() {
        return Err(problem);
    }
    let mut details = details.clone();
    details.name = details.name.trim().to_owned();
    details.entra_tenant_id = guid("entra_tenant_id", &details.entra_tenant_id)?;
    details.client_id = guid("client_id", &details.client_id)?;
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
