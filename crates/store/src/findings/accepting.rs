//! Accepting findings, and taking that back.

use tenantatlas_domain::ids::{FindingId, TenantId, UserId};
use tenantatlas_domain::time::Timestamp;

use crate::sql::{Statement, args, without_nul};
use crate::{StoreError, Tx};

/// Who accepts, why, and until when.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Who; `None` for the command line.
    pub by: Option<UserId>,
    /// Their name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// When the acceptance ends; `None` for never.
    pub until: Option<Timestamp>,
    /// Now.
    pub at: Timestamp,
}

/// Accepts the value that each of these findings showed last. Those that are gone, or of another tenant, are left out. Answers
/// how many were accepted.
///
/// # Errors
/// When the database fails.
pub async fn accept(
    tx: &mut Tx,
    tenant: TenantId,
    findings: &[FindingId],
    accepted: &Accepted,
) -> Result<u64, StoreError> {
    let mut statement = Statement::default();
    statement.push(
        "UPDATE findings
         SET status = 'acknowledged', reopened = NULL, accepted = TRUE, accepted_value = current_value,
             accepted_evidence = evidence, accepted_until = $1, acknowledged_by = $2, acknowledged_by_name = $3,
             acknowledged_at = $4, acknowledged_reason = $5, updated_at = $4
         WHERE tenant_id = $6 AND resolved_at IS NULL",
        args![
            accepted.until,
            accepted.by,
            without_nul(&accepted.name).into_owned(),
            accepted.at,
            without_nul(&accepted.reason).into_owned(),
            tenant
        ],
    );
    statement.push_in(" AND id", findings);
    tx.run(&statement).await
}

/// Takes acceptances back: the findings are new again, and nothing is accepted of them any more. Who had accepted them, and
/// why, stays until somebody does again. Answers how many were taken back.
///
/// # Errors
/// When the database fails.
pub async fn reopen(tx: &mut Tx, tenant: TenantId, findings: &[FindingId], at: Timestamp) -> Result<u64, StoreError> {
    let mut statement = Statement::default();
    statement.push(
        "UPDATE findings
         SET status = 'new', reopened = 'by_hand', accepted = FALSE, accepted_value = NULL, accepted_until = NULL,
             updated_at = $1
         WHERE tenant_id = $2 AND accepted = TRUE",
        args![at, tenant],
    );
    statement.push_in(" AND id", findings);
    tx.run(&statement).await
}
