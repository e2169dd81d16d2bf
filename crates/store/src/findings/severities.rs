//! How much a change of a type matters in a tenant, where that is not what it matters by itself.

use std::collections::BTreeMap;

use tenantatlas_domain::drift::Severity;
use tenantatlas_domain::ids::TenantId;

use super::record::rank;
use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{StoreError, Tx};

/// What a tenant says about its types, by their keys.
///
/// # Errors
/// When the database fails, or holds a severity that this version of the program does not know.
pub async fn severities(mut on: impl Access, tenant: TenantId) -> Result<BTreeMap<String, Severity>, StoreError> {
    let text = "SELECT policy_type, severity FROM drift_severities WHERE tenant_id = $1 ORDER BY policy_type";
    let rows: Vec<(String, String)> = on.rows(text, &args![tenant]).await?;
    let read = |(key, name): (String, String)| match name.parse() {
        Ok(severity) => Ok((key, severity)),
        Err(_) => Err(StoreError::corrupt("a severity")),
    };
    rows.into_iter().map(read).collect()
}

/// Says how much a change of a type matters in a tenant, also of what was found already. `chosen` is empty where the tenant has
/// no say of its own any more.
///
/// # Errors
/// When the database fails.
pub async fn set_severity(
    tx: &mut Tx,
    tenant: TenantId,
    policy_type: &str,
    chosen: Option<Severity>,
    default: Severity,
) -> Result<(), StoreError> {
    match chosen {
        Some(severity) => {
            tx.execute(
                "INSERT INTO drift_severities (tenant_id, policy_type, severity) VALUES ($1, $2, $3)
                 ON CONFLICT (tenant_id, policy_type) DO UPDATE SET severity = excluded.severity",
                &args![tenant, policy_type, severity.as_str()],
            )
            .await?;
        }
        None => {
            let text = "DELETE FROM drift_severities WHERE tenant_id = $1 AND policy_type = $2";
            tx.execute(text, &args![tenant, policy_type]).await?;
        }
    }
    let severity = chosen.unwrap_or(default);
    tx.execute(
        "UPDATE findings SET severity = $3, severity_rank = $4 WHERE tenant_id = $1 AND subject_type = $2",
        &args![tenant, policy_type, severity.as_str(), rank(severity)],
    )
    .await?;
    Ok(())
}
