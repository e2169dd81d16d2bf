//! Refusals of tokens of the REST API that the audit log told of within the last while, with how many more there were since.
//! Kept here and not in memory, since the processes that share a database tell of them together.

use std::time::Duration;

use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;
use crate::{StoreError, Tx, dialect, tenants};

/// What was refused to a token: refusals that agree in this are the same one.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TokenRefusal {
    /// The token.
    pub token_id: Uuid,
    /// The tenant it concerns.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub tenant_id: Option<TenantId>,
    /// What the audit log calls it.
    pub action: String,
    /// What kind of thing it concerns, as the audit log has it.
    pub resource_type: String,
    /// Which one.
    pub resource_id: String,
    /// Why, as a stable word; empty where there is none.
    pub reason: String,
}

/// A refusal, and how often it came again since it was told.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CountedRefusal {
    /// Which one.
    #[sqlx(flatten)]
    pub refusal: TokenRefusal,
    /// When it was told.
    #[sqlx(try_from = "i64")]
    pub told_at: Timestamp,
    /// How often it came since.
    #[sqlx(try_from = "i64")]
    pub counted: u64,
}

/// What becomes of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotedRefusal {
    /// It is to be told; before it what was counted of it earlier and is not told yet.
    Tell(Option<CountedRefusal>),
    /// It was told a short time ago, and is counted.
    Counted,
}

const COLUMNS: &str = "token_id, tenant_id, action, resource_type, resource_id, reason, told_at, counted";

/// Notes that a token was refused something `times` times. The same refusal is to be told once in `window`. The token stays
/// locked until the transaction ends, so that no two processes tell of the same.
///
/// # Errors
/// When the database fails.
pub async fn note(
    tx: &mut Tx,
    refusal: &TokenRefusal,
    times: u64,
    at: Timestamp,
    window: Duration,
) -> Result<NotedRefusal, StoreError> {
    // The tenant before the token, as whoever removes a tenant takes them.
    let there = match refusal.tenant_id {
        Some(tenant) => tenants::hold(tx, tenant).await?.is_some(),
        None => true,
    };
    if !there || !lock(tx, refusal.token_id).await? {
        // The token or the tenant went meanwhile: there is nothing to count by.
        return Ok(NotedRefusal::Tell(None));
    }
    let TokenRefusal { token_id, tenant_id, action, resource_type, resource_id, reason } = refusal;
    let id: Option<Uuid> = tx
        .value(
            "SELECT id FROM api_token_refusals
             WHERE token_id = $1 AND tenant_id IS NOT DISTINCT FROM $2 AND action = $3 AND resource_type = $4
                 AND resource_id = $5 AND reason = $6",
            &args![*token_id, *tenant_id, action, resource_type, resource_id, reason],
        )
        .await?;
    let mut before = None;
    if let Some(id) = id {
        match close_row(tx, id, at, window).await? {
            Some(over) => before = Some(over).filter(|over| over.counted > 0),
            None => {
                let text = "UPDATE api_token_refusals SET counted = counted + $2 WHERE id = $1";
                tx.execute(text, &args![id, times.cast_signed()]).await?;
                return Ok(NotedRefusal::Counted);
            }
        }
    }
    tx.execute(
        "INSERT INTO api_token_refusals
             (id, token_id, tenant_id, action, resource_type, resource_id, reason, told_at, counted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
        &args![Uuid::now_v7(), *token_id, *tenant_id, action, resource_type, resource_id, reason, at],
    )
    .await?;
    Ok(NotedRefusal::Tell(before))
}

/// Refusals that were told longer than `window` ago, oldest first, at most `most`: their ids.
///
/// # Errors
/// When the database fails.
pub async fn over(mut on: impl Access, at: Timestamp, window: Duration, most: u32) -> Result<Vec<Uuid>, StoreError> {
    let (from, until) = bounds(at, window);
    on.values(
        "SELECT id FROM api_token_refusals WHERE told_at <= $1 OR told_at > $2 ORDER BY told_at LIMIT $3",
        &args![from, until, most],
    )
    .await
}

/// Forgets a refusal that was told longer than `window` ago; answers what was counted of it since. `None` when it is not so long
/// ago, or somebody else has forgotten it.
///
/// # Errors
/// When the database fails.
pub async fn close(
    tx: &mut Tx,
    id: Uuid,
    at: Timestamp,
    window: Duration,
) -> Result<Option<CountedRefusal>, StoreError> {
    let token: Option<Uuid> = tx.value("SELECT token_id FROM api_token_refusals WHERE id = $1", &args![id]).await?;
    match token {
        Some(token) if lock(tx, token).await? => close_row(tx, id, at, window).await,
        _ => Ok(None),
    }
}

async fn close_row(
    tx: &mut Tx,
    id: Uuid,
    at: Timestamp,
    window: Duration,
) -> Result<Option<CountedRefusal>, StoreError> {
    let (from, until) = bounds(at, window);
    let text =
        format!("DELETE FROM api_token_refusals WHERE id = $1 AND (told_at <= $2 OR told_at > $3) RETURNING {COLUMNS}");
    tx.row(AssertSqlSafe(text), &args![id, from, until]).await
}

/// What was told up to the first moment is over, and so is what was told after the second one: the clock was set back.
fn bounds(at: Timestamp, window: Duration) -> (Timestamp, Timestamp) {
    let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    (
        Timestamp::from_millis(at.as_millis().saturating_sub(window)),
        Timestamp::from_millis(at.as_millis().saturating_add(window)),
    )
}

async fn lock(tx: &mut Tx, token: Uuid) -> Result<bool, StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let held: Option<Uuid> =
        tx.value(AssertSqlSafe(format!("SELECT id FROM api_tokens WHERE id = $1{lock}")), &args![token]).await?;
    Ok(held.is_some())
}
