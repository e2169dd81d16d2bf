//! One setting over tenants: which values it has where.

use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, VersionId};
use uuid::Uuid;

use super::keys::KeyId;
use super::statement::{Search, SearchedTenant};
use crate::StoreError;
use crate::database::Run as _;
use crate::reader::Readable;
use crate::sql::{Statement, args};

/// Values of tenants, at most.
const MOST_CELLS: i64 = 2_000;

/// One value that a setting has in a tenant.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct PivotCell {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// Policies that set it so.
    #[sqlx(try_from = "i64")]
    pub policies: u64,
    /// What is shown of one of them, sealed for its version.
    pub sealed: Vec<u8>,
    /// That version.
    #[sqlx(try_from = "Uuid")]
    pub version_id: VersionId,
}

/// The values of a setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pivot {
    /// In no order.
    pub cells: Vec<PivotCell>,
    /// Whether there are more than are told.
    pub more: bool,
}

/// The values that a setting has in tenants, over the types of a search.
///
/// # Errors
/// When the database fails.
pub async fn pivot(
    db: &impl Readable,
    tenants: &[SearchedTenant],
    search: &Search,
    key: KeyId,
) -> Result<Pivot, StoreError> {
    let mut on = db.database();
    let mut cells: Vec<PivotCell> = Vec::new();
    for group in tenants.chunks(500) {
        let ids: Vec<TenantId> = group.iter().map(|tenant| tenant.id).collect();
        let mut statement = Statement::new(
            "WITH cells (tenant_id, value, policies, line) AS (
                 SELECT l.tenant_id, l.value, COUNT(DISTINCT l.line / 65536), MIN(l.line)
                 FROM setting_lines l
                 JOIN setting_documents d ON d.id = l.line / 65536 AND d.tenant_id = l.tenant_id
                 WHERE d.indexed_id = d.version_id",
        );
        statement.push(" AND l.key_id = $1", args![key.0]).push_in(" AND l.tenant_id", &ids);
        search.of_types("d", &mut statement);
        statement.push(
            " GROUP BY l.tenant_id, l.value LIMIT $1)
             SELECT c.tenant_id, c.policies, l.sealed, d.version_id
             FROM cells c
             JOIN setting_lines l ON l.tenant_id = c.tenant_id AND l.line = c.line
             JOIN setting_documents d ON d.id = l.line / 65536 AND d.tenant_id = l.tenant_id",
            args![MOST_CELLS + 1],
        );
        cells.extend(on.query::<PivotCell>(&statement).await?);
    }
    let more = cells.len() > MOST_CELLS.unsigned_abs() as usize;
    cells.truncate(MOST_CELLS.unsigned_abs() as usize);
    Ok(Pivot { cells, more })
}
