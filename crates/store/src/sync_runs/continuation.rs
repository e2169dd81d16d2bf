//! Runs that continue another one of their scope: they read what it did not, and carry the rest over (`docs/rules.md`,
//! section Missing).

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::SyncRunId;
use tenantatlas_domain::reason::ReasonCode;

use super::{SyncRun, get};
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx};

/// What a run continues and reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// The run it continues.
    pub run: SyncRunId,
    /// The types that it reads, by key. Of all others it carries the newest outcome over.
    pub reads: Vec<String>,
}

/// The newest outcome of each type in the scope `$1` of the tenant `$2` from the run number `$3` on, up to `$4`.
const NEWEST: &str = "
    FROM inventory_sync_run_types t
    JOIN (
        SELECT policy_type, MAX(seq) AS seq
        FROM inventory_sync_run_types
        WHERE scope_id = $1 AND tenant_id = $2 AND seq >= $3 AND seq < $4 AND outcome IS NOT NULL
        GROUP BY policy_type) n ON n.policy_type = t.policy_type AND n.seq = t.seq
    WHERE t.scope_id = $1 AND t.tenant_id = $2";

/// Which of these types nobody has read in the scope of a run since it began: what it did not read, without what runs
/// after it did. A type that could not be read the last time counts as unread, and so does one for which the tenant is said to
/// have no license although the scope has read it to its end before: a license that was there may have come back.
///
/// # Errors
/// When the database fails.
pub async fn unread_since(
    mut on: impl Access,
    run: &SyncRun,
    policy_types: Vec<String>,
) -> Result<Vec<String>, StoreError> {
    let mut statement = Statement::new("SELECT t.policy_type");
    statement.push(NEWEST, args![run.scope_id.0, run.tenant_id, run.seq, i64::MAX]);
    statement.push(
        " AND (t.outcome = 'succeeded' OR (t.outcome = 'skipped' AND NOT (
             COALESCE(t.reason_code, '') = $1 AND EXISTS (
                 SELECT 1 FROM inventory_sync_run_types p
                 WHERE p.scope_id = t.scope_id AND p.tenant_id = t.tenant_id AND p.policy_type = t.policy_type
                     AND p.seq < t.seq AND p.outcome = 'succeeded'))))",
        args![ReasonCode::LicenseMissing.as_str()],
    );
    let read: Vec<(String,)> = on.query(&statement).await?;
    Ok(policy_types.into_iter().filter(|key| !read.iter().any(|(read,)| read == key)).collect())
}

/// Carries the newest outcomes over into a run that has just been created, each with the run that read it and when.
pub(super) async fn carry_over(tx: &mut Tx, run: &SyncRun, continuation: &Continuation) -> Result<(), StoreError> {
    let continued = get(&mut *tx, run.tenant_id, continuation.run).await?;
    let Some(continued) = continued.filter(|continued| continued.scope_id == run.scope_id) else { return Ok(()) };
    let mut statement = Statement::new(
        "INSERT INTO inventory_sync_run_types (run_id, policy_type, tenant_id, scope_id, seq, previous_seq, outcome,
             items, inserted, changed, pages, requests, retries, throttled, bytes, reason_code, message, started_at,
             finished_at, unsteady, carried_from, read_seq, read_floor_seq, read_no)",
    );
    statement.push(
        " SELECT $1, t.policy_type, t.tenant_id, t.scope_id, $2, t.previous_seq, t.outcome,
             t.items, t.inserted, t.changed, t.pages, t.requests, t.retries, t.throttled, t.bytes, t.reason_code,
             t.message, t.started_at, t.finished_at, t.unsteady, COALESCE(t.carried_from, t.run_id), t.read_seq,
             t.read_floor_seq, t.read_no",
        args![run.id, run.seq],
    );
    statement.push(NEWEST, args![run.scope_id.0, run.tenant_id, continued.seq, run.seq]);
    if !continuation.reads.is_empty() {
        statement.push_in(" AND t.policy_type NOT", &continuation.reads);
    }
    tx.run(&statement).await.map(|_| ())
}
