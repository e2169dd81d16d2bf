//! Messages to endpoints, written in the transaction of what they tell of and sent afterwards, by whichever process comes first.

use std::time::Duration;

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::endpoint::{DeliveryStatus, EventKind, next_digest};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, OperationRunId, TenantId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx, dialect, endpoints};

/// The longest page of a list.
const MAX_PAGE: u32 = 200;
/// Messages of a digest, at most; what is more comes with the next.
const MAX_DIGEST: u32 = 200;

/// Something that happened in a tenant.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What it is.
    pub kind: EventKind,
    /// The run that it is about or was found by.
    pub run_id: Option<OperationRunId>,
    /// The operation and the state of a run that has ended.
    pub run: Option<(&'a str, OperationBucket)>,
    /// What is told of it: the text of a JSON object, without secrets and bodies.
    pub payload: String,
}

/// The delivery of one message to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Delivery {
    /// The id, the same for every attempt.
    #[sqlx(try_from = "Uuid")]
    pub id: DeliveryId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// Where it goes.
    #[sqlx(try_from = "Uuid")]
    pub endpoint_id: EndpointId,
    /// Of what it tells.
    #[sqlx(try_from = "String")]
    pub event: EventKind,
    /// The run of which it tells.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub run_id: Option<OperationRunId>,
    /// What is told, the text of a JSON object.
    pub payload: String,
    /// How far it is.
    #[sqlx(try_from = "String")]
    pub status: DeliveryStatus,
    /// Attempts in all; the fence of whoever makes the present one.
    #[sqlx(try_from = "i64")]
    pub attempt: u64,
    /// Attempts that have failed since a person sent it last.
    #[sqlx(try_from = "i64")]
    pub tries: u64,
    /// When it is tried next, while it waits.
    #[sqlx(try_from = "i64")]
    pub next_at: Timestamp,
    /// What the other side answered last.
    #[sqlx(try_from = "Nullable<i64>")]
    pub http_status: Option<u16>,
    /// Why the last attempt failed, in a sentence.
    #[sqlx(try_from = "Nullable<Name>")]
    pub reason: Option<String>,
    /// When it was written.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    #[sqlx(try_from = "Nullable<i64>")]
    pub ended_at: Option<Timestamp>,
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Attempt {
    /// Its delivery.
    #[sqlx(try_from = "Uuid")]
    pub delivery_id: DeliveryId,
    /// Its number, from one.
    #[sqlx(try_from = "i64")]
    pub attempt: u64,
    /// When it ended.
    #[sqlx(try_from = "i64")]
    pub at: Timestamp,
    /// What the other side answered.
    #[sqlx(try_from = "Nullable<i64>")]
    pub http_status: Option<u16>,
    /// Why it failed; `None` when it succeeded.
    #[sqlx(try_from = "Nullable<Name>")]
    pub reason: Option<String>,
}

/// Writes a message for each endpoint of the tenant that wants it. Answers how many there are.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(tx: &mut Tx, tenant: TenantId, event: &Event<'_>, at: Timestamp) -> Result<u64, StoreError> {
    let mut written = 0;
    for endpoint in endpoints::list_kept(tx, tenant).await? {
        if endpoint.enabled && endpoint.wanted.covers(event.kind, event.run) {
            let next_at = if endpoint.digest { next_digest(at) } else { at };
            insert(tx, tenant, endpoint.id, event, next_at, at).await?;
            written += 1;
        }
    }
    Ok(written)
}

/// Writes a message for one endpoint, to be sent at once, whatever it listens to.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_for(
    tx: &mut Tx,
    tenant: TenantId,
    endpoint: EndpointId,
    event: &Event<'_>,
    at: Timestamp,
) -> Result<DeliveryId, StoreError> {
    insert(tx, tenant, endpoint, event, at, at).await
}

