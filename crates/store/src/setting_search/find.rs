//! Finding settings, page by page: tenant by tenant in the order that is asked for, and within one policy by policy.
//!
//! The first tenant is asked alone, then as many of them together as the page seems to need, until it is full: what is found
//! often is found after one tenant, and what is rare after few questions.

use sqlx::FromRow;
use tenantatlas_domain::body::Completeness;
use tenantatlas_domain::ids::{TenantId, VersionId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::statement::{Search, SearchedTenant};
use crate::StoreError;
use crate::database::{Db, Run as _};
use crate::dialect::{self, Held};
use crate::reader::Readable;
use crate::sql::{Statement, args};

/// Tenants that are asked together, at most.
const MOST_TOGETHER: usize = 64;
/// Tenants that tell which of several texts is the rarest, at most.
const SAMPLED: usize = 16;
/// How many times as many tenants are asked next, at least.
const GROWTH: usize = 4;
/// The longest page.
const MAX_PAGE: u32 = 1_000;
/// Which of several texts is the rarest is told by so many of its lines.
const COUNTED: i64 = 500;

/// Where a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tenant of its last setting.
    pub tenant: TenantId,
    /// The number of that.
    pub line: i64,
}

/// A setting that was found.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Hit {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// Its number in the tenant.
    pub line: i64,
    /// Which setting it is, by Microsoft's names.
    pub key: String,
    /// From when on it has its value: when that version was read.
    #[sqlx(try_from = "i64")]
    pub since_at: Timestamp,
    /// The number of that version.
    #[sqlx(try_from = "i64")]
    pub since_number: u64,
    /// What is shown of it, sealed for the version.
    pub sealed: Vec<u8>,
    /// The key of the type of its policy.
    pub policy_type: String,
    /// The id Microsoft gave the policy.
    pub external_id: String,
    /// The latest version of the policy.
    #[sqlx(try_from = "Uuid")]
    pub version_id: VersionId,
    /// The number of that.
    #[sqlx(try_from = "i64")]
    pub number: u64,
    /// The name that the policy had.
    pub display_name: String,
    /// When that version was read.
    #[sqlx(try_from = "i64")]
    pub read_at: Timestamp,
    /// Whether all of the policy is in it.
    #[sqlx(try_from = "String")]
    pub completeness: Completeness,
    /// The number of the oldest version that is kept.
    #[sqlx(try_from = "i64")]
    pub oldest_number: u64,
}

/// The settings of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// In order.
    pub hits: Vec<Hit>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Place>,
}

/// The settings of the tenants that a search finds, after a place; in the order of the tenants, and within one in the order of
/// its policies.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl Readable,
    tenants: &[SearchedTenant],
    search: &Search,
    after: Option<Place>,
    limit: u32,
) -> Result<Found, StoreError> {
    let db = db.database();
    let limit = limit.clamp(1, MAX_PAGE) as usize;
    let began = after.and_then(|after| tenants.iter().position(|tenant| tenant.id == after.tenant));
    let mut rest = tenants.split_at(began.unwrap_or_default()).1;
    let mut after = after.filter(|_| began.is_some()).map(|after| after.line);
    let first = rarest(db, rest, search).await?;
    let (mut hits, mut together, mut asked): (Vec<Hit>, usize, usize) = (Vec::new(), 1, 0);
    while !rest.is_empty() && hits.len() <= limit {
        let (group, left) = rest.split_at(together.min(rest.len()));
        hits.extend(of_group(db, group, search, first, after.take(), limit + 1 - hits.len()).await?);
        (rest, asked) = (left, asked + group.len());
        // As many as would fill the page if they have as much as those before, which may have had nothing.
        let needed = (limit + 1).saturating_sub(hits.len()) * asked / hits.len().max(1);
        together = needed.max(together * GROWTH).min(MOST_TOGETHER);
    }
    let more = hits.len() > limit;
    hits.truncate(limit);
    let next = hits.last().filter(|_| more).map(|last| Place { tenant: last.tenant_id, line: last.line });
    Ok(Found { hits, next })
}

async fn of_group(
    mut on: &Db,
    group: &[SearchedTenant],
    search: &Search,
    first: Option<usize>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let mut statement = search.wanted(group);
    statement.push(", found (rank, tenant_id, line) AS (", []);
    statement.push_statement(search.found(first, after, limit)).push(
        "), page (rank, tenant_id, line, policy_type, external_id, version_id) AS (
             SELECT f.rank, f.tenant_id, f.line, d.policy_type, d.external_id, d.version_id
             FROM found f",
        [],
    );
    let mut of_line =
        Statement::new("d.id = f.line / 65536 AND d.tenant_id = f.tenant_id AND d.indexed_id = d.version_id");
    search.of_types("d", &mut of_line);
    statement.push_statement(dialect::probe(search.backend, ("setting_documents", "d"), of_line, Held::Not)).push(
        " ORDER BY f.rank, f.line LIMIT $1)
         SELECT p.tenant_id, p.line, k.name AS key, l.since_at, l.since_number, l.sealed, p.policy_type, p.external_id, p.version_id,
             v.number, v.display_name, v.read_at, v.completeness,
             (SELECT MIN(o.number) FROM policy_versions o
              WHERE o.tenant_id = p.tenant_id AND o.policy_type = p.policy_type AND o.external_id = p.external_id
             ) AS oldest_number
         FROM page p
         CROSS JOIN setting_lines l
         CROSS JOIN setting_keys k
         CROSS JOIN policy_versions v
         WHERE k.id = l.key_id AND l.tenant_id = p.tenant_id AND l.line = p.line
             AND v.id = p.version_id AND v.tenant_id = p.tenant_id
         ORDER BY p.rank, p.line",
        args![limit as u64],
    );
    on.query(&statement).await
}

/// Which of several texts fewest lines have, as far as that is told by some of the tenants: it is looked for first.
async fn rarest(mut on: &Db, tenants: &[SearchedTenant], search: &Search) -> Result<Option<usize>, StoreError> {
    if search.terms.len() < 2 {
        return Ok((!search.terms.is_empty()).then_some(0));
    }
    let some = tenants.get(..SAMPLED).unwrap_or(tenants);
    if some.is_empty() {
        return Ok(Some(0));
    }
    let mut rarest = (i64::MAX, 0);
    for at in 0..search.terms.len() {
        let mut statement = search.wanted(some);
        statement.push(" SELECT COUNT(*) FROM (SELECT 1 FROM (", []);
        statement.push_statement(search.alone(at));
        statement.push(") AS f LIMIT $1) AS counted", args![COUNTED]);
        let count: Option<i64> = on.value(statement.text(), statement.values()).await?;
        rarest = rarest.min((count.unwrap_or_default(), at));
    }
    Ok(Some(rarest.1))
}
