//! Conditions of lists of items, and where few items come from that can meet them.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{Assigned, Relationship};
use tenantatlas_domain::time::Timestamp;

use super::absences::OPEN;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::scopes::ScopeId;
use crate::sql::{Statement, args};

/// Up to so many changed items are found by the index on changes and then sorted; more are met often enough on a walk.
pub(super) const FEW: u64 = 20_000;
/// The same for items that a group gets.
const FEW_ASSIGNED: i64 = 5_000;

/// Changes since a time.
#[derive(Clone, Copy)]
pub(super) struct Changed {
    since: Timestamp,
    /// No run below this number can have found one.
    pub(super) from_seq: i64,
    /// Whether there are few.
    pub(super) few: bool,
}

impl Changed {
    /// Finds where they begin: with the first run that ended after that time or has not ended, beyond what every type was
    /// first read by.
    pub(super) async fn since(mut on: impl Access, tenant: TenantId, since: Timestamp) -> Result<Self, StoreError> {
        let from_seq: Option<i64> = on
            .value(
                "SELECT MAX(m.seq)
                 FROM (
                     SELECT COALESCE(MIN(r.seq), $3) AS seq
                     FROM inventory_sync_runs r
                     WHERE r.tenant_id = $1 AND (r.finished_at IS NULL OR r.finished_at > $2)
                     UNION ALL SELECT MIN(b.seq) + 1 FROM inventory_baselines b WHERE b.tenant_id = $1) m",
                &args![tenant, since, i64::MAX],
            )
            .await?;
        let from_seq = from_seq.unwrap_or(i64::MAX);
        let found: Option<i64> = on
            .value(
                "SELECT COUNT(*)
                 FROM (SELECT 1 FROM inventory_items WHERE tenant_id = $1 AND changed_seq >= $2 LIMIT $3) AS n",
                &args![tenant, from_seq, FEW + 1],
            )
            .await?;
        Ok(Self { since, from_seq, few: found.is_some_and(|found| found.unsigned_abs() <= FEW) })
    }
}

/// Whether few items name somebody on this side, or few are assigned to nobody.
pub(super) async fn are_few(
    mut on: impl Access,
    tenant: TenantId,
    side: Relationship,
    whom: &Assigned,
) -> Result<bool, StoreError> {
    let mut statement = Statement::new("SELECT COUNT(*) FROM (");
    push_assigned(&mut statement, tenant, side, whom, None);
    statement.push(" LIMIT $1) AS n", args![FEW_ASSIGNED + 1]);
    let found: Option<i64> = on.value(statement.text(), statement.values()).await?;
    Ok(found.is_some_and(|found| found <= FEW_ASSIGNED))
}

/// The read that tells of a walk: that of the latest completed run, or of an earlier one from which that run carried
/// outcomes over.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) scope: ScopeId,
    pub(super) tenant: TenantId,
    pub(super) seq: i64,
    pub(super) floor_seq: i64,
}

/// The ids of the items whose assignments name somebody on this side, or that are assigned to nobody; of one type, where one
/// is named.
pub(super) fn push_assigned(
    statement: &mut Statement,
    tenant: TenantId,
    side: Relationship,
    whom: &Assigned,
    policy_type: Option<&str>,
) {
    let column = match whom.external_id() {
        Some(id) => {
            statement.push(
                "SELECT DISTINCT l.source_item_id AS id
                 FROM inventory_links l
                 WHERE l.tenant_id = $1 AND l.target_external_id = $2
                     AND l.relationship IN ('assigned_to', 'excluded_from') AND l.relationship = $3",
                args![tenant, id, side.as_str()],
            );
            "l.source_policy_type"
        }
        None => {
            statement.push(
                "SELECT c.id FROM inventory_items c WHERE c.tenant_id = $1 AND c.assigned = FALSE",
                args![tenant],
            );
            "c.policy_type"
        }
    };
    if let Some(one) = policy_type {
        statement.push(&format!(" AND {column} = $1"), args![one.to_owned()]);
    }
}

/// The same as a condition on the row `i`.
pub(super) fn push_is_assigned(statement: &mut Statement, side: Relationship, whom: &Assigned) {
    match whom.external_id() {
        Some(id) => statement.push(
            " AND EXISTS (
                 SELECT 1
                 FROM inventory_links l
                 WHERE l.source_item_id = i.id AND l.relationship = $1 AND l.target_external_id = $2)",
            args![side.as_str(), id],
        ),
        None => statement.push(" AND i.assigned = FALSE", []),
    };
}

