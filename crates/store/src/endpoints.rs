//! Where news of a tenant are sent besides its pages (`docs/rules.md`, section Webhooks).

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::endpoint::{EndpointKind, Wanted};
use tenantatlas_domain::ids::{EndpointId, TenantId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::{args, json};
use crate::vault::sealed::{At, ENDPOINT_ADDRESS, ENDPOINT_SECRET};
use crate::{SealedSecret, StoreError, Tx, Vault, dialect};

/// An endpoint, without what is secret about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Endpoint {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: EndpointId,
    /// Whose news are sent.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// What it understands.
    #[sqlx(try_from = "String")]
    pub kind: EndpointKind,
    /// What people call it; unique in the tenant whatever the case.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// To what it listens.
    #[sqlx(json)]
    pub wanted: Wanted,
    /// Whether everything of a day is sent at once.
    pub digest: bool,
    /// The host of the address, or how many mail addresses there are.
    #[sqlx(try_from = "Name")]
    pub address_shown: String,
    /// Until when the secret before the present one signs as well.
    #[sqlx(try_from = "Nullable<i64>")]
    pub former_until: Option<Timestamp>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why it was switched off by itself, in a sentence.
    #[sqlx(try_from = "Nullable<Name>")]
    pub off_reason: Option<String>,
    /// The first failure since the last delivery.
    #[sqlx(try_from = "Nullable<i64>")]
    pub failing_since: Option<Timestamp>,
    /// The other side asked for quiet until then.
    #[sqlx(try_from = "Nullable<i64>")]
    pub hold_until: Option<Timestamp>,
    /// The last delivery.
    #[sqlx(try_from = "Nullable<i64>")]
    pub delivered_at: Option<Timestamp>,
    /// The name of whoever added it, as it was then.
    #[sqlx(try_from = "Name")]
    pub created_by_name: String,
    /// When it was added.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
}

/// A new endpoint.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// The id (version 7).
    pub id: EndpointId,
    /// What it understands.
    pub kind: EndpointKind,
    /// What people call it.
    pub name: String,
    /// To what it listens.
    pub wanted: Wanted,
    /// Whether everything of a day is sent at once.
    pub digest: bool,
    /// The whole address.
    pub address: SecretString,
    /// What is shown of it.
    pub address_shown: String,
    /// What it is signed with.
    pub secret: Option<SecretString>,
    /// Who adds it.
    pub created_by_name: String,
}

/// An endpoint with what is secret about it.
#[derive(Clone, Debug)]
pub struct OpenEndpoint {
    /// The rest.
    pub endpoint: Endpoint,
    /// The whole address.
    pub address: SecretString,
    /// What is signed with: the present secret, then the one before it while that still counts.
    pub secrets: Vec<SecretString>,
}

#[derive(FromRow)]
struct Sealed {
    #[sqlx(flatten)]
    endpoint: Endpoint,
    address_sealed: SealedSecret,
    secret_sealed: Option<SealedSecret>,
    former_secret_sealed: Option<SealedSecret>,
}

/// Where something of an endpoint stands.
fn of(tenant: TenantId, id: EndpointId) -> At {
    At::row(tenant.as_uuid(), id.as_uuid())
}

/// Adds an endpoint. A name that is taken is a conflict ([`StoreError::is_conflict`]).
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn create(
    tx: &mut Tx,
    vault: &Vault,
    tenant: TenantId,
    new: &NewEndpoint,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (sealer, place) = (vault.sealer(tx).await?, of(tenant, new.id));
    let address = sealer.seal(&ENDPOINT_ADDRESS, place, &new.address);
    let secret = new.secret.as_ref().map(|secret| sealer.seal(&ENDPOINT_SECRET, place, secret).0);
    tx.execute(
        "INSERT INTO webhook_endpoints (id, tenant_id, kind, name, name_key, wanted, digest, address_sealed, address_shown,
             secret_sealed, created_by_name, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        &args![
            new.id,
            tenant,
            new.kind.as_str(),
            &new.name,
            new.name.to_lowercase(),
            json(&new.wanted),
            new.digest,
            address.0,
            &new.address_shown,
            secret,
            &new.created_by_name,
            at
        ],
    )
    .await
    .map(|_| ())
}

/// The endpoints of a tenant by name. How many there may be is for whoever adds one to keep.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId) -> Result<Vec<Endpoint>, StoreError> {
    on.rows("SELECT * FROM webhook_endpoints WHERE tenant_id = $1 ORDER BY name_key, id", &args![tenant]).await
}

/// The same, kept from removal until the transaction ends.
pub(crate) async fn list_kept(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Endpoint>, StoreError> {
    let lock = dialect::for_key_share(tx.backend());
    let text = format!("SELECT * FROM webhook_endpoints WHERE tenant_id = $1 ORDER BY id{lock}");
    tx.rows(AssertSqlSafe(text), &args![tenant]).await
}

/// One endpoint of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: TenantId, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
    on.row("SELECT * FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", &args![tenant, id]).await
}

/// The same, kept from every change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, tenant: TenantId, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!("SELECT * FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2{lock}");
    tx.row(AssertSqlSafe(text), &args![tenant, id]).await
}

