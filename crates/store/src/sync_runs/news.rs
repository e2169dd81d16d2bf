//! What a sync run found that was not known before.

use sqlx::FromRow;
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::news::News;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};

use super::SyncRun;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;

/// A type that a run read itself, beside what is known of it.
#[derive(Clone, Debug, FromRow)]
struct ReadType {
    #[sqlx(try_from = "Nullable<String>")]
    outcome: Option<TypeOutcome>,
    #[sqlx(try_from = "i64")]
    items: u64,
    #[sqlx(try_from = "i64")]
    inserted: u64,
    #[sqlx(try_from = "i64")]
    changed: u64,
    #[sqlx(try_from = "i64")]
    newly_missing: u64,
    unsteady: bool,
    read_seq: i64,
    baseline: Option<i64>,
    #[sqlx(try_from = "i64")]
    known: u64,
}

/// What a run that came to its own end found that was not known before, in the types that it read itself. By the rules of
/// `docs/rules.md`, section Missing: what a type holds that is read to the end for the first time is its baseline.
///
/// # Errors
/// When the database fails.
pub async fn news(on: impl Access, run: &SyncRun) -> Result<News, StoreError> {
    let types = read_types(on, run.tenant_id, run.id).await?;
    let mut news = News::default();
    let mut steady = true;
    for one in &types {
        if one.outcome == Some(TypeOutcome::Succeeded) {
            let missing = one.known.saturating_sub(one.items);
            news.missing += missing;
            news.newly_missing += one.newly_missing.min(missing);
            steady &= missing == 0 || !one.unsteady;
        }
        match one.baseline {
            Some(baseline) if one.read_seq > baseline => {
                news.changed += one.changed;
                news.new += one.inserted;
            }
            Some(_) => news.first_read += one.items,
            // Not read to the end yet: what it saw is part of a baseline to come.
            None => {}
        }
    }
    let clean = run.status == SyncRunStatus::Success && !run.had_errors;
    news.unsure = news.missing > 0 && !(clean && steady);
    Ok(news)
}

async fn read_types(mut on: impl Access, tenant: TenantId, run: SyncRunId) -> Result<Vec<ReadType>, StoreError> {
    on.rows(
        "SELECT t.outcome, t.items, t.inserted, t.changed, t.newly_missing, t.unsteady, t.read_seq, b.seq AS baseline,
             COALESCE(k.items, 0) AS known
         FROM inventory_sync_run_types t
         LEFT JOIN inventory_baselines b ON b.tenant_id = $1 AND b.policy_type = t.policy_type
         LEFT JOIN (
             SELECT policy_type, CAST(SUM(items) AS BIGINT) AS items
             FROM inventory_counts
             WHERE tenant_id = $1
             GROUP BY policy_type) k ON k.policy_type = t.policy_type
         WHERE t.tenant_id = $1 AND t.run_id = $2 AND t.carried_from IS NULL",
        &args![tenant, run],
    )
    .await
}