/// Found new or changed since a time, and not by what first read its type.
pub(super) fn push_changed(statement: &mut Statement, tenant: TenantId, changed: Changed) {
    // The sum keeps a walk along another index from being given up for the one on changes.
    statement.push(
        " AND i.changed_at > $1 AND i.changed_seq + 0 >= $2 AND i.changed_seq > COALESCE(
             (SELECT b.seq FROM inventory_baselines b WHERE b.tenant_id = $3 AND b.policy_type = i.policy_type), $4)",
        args![changed.since, changed.from_seq, tenant, i64::MAX],
    );
}

/// Not there since a sync of the scope that ended after a time. The sum keeps the absences of an item from being looked for
/// among all that go on.
pub(super) fn push_missing_since(statement: &mut Statement, told: Told, since: Timestamp) {
    statement.push(
        &format!(
            " AND EXISTS (
                 SELECT 1
                 FROM inventory_absences m
                 JOIN inventory_sync_runs r ON r.tenant_id = $1 AND r.seq = m.from_seq
                 WHERE m.item_id = i.id AND m.scope_id = $2 AND m.until_seq + 0 = {OPEN} AND r.finished_at > $3)"
        ),
        args![told.tenant, told.scope.0, since],
    );
}

/// Where rows `i` come from that the run may not have seen and of which no absence goes on.
pub(super) fn push_unseen_otherwise(statement: &mut Statement, tenant: TenantId, told: Told) {
    statement.push(" FROM (", []);
    push_closed_or_later(statement, told);
    statement.push(
        &format!(
            ") AS rare
             CROSS JOIN inventory_items i
             WHERE i.id = rare.id AND i.tenant_id = $1 AND NOT EXISTS (
                 SELECT 1
                 FROM inventory_absences o
                 WHERE o.item_id = i.id AND o.scope_id = $2 AND o.until_seq = {OPEN} AND o.from_seq <= $3)"
        ),
        args![tenant, told.scope.0, told.seq],
    );
}

/// Items that the run may not have seen: those that it noted as absent, and those that became known only afterwards.
pub(super) fn push_unseen(statement: &mut Statement, told: Told) {
    statement.push(
        &format!(
            "SELECT a.item_id AS id
             FROM inventory_absences a
             WHERE a.scope_id = $1 AND a.until_seq = {OPEN} AND a.from_seq <= $2
             UNION "
        ),
        args![told.scope.0, told.seq],
    );
    push_closed_or_later(statement, told);
}

/// The same without absences that go on.
fn push_closed_or_later(statement: &mut Statement, told: Told) {
    statement.push(
        &format!(
            "SELECT e.item_id AS id
             FROM inventory_absences e
             WHERE e.scope_id = $1 AND e.until_seq > $2 AND e.until_seq < {OPEN} AND e.from_seq <= $2
             UNION SELECT c.id FROM inventory_items c WHERE c.tenant_id = $3 AND c.changed_seq > $2"
        ),
        args![told.scope.0, told.seq, told.tenant],
    );
    if told.floor_seq < told.seq {
        statement.push(
            " UNION SELECT c.id FROM inventory_items c
              WHERE c.tenant_id = $1 AND c.changed_seq >= $2 AND c.changed_seq < $3",
            args![told.tenant, told.floor_seq, told.seq],
        );
    }
}

/// Whether the run saw the item. A number and not an `EXISTS`, which PostgreSQL may turn into a join that begins with the
/// sightings: with statistics of before the last run it takes those for few, and sorts them all. Compared by what it is not
/// (seen: not 0 times, unseen: not once), because a database that guesses takes that for the usual case.
pub(super) fn push_seen(statement: &mut Statement, told: Told, compared: &str) {
    statement.push(
        &format!(
            " AND (
                 SELECT COUNT(*)
                 FROM inventory_sightings s
                 WHERE s.item_id = i.id AND s.scope_id = $1 AND s.since_seq <= $2 AND s.last_seq >= $2
                     AND (s.last_seq = $2 OR NOT EXISTS (
                         SELECT 1
                         FROM inventory_absences g
                         WHERE g.item_id = s.item_id AND g.scope_id = s.scope_id
                             AND g.from_seq <= $2 AND g.until_seq > $2))) {compared}"
        ),
        args![told.scope.0, told.seq],
    );
}