async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    endpoint: EndpointId,
    event: &Event<'_>,
    next_at: Timestamp,
    at: Timestamp,
) -> Result<DeliveryId, StoreError> {
    let id = DeliveryId::from_uuid(Uuid::now_v7());
    tx.execute(
        "INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event, run_id, payload, status, next_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8)",
        &args![id, tenant, endpoint, event.kind.as_str(), event.run_id, &event.payload, next_at, at],
    )
    .await?;
    Ok(id)
}

/// Whether anything is to be sent now. Cheap: asked all the time.
///
/// # Errors
/// When the database fails.
pub async fn is_due(mut on: impl Access, at: Timestamp) -> Result<bool, StoreError> {
    let found: Option<i64> = on
        .value(
            "SELECT next_at FROM webhook_deliveries WHERE status = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT 1",
            &args![at],
        )
        .await?;
    Ok(found.is_some())
}

/// Takes the next message that is to be sent, for as long as the lease holds. One at a time goes to an endpoint, so that a slow
/// one holds up nobody else. Whoever lost a lease writes nothing more: see [`settle`].
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, owner: &str, lease: Duration, at: Timestamp) -> Result<Option<Delivery>, StoreError> {
    let lease_until = dialect::lease_end(tx, lease).await?;
    // An end that lies further ahead than it can be was written before a clock was set back.
    let longest = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX).saturating_mul(10);
    let now = dialect::now(tx.backend());
    let held = format!("o.lease_until > {now} AND o.lease_until <= {now} + $4");
    let lock = dialect::for_update_skip_locked(tx.backend());
    let text = format!(
        "UPDATE webhook_deliveries
         SET lease_owner = $1, lease_until = $2, attempt = attempt + 1
         WHERE id = (
             SELECT d.id
             FROM webhook_deliveries d
             WHERE d.status = 'waiting' AND d.next_at <= $3
                 AND EXISTS (
                     SELECT 1 FROM webhook_endpoints e
                     WHERE e.id = d.endpoint_id AND (e.enabled = TRUE OR d.event = 'endpoint.test')
                         AND (e.hold_until IS NULL OR e.hold_until <= $3))
                 AND NOT EXISTS (
                     SELECT 1 FROM webhook_deliveries o
                     WHERE o.tenant_id = d.tenant_id AND o.endpoint_id = d.endpoint_id AND o.status = 'waiting' AND {held})
             ORDER BY d.next_at, d.id
             LIMIT 1{lock})
         RETURNING *"
    );
    tx.row(AssertSqlSafe(text), &args![owner, lease_until, at, longest]).await
}

/// Takes the other messages that go into the same digest.
///
/// # Errors
/// When the database fails.
pub async fn claim_digest(
    tx: &mut Tx,
    owner: &str,
    lease: Duration,
    first: &Delivery,
    at: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let lease_until = dialect::lease_end(tx, lease).await?;
    let lock = dialect::for_update_skip_locked(tx.backend());
    let text = format!(
        "UPDATE webhook_deliveries
         SET lease_owner = $1, lease_until = $2, attempt = attempt + 1
         WHERE id IN (
             SELECT d.id
             FROM webhook_deliveries d
             WHERE d.tenant_id = $3 AND d.endpoint_id = $4 AND d.status = 'waiting' AND d.next_at <= $5 AND d.id <> $6
                 AND d.event <> 'endpoint.test'
             ORDER BY d.next_at, d.id
             LIMIT {MAX_DIGEST}{lock})
         RETURNING *"
    );
    let values = args![owner, lease_until, first.tenant_id, first.endpoint_id, at, first.id];
    let mut rest: Vec<Delivery> = tx.rows(AssertSqlSafe(text), &values).await?;
    rest.sort_by_key(|delivery| (delivery.created_at, delivery.id));
    Ok(rest)
}

/// How an attempt ended, for [`settle`].
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    /// What the delivery is from now on.
    pub status: DeliveryStatus,
    /// What the other side answered.
    pub http_status: Option<u16>,
    /// Why it failed.
    pub reason: Option<&'a str>,
    /// When it is tried again, where it waits.
    pub next_at: Timestamp,
}

