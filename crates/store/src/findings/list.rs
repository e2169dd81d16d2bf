//! Findings of a scope, the most severe first, then the most recent; those of one object stand together.

use sqlx::FromRow;
use tenantatlas_domain::drift::{ChangeKind, FindingStatus, Severity};
use tenantatlas_domain::ids::{FindingId, TenantId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::record::{Finding, rank};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::inventory::search_patterns;
use crate::sql::{Statement, args};

/// The longest page.
const MAX_PAGE: u32 = 1_000;

/// Which findings of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Only those with this status. Those that are gone have none.
    pub status: Option<FindingStatus>,
    /// Those whose drift is gone, instead of the open ones.
    pub resolved: bool,
    /// Only those of this kind.
    pub kind: Option<ChangeKind>,
    /// Only those that matter at least so much.
    pub at_least: Option<Severity>,
    /// Only those of objects of this type.
    pub policy_type: Option<String>,
    /// Only those of objects that have all of these words in their names, or in their ids. Empty for all.
    pub search: String,
}

/// A page of findings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingPage {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The id of the last one, when more follow.
    pub next: Option<FindingId>,
}

/// An acceptance whose end has passed is none.
const NEW: &str = "(status = 'new' OR accepted_until <= $1)";

fn filtered(what: &str, tenant: TenantId, scope_key: &str, filter: &FindingFilter, now: Timestamp) -> Statement {
    let mut statement = Statement::new(&format!("SELECT {what} FROM findings"));
    statement.push(" WHERE tenant_id = $1 AND scope_key = $2", args![tenant, scope_key.to_owned()]);
    statement.push(if filter.resolved { " AND resolved_at IS NOT NULL" } else { " AND resolved_at IS NULL" }, []);
    match filter.status {
        Some(FindingStatus::New) => statement.push(&format!(" AND {NEW}"), args![now]),
        Some(FindingStatus::Acknowledged) => statement
            .push(" AND status = 'acknowledged' AND (accepted_until IS NULL OR accepted_until > $1)", args![now]),
        None => &mut statement,
    };
    if let Some(kind) = filter.kind {
        statement.push(" AND kind = $1", args![kind.as_str()]);
    }
    if let Some(severity) = filter.at_least {
        statement.push(" AND severity_rank <= $1", args![rank(severity)]);
    }
    if let Some(policy_type) = &filter.policy_type {
        statement.push(" AND subject_type = $1", args![policy_type.clone()]);
    }
    for word in search_patterns(&filter.search) {
        statement.push(
            r" AND EXISTS (
                 SELECT 1 FROM inventory_items i
                 WHERE i.id = findings.item_id AND i.tenant_id = findings.tenant_id
                     AND (i.name_key LIKE $1 ESCAPE '\' OR lower(i.external_id) LIKE $1 ESCAPE '\'))",
            args![word],
        );
    }
    statement
}

/// Findings after another one, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    mut on: impl Access,
    tenant: TenantId,
    scope_key: &str,
    filter: &FindingFilter,
    (after, limit): (Option<FindingId>, u32),
    now: Timestamp,
) -> Result<FindingPage, StoreError> {
    let limit = limit.clamp(1, MAX_PAGE);
    let mut statement = filtered("*", tenant, scope_key, filter, now);
    if let Some(after) = after {
        let place: Option<Place> = on
            .row(
                "SELECT severity_rank, since_at, item_id FROM findings WHERE id = $1 AND tenant_id = $2",
                &args![after, tenant],
            )
            .await?;
        if let Some(place) = place {
            statement.push(
                " AND (severity_rank > $1 OR (severity_rank = $1 AND (since_at < $2
                     OR (since_at = $2 AND (item_id, id) > ($3, $4)))))",
                args![place.severity_rank, place.since_at, place.item_id, after],
            );
        }
    }
    statement.push(" ORDER BY severity_rank, since_at DESC, item_id, id LIMIT $1", args![limit + 1]);
    let mut findings: Vec<Finding> = on.query(&statement).await?;
    let more = findings.len() > limit as usize;
    findings.truncate(limit as usize);
    let next = findings.last().filter(|_| more).map(|last| last.id);
    Ok(FindingPage { findings, next })
}

#[derive(FromRow)]
struct Place {
    severity_rank: i64,
    since_at: i64,
    item_id: Uuid,
}

/// The ids of the findings that a filter finds, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn ids(
    mut on: impl Access,
    tenant: TenantId,
    scope_key: &str,
    filter: &FindingFilter,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<FindingId>, StoreError> {
    let mut statement = filtered("id", tenant, scope_key, filter, now);
    statement.push(" ORDER BY severity_rank, since_at DESC, item_id, id LIMIT $1", args![limit]);
    let ids: Vec<(Uuid,)> = on.query(&statement).await?;
    Ok(ids.into_iter().map(|(id,)| id.into()).collect())
}

/// How many findings a filter finds, counted up to `limit`.
///
/// # Errors
/// When the database fails.
pub async fn count(
    mut on: impl Access,
    tenant: TenantId,
    scope_key: &str,
    filter: &FindingFilter,
    limit: u32,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut found = filtered("id", tenant, scope_key, filter, now);
    found.push(" LIMIT $1", args![limit]);
    let mut statement = Statement::new("SELECT COUNT(*) FROM (");
    statement.push_statement(found).push(") AS found", []);
    let count: Option<i64> = on.value(statement.text(), statement.values()).await?;
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// The types of objects of which a scope has findings, open or gone.
///
/// # Errors
/// When the database fails.
pub async fn types(mut on: impl Access, tenant: TenantId, scope_key: &str) -> Result<Vec<String>, StoreError> {
    let text = "SELECT DISTINCT subject_type FROM findings WHERE tenant_id = $1 AND scope_key = $2";
    let types: Vec<(String,)> = on.rows(text, &args![tenant, scope_key]).await?;
    Ok(types.into_iter().map(|(key,)| key).collect())
}

/// Findings of a tenant by their ids; those of others are left out.
///
/// # Errors
/// When the database fails.
pub async fn page_of(mut on: impl Access, tenant: TenantId, ids: &[FindingId]) -> Result<Vec<Finding>, StoreError> {
    let mut statement = Statement::default();
    statement.push("SELECT * FROM findings WHERE tenant_id = $1", args![tenant]).push_in(" AND id", ids);
    statement.push(" ORDER BY severity_rank, since_at DESC, item_id, id", []);
    on.query(&statement).await
}

/// The finding of a tenant with this fingerprint.
///
/// # Errors
/// When the database fails.
pub async fn by_fingerprint(
    mut on: impl Access,
    tenant: TenantId,
    fingerprint: ContentHash,
) -> Result<Option<FindingId>, StoreError> {
    let text = "SELECT id FROM findings WHERE tenant_id = $1 AND fingerprint = $2";
    let id: Option<Uuid> = on.value(text, &args![tenant, fingerprint]).await?;
    Ok(id.map(FindingId::from_uuid))
}
