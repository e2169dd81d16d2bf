//! What of tenants is searched and what is not.

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args};

/// Tenants of one question, at most.
const AT_ONCE: usize = 500;
/// Captures of a tenant that are looked at for why something was not read.
const CAPTURES: i64 = 5;

/// The policies of one type of a tenant that versions are kept of.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CountedType {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of the type.
    pub policy_type: String,
    /// Policies.
    #[sqlx(try_from = "i64")]
    pub kept: u64,
    /// Of these, those whose latest version is not searched yet.
    #[sqlx(try_from = "i64")]
    pub pending: u64,
    /// Of these, those whose latest version is not whole.
    #[sqlx(try_from = "i64")]
    pub partial: u64,
    /// Settings that are searched.
    #[sqlx(try_from = "i64")]
    pub settings: u64,
}

/// How many objects of a type the inventory of a tenant knows.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct InventoryCount {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of the type.
    pub policy_type: String,
    /// Objects.
    #[sqlx(try_from = "i64")]
    pub items: u64,
}

/// What is kept, and what the inventory knows, by tenant and type.
///
/// # Errors
/// When the database fails.
pub async fn counts(
    mut on: impl Access,
    tenants: &[TenantId],
) -> Result<(Vec<CountedType>, Vec<InventoryCount>), StoreError> {
    let (mut kept, mut known) = (Vec::new(), Vec::new());
    for tenants in tenants.chunks(AT_ONCE) {
        let mut statement = Statement::new(
            "SELECT tenant_id, policy_type, COUNT(*) AS kept,
                 CAST(SUM(CASE WHEN indexed_id IS NULL OR indexed_id <> version_id THEN 1 ELSE 0 END) AS BIGINT) AS pending,
                 CAST(SUM(CASE WHEN partial = TRUE THEN 1 ELSE 0 END) AS BIGINT) AS partial,
                 CAST(SUM(settings) AS BIGINT) AS settings
             FROM setting_documents WHERE",
        );
        statement.push_in(" tenant_id", tenants).push(" GROUP BY tenant_id, policy_type", []);
        kept.extend(on.query::<CountedType>(&statement).await?);
        let mut statement = Statement::new(
            "SELECT tenant_id, policy_type, CAST(SUM(items) AS BIGINT) AS items FROM inventory_counts WHERE",
        );
        statement.push_in(" tenant_id", tenants).push(" GROUP BY tenant_id, policy_type", []);
        known.extend(on.query::<InventoryCount>(&statement).await?);
    }
    Ok((kept, known))
}

/// Why a capture did not read a type to the end.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LastReading {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of the type.
    pub policy_type: String,
    /// Why it was not; `None` where it was.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
}

/// How the latest captures of tenants ended for their types, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn last_readings(mut on: impl Access, tenants: &[TenantId]) -> Result<Vec<LastReading>, StoreError> {
    let mut found = Vec::new();
    for tenants in tenants.chunks(AT_ONCE) {
        let mut statement = Statement::new(
            "SELECT t.tenant_id, t.policy_type, t.reason_code, t.started_at
             FROM policy_captures c
             JOIN policy_capture_types t ON t.capture_id = c.id AND t.tenant_id = c.tenant_id
             WHERE",
        );
        statement.push_in(" c.tenant_id", tenants).push(
            " AND c.id IN (
                 SELECT n.id FROM policy_captures n WHERE n.tenant_id = c.tenant_id ORDER BY n.started_at DESC LIMIT $1)
               AND t.outcome IS NOT NULL
             ORDER BY t.started_at DESC",
            args![CAPTURES],
        );
        found.extend(on.query::<LastReading>(&statement).await?);
    }
    Ok(found)
}