/// Writes how an attempt ended, and gives the lease back. Answers `false`, and writes nothing, when the lease was lost.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    tx: &mut Tx,
    owner: &str,
    delivery: &Delivery,
    settled: &Settled<'_>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let failed = settled.status != DeliveryStatus::Delivered;
    let ended = (settled.status != DeliveryStatus::Waiting).then_some(at);
    let status = settled.http_status.map(u32::from);
    let changed = tx
        .execute(
            "UPDATE webhook_deliveries
             SET status = $5, http_status = $6, reason = $7, next_at = $8, ended_at = $9, tries = tries + $10,
                 lease_owner = NULL, lease_until = NULL
             WHERE id = $1 AND tenant_id = $2 AND lease_owner = $3 AND attempt = $4 AND status = 'waiting'",
            &args![
                delivery.id,
                delivery.tenant_id,
                owner,
                delivery.attempt,
                settled.status.as_str(),
                status,
                settled.reason,
                settled.next_at,
                ended,
                u32::from(failed)
            ],
        )
        .await?;
    if changed == 0 {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO webhook_attempts (delivery_id, attempt, at, http_status, reason) VALUES ($1, $2, $3, $4, $5)",
        &args![delivery.id, delivery.attempt, at, status, settled.reason],
    )
    .await?;
    Ok(true)
}

/// Gives up what waits for an endpoint.
///
/// # Errors
/// When the database fails.
pub async fn give_up(
    tx: &mut Tx,
    tenant: TenantId,
    endpoint: EndpointId,
    reason: &str,
    at: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(
        "UPDATE webhook_deliveries
         SET status = 'failed', reason = COALESCE(reason, $3), ended_at = $4, lease_owner = NULL, lease_until = NULL
         WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'waiting'",
        &args![tenant, endpoint, reason, at],
    )
    .await
}

/// Sends a message once more, under the same id. Answers whether there is such a message that does not wait already.
///
/// # Errors
/// When the database fails.
pub async fn replay(tx: &mut Tx, tenant: TenantId, id: DeliveryId, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE webhook_deliveries SET status = 'waiting', tries = 0, next_at = $3, ended_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND status <> 'waiting'",
            &args![tenant, id, at],
        )
        .await?;
    Ok(changed == 1)
}

/// One delivery of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: TenantId, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    on.row("SELECT * FROM webhook_deliveries WHERE tenant_id = $1 AND id = $2", &args![tenant, id]).await
}

/// The deliveries to an endpoint, newest first; those older than `before`; at most `limit`, 1 to 200.
///
/// # Errors
/// When the database fails.
pub async fn list(
    mut on: impl Access,
    tenant: TenantId,
    endpoint: EndpointId,
    before: Option<(Timestamp, DeliveryId)>,
    limit: u32,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = Statement::of(
        "SELECT * FROM webhook_deliveries WHERE tenant_id = $1 AND endpoint_id = $2",
        args![tenant, endpoint],
    );
    if let Some((at, id)) = before {
        statement.push(" AND (created_at, id) < ($1, $2)", args![at, id]);
    }
    statement.push(" ORDER BY created_at DESC, id DESC LIMIT $1", args![limit.clamp(1, MAX_PAGE)]);
    on.query(&statement).await
}

/// The attempts at these deliveries of a tenant, in their order.
///
/// # Errors
/// When the database fails.
pub async fn attempts(
    mut on: impl Access,
    tenant: TenantId,
    deliveries: &[DeliveryId],
) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = Statement::of(
        "SELECT a.* FROM webhook_attempts a JOIN webhook_deliveries d ON d.id = a.delivery_id WHERE d.tenant_id = $1",
        args![tenant],
    );
    statement.push_in(" AND a.delivery_id", deliveries);
    statement.push(" ORDER BY a.delivery_id, a.attempt", []);
    on.query(&statement).await
}

/// Forgets deliveries from before this time, so many at most. Answers how many there were.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM webhook_deliveries
         WHERE id IN (SELECT id FROM webhook_deliveries WHERE created_at < $1 AND status <> 'waiting' ORDER BY created_at LIMIT $2)",
        &args![before, most],
    )
    .await
}