/// One endpoint of a tenant with what is secret about it, at this time.
///
/// # Errors
/// [`StoreError::Sealed`] when that cannot be opened with this vault.
pub async fn open(
    mut on: impl Access,
    vault: &Vault,
    tenant: TenantId,
    id: EndpointId,
    at: Timestamp,
) -> Result<Option<OpenEndpoint>, StoreError> {
    let row: Option<Sealed> =
        on.row("SELECT * FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", &args![tenant, id]).await?;
    let Some(row) = row else { return Ok(None) };
    let address = vault.unseal(&ENDPOINT_ADDRESS, of(tenant, id), &row.address_sealed)?;
    let former = row.former_secret_sealed.filter(|_| row.endpoint.former_until.is_some_and(|until| at < until));
    let sealed = row.secret_sealed.into_iter().chain(former);
    let secrets = sealed.map(|sealed| vault.unseal(&ENDPOINT_SECRET, of(tenant, id), &sealed));
    let secrets = secrets.collect::<Result<_, _>>()?;
    Ok(Some(OpenEndpoint { endpoint: row.endpoint, address, secrets }))
}

/// The endpoint of a tenant whose present secret is this one.
///
/// # Errors
/// [`StoreError::Sealed`] when a secret cannot be opened with this vault.
pub async fn find_by_secret(
    mut on: impl Access,
    vault: &Vault,
    tenant: TenantId,
    secret: &SecretString,
) -> Result<Option<Endpoint>, StoreError> {
    let rows: Vec<Sealed> = on.rows("SELECT * FROM webhook_endpoints WHERE tenant_id = $1", &args![tenant]).await?;
    for row in rows {
        let Some(sealed) = row.secret_sealed else { continue };
        let known = vault.unseal(&ENDPOINT_SECRET, of(tenant, row.endpoint.id), &sealed)?;
        if known.expose_secret() == secret.expose_secret() {
            return Ok(Some(row.endpoint));
        }
    }
    Ok(None)
}

/// Replaces the secret; the one that was present until now signs as well until `former_until`. Answers whether there is such
/// an endpoint that has one.
///
/// # Errors
/// When the database fails.
pub async fn rotate(
    tx: &mut Tx,
    vault: &Vault,
    tenant: TenantId,
    id: EndpointId,
    secret: &SecretString,
    former_until: Timestamp,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let sealed = vault.sealer(tx).await?.seal(&ENDPOINT_SECRET, of(tenant, id), secret);
    let changed = tx
        .execute(
            "UPDATE webhook_endpoints
             SET former_secret_sealed = secret_sealed, former_until = $4, secret_sealed = $3, updated_at = $5
             WHERE tenant_id = $1 AND id = $2 AND secret_sealed IS NOT NULL",
            &args![tenant, id, sealed.0, former_until, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Forgets secrets that do not count any more.
///
/// # Errors
/// When the database fails.
pub async fn forget_former_secrets(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "UPDATE webhook_endpoints SET former_secret_sealed = NULL, former_until = NULL WHERE former_until <= $1",
        &args![at],
    )
    .await
}

/// Switches an endpoint on or off. What is switched on begins anew: no failure counts any more. Answers whether there is such
/// an endpoint.
///
/// # Errors
/// When the database fails.
pub async fn switch(
    tx: &mut Tx,
    tenant: TenantId,
    id: EndpointId,
    enabled: bool,
    off_reason: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE webhook_endpoints
             SET enabled = $3, off_reason = $4, failing_since = NULL, hold_until = NULL, updated_at = $5
             WHERE tenant_id = $1 AND id = $2",
            &args![tenant, id, enabled, off_reason, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Changes what an endpoint is called and to what it listens. A name that is taken is a conflict ([`StoreError::is_conflict`]).
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn change(
    tx: &mut Tx,
    (tenant, id): (TenantId, EndpointId),
    name: &str,
    wanted: &Wanted,
    digest: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook_endpoints SET name = $3, name_key = $4, wanted = $5, digest = $6, updated_at = $7
         WHERE tenant_id = $1 AND id = $2",
        &args![tenant, id, name, name.to_lowercase(), json(wanted), digest, at],
    )
    .await
    .map(|_| ())
}

/// Notes that something was delivered.
///
/// # Errors
/// When the database fails.
pub async fn note_delivery(tx: &mut Tx, tenant: TenantId, id: EndpointId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook_endpoints SET failing_since = NULL, hold_until = NULL, delivered_at = $3
         WHERE tenant_id = $1 AND id = $2",
        &args![tenant, id, at],
    )
    .await
    .map(|_| ())
}

/// Notes that something could not be delivered, and until when the other side wants quiet.
///
/// # Errors
/// When the database fails.
pub async fn note_failure(
    tx: &mut Tx,
    tenant: TenantId,
    id: EndpointId,
    hold_until: Option<Timestamp>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook_endpoints SET failing_since = COALESCE(failing_since, $4), hold_until = COALESCE($3, hold_until)
         WHERE tenant_id = $1 AND id = $2",
        &args![tenant, id, hold_until, at],
    )
    .await
    .map(|_| ())
}

/// Removes an endpoint with its deliveries. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, tenant: TenantId, id: EndpointId) -> Result<bool, StoreError> {
    let removed =
        tx.execute("DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", &args![tenant, id]).await?;
    Ok(removed == 1)
}
