//! Tenants and their connection to Microsoft Graph (`docs/rules.md`, section Records).

mod kinds;
mod overview;
mod removal;
mod seen;

pub use kinds::{
    Cloud, ConnectionStatus, CredentialKind, Environment, Licence, UnknownCloud, UnknownConnectionStatus,
    UnknownCredentialKind, UnknownEnvironment, UnknownLicence,
};
pub use overview::{Listed, ListedQuery, ListedSort, Overview, OverviewQuery, OverviewSort, overview, page};
pub use removal::{purge_piece, retire, retired};
pub use seen::{AskedTenant, NearTenant, VisibleTenant, get_for, list_near, list_visible};

use secrecy::SecretString;
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::args;
use crate::vault::Vault;
use crate::vault::sealed::{CREDENTIAL, SealedSecret};
use crate::{StoreError, Tx, dialect};

/// A tenant, without its credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Tenant {
    /// Our id.
    #[sqlx(try_from = "Uuid")]
    pub id: TenantId,
    /// The name for people; unique, whatever the case.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// The directory id in Microsoft Entra, lower case.
    pub entra_tenant_id: String,
    /// The cloud.
    #[sqlx(try_from = "String")]
    pub cloud: Cloud,
    /// The login address; only with [`Cloud::Custom`].
    pub login_url: Option<String>,
    /// The Graph address without version; only with [`Cloud::Custom`].
    pub graph_url: Option<String>,
    /// The badge.
    #[sqlx(try_from = "String")]
    pub environment: Environment,
    /// The application (client) id.
    pub client_id: String,
    /// What kind of credential it has, if any.
    #[sqlx(try_from = "Nullable<String>")]
    pub credential_kind: Option<CredentialKind>,
    /// When the credential was last changed.
    #[sqlx(try_from = "Nullable<i64>")]
    pub credential_updated_at: Option<Timestamp>,
    /// How the last check went.
    #[sqlx(try_from = "String")]
    pub connection_status: ConnectionStatus,
    /// Why it did not go well.
    #[sqlx(try_from = "Nullable<String>")]
    pub connection_reason: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub connection_message: Option<String>,
    /// When it was checked.
    #[sqlx(try_from = "Nullable<i64>")]
    pub connection_checked_at: Option<Timestamp>,
    /// The name the tenant had at Microsoft when it was checked.
    #[sqlx(try_from = "Nullable<Name>")]
    pub organization: Option<String>,
    /// Whether the tenant had Intune when it was checked.
    #[sqlx(try_from = "Nullable<String>")]
    pub licence: Option<Licence>,
    /// What follows each sync of it.
    #[sqlx(flatten)]
    pub after_sync: AfterSync,
    /// When it was added.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
}

/// What follows each sync of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct AfterSync {
    /// A comparison with the run before.
    #[sqlx(rename = "drift_after_sync")]
    pub drift: bool,
    /// A capture of what is new or changed.
    #[sqlx(rename = "capture_after_sync")]
    pub capture: bool,
    /// A reading of the audit logs of Microsoft.
    #[sqlx(rename = "audit_events_after_sync")]
    pub audit_events: bool,
}

/// What a person enters about a tenant.
#[derive(Clone, Debug)]
pub struct TenantDetails {
    /// The name for people.
    pub name: String,
    /// The directory id in Microsoft Entra.
    pub entra_tenant_id: String,
    /// The cloud.
    pub cloud: Cloud,
    /// The login address; needed with, and only with, [`Cloud::Custom`].
    pub login_url: Option<String>,
    /// The Graph address; needed with, and only with, [`Cloud::Custom`].
    pub graph_url: Option<String>,
    /// The badge.
    pub environment: Environment,
    /// The application (client) id.
    pub client_id: String,
}

/// The credential of a tenant in plain. Shows nothing of itself.
#[derive(Clone, Debug)]
pub enum TenantCredential {
    /// A client secret.
    ClientSecret(SecretString),
    /// A certificate.
    Certificate {
        /// The certificate, PEM.
        certificate_pem: String,
        /// Its private key, PEM.
        private_key_pem: SecretString,
    },
}

/// How a check of the connection went.
#[derive(Clone, Debug)]
pub struct ConnectionCheck {
    /// The result.
    pub status: ConnectionStatus,
    /// Why it did not go well.
    pub reason: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// The name the tenant has at Microsoft, where it may be read.
    pub organization: Option<String>,
    /// Whether the tenant has Intune.
    pub licence: Licence,
    /// When.
    pub at: Timestamp,
}

fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Adds a tenant, without credential.
///
/// # Errors
/// [`StoreError::Conflict`] when the name is taken.
pub async fn create(tx: &mut Tx, id: TenantId, details: &TenantDetails, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, login_url, graph_url, environment,
             client_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        &args![
            id,
            details.name.trim(),
            key(&details.name),
            details.entra_tenant_id.to_lowercase(),
            details.cloud.as_str(),
            details.login_url.as_deref(),
            details.graph_url.as_deref(),
            details.environment.as_str(),
            details.client_id.as_str(),
            at
        ],
    )
    .await
    .map(|_| ())
}

/// Changes what a person entered. The connection counts as unchecked afterwards. Answers whether the tenant exists.
///
/// # Errors
/// [`StoreError::Conflict`] when the name is taken.
pub async fn update(tx: &mut Tx, id: TenantId, details: &TenantDetails, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE tenants
             SET name = $2, name_key = $3, entra_tenant_id = $4, cloud = $5, login_url = $6, graph_url = $7,
                 environment = $8, client_id = $9, updated_at = $10, connection_status = 'unchecked',
                 connection_reason = NULL, connection_message = NULL, connection_checked_at = NULL
             WHERE id = $1 AND removed_at IS NULL",
            &args![
                id,
                details.name.trim(),
                key(&details.name),
                details.entra_tenant_id.to_lowercase(),
                details.cloud.as_str(),
                details.login_url.as_deref(),
                details.graph_url.as_deref(),
                details.environment.as_str(),
                details.client_id.as_str(),
                at
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Seals and stores the credential. Answers whether the tenant exists.
///
/// # Errors
/// When the database fails.
pub async fn set_credential(
    tx: &mut Tx,
    vault: &Vault,
    id: TenantId,
    credential: &TenantCredential,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let (kind, text) = match credential {
        TenantCredential::ClientSecret(secret) => (CredentialKind::ClientSecret, secret.clone()),
        TenantCredential::Certificate { certificate_pem, private_key_pem } => {
            use secrecy::ExposeSecret as _;
            let pair = serde_json::json!([certificate_pem, private_key_pem.expose_secret()]);
            (CredentialKind::Certificate, SecretString::from(pair.to_string()))
        }
    };
    let sealed = vault.sealer(tx).await?.seal(&CREDENTIAL, id, &text);
    let changed = tx
        .execute(
            "UPDATE tenants
             SET credential_kind = $2, credential_sealed = $3, credential_updated_at = $4, updated_at = $4,
                 connection_status = 'unchecked', connection_reason = NULL, connection_message = NULL,
                 connection_checked_at = NULL
             WHERE id = $1 AND removed_at IS NULL",
            &args![id, kind.as_str(), sealed.0, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Says what follows each sync of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn set_after_sync(tx: &mut Tx, id: TenantId, wanted: AfterSync, at: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE tenants
                SET drift_after_sync = $2, capture_after_sync = $3, audit_events_after_sync = $4, updated_at = $5
                WHERE id = $1 AND removed_at IS NULL";
    let values = args![id, wanted.drift, wanted.capture, wanted.audit_events, at];
    tx.execute(text, &values).await.map(|_| ())
}

/// Takes the credential of a tenant away, until somebody enters one again.
///
/// # Errors
/// When the database fails.
pub async fn clear_credential(tx: &mut Tx, id: TenantId, at: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE tenants
                SET credential_kind = NULL, credential_sealed = NULL, credential_updated_at = $2,
                    updated_at = $2
                WHERE id = $1";
    tx.execute(text, &args![id, at]).await.map(|_| ())
}

#[derive(FromRow)]
struct WithCredential {
    #[sqlx(flatten)]
    tenant: Tenant,
    #[sqlx(rename = "credential_sealed")]
    sealed: Option<SealedSecret>,
}

/// A tenant with its credential opened, both of one moment: the credential is for this connection and no other. `None`
/// when there is no such tenant; no credential when none was entered.
///
/// # Errors
/// [`StoreError::Sealed`] when it cannot be opened with this vault.
pub async fn get_with_credential(
    mut on: impl Access,
    vault: &Vault,
    id: TenantId,
) -> Result<Option<(Tenant, Option<TenantCredential>)>, StoreError> {
    let row: Option<WithCredential> =
        on.row("SELECT * FROM tenants WHERE id = $1 AND removed_at IS NULL", &args![id]).await?;
    let Some(WithCredential { tenant, sealed }) = row else { return Ok(None) };
    let (Some(kind), Some(sealed)) = (tenant.credential_kind, sealed) else { return Ok(Some((tenant, None))) };
    let text = vault.unseal(&CREDENTIAL, id, &sealed)?;
    let credential = match kind {
        CredentialKind::ClientSecret => TenantCredential::ClientSecret(text),
        CredentialKind::Certificate => {
            use secrecy::ExposeSecret as _;
            let (certificate_pem, private_key_pem): (String, String) =
                serde_json::from_str(text.expose_secret()).map_err(|_| StoreError::Sealed)?;
            TenantCredential::Certificate { certificate_pem, private_key_pem: private_key_pem.into() }
        }
    };
    Ok(Some((tenant, Some(credential))))
}

/// Opens the credential of a tenant; `None` when there is no such tenant or it has none.
///
/// # Errors
/// [`StoreError::Sealed`] when it cannot be opened with this vault.
pub async fn credential(on: impl Access, vault: &Vault, id: TenantId) -> Result<Option<TenantCredential>, StoreError> {
    Ok(get_with_credential(on, vault, id).await?.and_then(|(_, credential)| credential))
}

/// Records how a check of the connection went that stood when the tenant was last edited at `checked`. Answers whether it
/// still stands: the result of a connection that was changed meanwhile says nothing about the one that is there now.
///
/// # Errors
/// When the database fails.
pub async fn record_check(
    tx: &mut Tx,
    id: TenantId,
    checked: Timestamp,
    check: &ConnectionCheck,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE tenants
             SET connection_status = $2, connection_reason = $3, connection_message = $4,
                 connection_checked_at = $5, organization = $7, licence = $8
             WHERE id = $1 AND updated_at = $6 AND removed_at IS NULL",
            &args![
                id,
                check.status.as_str(),
                check.reason.map(ReasonCode::as_str),
                check.message.as_deref(),
                check.at,
                checked,
                check.organization.as_deref(),
                check.licence.as_str()
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// A tenant by its id.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    on.row("SELECT * FROM tenants WHERE id = $1 AND removed_at IS NULL", &args![id]).await
}

/// A tenant that cannot be removed, renamed or led to another directory until the transaction ends; `None` when there is
/// none.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &mut Tx, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let lock = dialect::for_key_share(tx.backend());
    locked(tx, id, lock).await
}

/// Keeps a tenant from every change until the transaction ends, so that changes of its members come one after the other.
/// Others may still [`hold`] it.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    locked(tx, id, lock).await
}

/// The same, and nobody holds it meanwhile either: for whoever changes its row. A weaker lock would have to become stronger
/// when a unique value changes, and would then wait for those who hold the tenant and wait for it.
///
/// # Errors
/// When the database fails.
pub async fn lock_whole(tx: &mut Tx, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let lock = dialect::for_update(tx.backend());
    locked(tx, id, lock).await
}

async fn locked(tx: &mut Tx, id: TenantId, lock: &'static str) -> Result<Option<Tenant>, StoreError> {
    let text = format!("SELECT * FROM tenants WHERE id = $1 AND removed_at IS NULL{lock}");
    tx.row(AssertSqlSafe(text), &args![id]).await
}

/// Tenants that a person at the command line may mean: by name (whatever the case), our id, or Entra tenant id.
///
/// # Errors
/// When the database fails.
pub async fn find(mut on: impl Access, text: &str) -> Result<Vec<Tenant>, StoreError> {
    let id = text.trim().parse::<TenantId>().ok();
    on.rows(
        "SELECT *
         FROM tenants
         WHERE removed_at IS NULL AND (name_key = $1 OR entra_tenant_id = $1 OR id = $2)
         ORDER BY name_key LIMIT 10",
        &args![key(text), id],
    )
    .await
}

/// All tenants by name.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access) -> Result<Vec<Tenant>, StoreError> {
    on.rows("SELECT * FROM tenants WHERE removed_at IS NULL ORDER BY name_key", &[]).await
}
