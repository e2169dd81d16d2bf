//! Runs of a scope that read a type and did not see an item.

use std::borrow::Cow;

use tenantatlas_domain::ids::ItemId;

use crate::bulk::{InsertRows, WithList};
use crate::sql::{Value, args};
use crate::sync_runs::SyncRun;
use crate::{StoreError, Tx, dialect};

/// The end of an absence that goes on.
pub(super) const OPEN: i64 = i64::MAX;

const RETURNED: InsertRows = InsertRows {
    table: "inventory_absences",
    columns: Cow::Borrowed(&["item_id", "scope_id", "from_seq", "until_seq"]),
    on_conflict: Cow::Borrowed("(item_id, scope_id, from_seq) DO UPDATE SET until_seq = excluded.until_seq"),
};

const APPEARED: WithList = WithList {
    text: "UPDATE inventory_absences
           SET until_seq = $1
           WHERE scope_id = $2 AND from_seq = 0 AND until_seq = $3 AND item_id IN (#)",
};

const RENAME: WithList = WithList {
    text: "UPDATE inventory_absences
           SET name_key = (SELECT i.name_key FROM inventory_items i WHERE i.id = inventory_absences.item_id)
           WHERE until_seq = $1 AND item_id IN (#)",
};

/// Gives absences that go on the names that their items have now: another scope has read these under a new name.
pub(super) async fn rename(tx: &mut Tx, items: &[Value<'_>]) -> Result<(), StoreError> {
    RENAME.run(tx, &args![OPEN], items).await.map(|_| ())
}

/// Ends absences with this run: of items that the scope saw before (with the last run that did), and of known items
/// that it sees for the first time.
pub(super) async fn end(
    tx: &mut Tx,
    run: &SyncRun,
    returned: &[(ItemId, i64)],
    appeared: &[Value<'_>],
) -> Result<(), StoreError> {
    let mut rows: Vec<Value<'_>> = Vec::with_capacity(returned.len() * 4);
    for (item, last_seq) in returned {
        rows.extend([(*item).into(), run.scope_id.0.into(), (last_seq + 1).into(), run.seq.into()]);
    }
    RETURNED.run(tx, &rows).await?;
    APPEARED.run(tx, &args![run.seq, run.scope_id.0, OPEN], appeared).await?;
    Ok(())
}

/// Notes which items of a type that was read to the end were not seen. `seen` is how many were; when that is all there
/// are, nothing is searched. Answers how many of them were not absent before.
pub(crate) async fn note_absences(tx: &mut Tx, run: &SyncRun, policy_type: &str, seen: u64) -> Result<u64, StoreError> {
    dialect::lock_type(tx, run.tenant_id.as_uuid(), policy_type).await?;
    let known: Option<i64> = tx
        .value(
            "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT)
             FROM inventory_counts
             WHERE tenant_id = $1 AND policy_type = $2",
            &args![run.tenant_id, policy_type],
        )
        .await?;
    if known.is_some_and(|known| known.unsigned_abs() == seen) {
        return Ok(0);
    }
    tx.execute(
        "INSERT INTO inventory_absences (scope_id, item_id, from_seq, until_seq, policy_type, name_key)
         SELECT $1, i.id, COALESCE(s.last_seq + 1, 0), $2, i.policy_type, i.name_key
         FROM inventory_items i
         LEFT JOIN inventory_sightings s ON s.item_id = i.id AND s.scope_id = $1
         WHERE i.tenant_id = $3 AND i.policy_type = $4 AND (s.last_seq IS NULL OR s.last_seq < $5)
         ON CONFLICT (item_id, scope_id, from_seq) DO NOTHING",
        &args![run.scope_id.0, OPEN, run.tenant_id, policy_type, run.seq],
    )
    .await
}
