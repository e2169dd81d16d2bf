//! The list of runs with a long history, requested by many.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, TenantId};
use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome, OperationStatus, conclude};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, Claim, End, KindLimits, Limits, NewOperationRun, Rest, Settled};
use tenantatlas_store::{Db, Tx};
use uuid::Uuid;

use crate::load::{Answered, Visitors};
use crate::site::Site;

/// Runs that there have been.
pub const RUNS: u32 = 100_000;
/// People who look at them.
const PEOPLE: usize = 50;
/// Requests a second.
const PER_SECOND: u32 = 20;
/// Runs of one transaction.
const BATCH: u32 = 500;
/// Milliseconds between two runs: the history is some months long.
const APART: i64 = 120_000;
/// When the first was requested.
const BEGIN: i64 = 1_780_000_000_000;

/// Makes the history, and prints a line for each way to look at it.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let site = Site::make(&["--objects", "100"], postgres, PEOPLE).await?;
    let db = site.db().await?;
    fill(&db, site.tenant).await?;
    db.close().await;
    let server = site.serve()?;
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let runs = format!("/t/{}/runs", site.tenant);
    let second = crate::page::next_of(&visitors.text(&runs).await?).context("the list has a second page")?;
    for (page, path) in [
        ("first", runs.clone()),
        ("second", second),
        ("`?state=failed`", format!("{runs}?state=failed")),
        ("`?reason=graph_throttled`", format!("{runs}?reason=graph_throttled")),
        ("`?reason=connection_changed`, of no run", format!("{runs}?reason=connection_changed")),
        (
            "`?operation=policies.capture&state=partially_succeeded`",
            format!("{runs}?operation=policies.capture&state=partially_succeeded"),
        ),
        ("all tenants", "/runs".to_owned()),
        ("all tenants, `?reason=graph_throttled`", "/runs?reason=graph_throttled".to_owned()),
    ] {
        let Answered { times, failed, alone } = visitors.request(&path, PER_SECOND).await?;
        println!(
            "| {name} | {page} | {PER_SECOND} | {} | {failed} | {:.1} ms | {:.1} ms | {:.1} ms | {alone:.1} ms | p99 < 50 ms |",
            times.len() + failed,
            times.at(0.5),
            times.at(0.99),
            times.at(1.0),
        );
    }
    Ok(())
}

/// Runs as they are dispatched, worked on and ended, by the statements with which that is done.
async fn fill(db: &Db, tenant: TenantId) -> Result<()> {
    let types: Vec<String> = registry().all().iter().map(|one| one.key.to_owned()).collect();
    for first in (0..RUNS).step_by(BATCH as usize) {
        let mut tx = db.write().await?;
        for number in first..first + BATCH {
            one(&mut tx, tenant, number, &types).await?;
        }
        tx.commit().await?;
    }
    tenantatlas_store::inventory::refresh_statistics(db).await?;
    Ok(())
}

async fn one(tx: &mut Tx, tenant: TenantId, number: u32, types: &[String]) -> Result<()> {
    let (resource, action) =
        [("inventory", "sync"), ("policies", "capture"), ("drift", "generate")][number as usize % 3];
    let at = Timestamp::from_millis(BEGIN + i64::from(number) * APART);
    let new = NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::now_v7()),
        tenant_id: tenant,
        user_id: None,
        token_id: None,
        initiator: "Nightly".to_owned(),
        resource: resource.to_owned(),
        action: action.to_owned(),
        idempotency_key: format!("{resource}.{action}:all"),
        correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
        payload: json!({}),
        item_ids: types.to_vec(),
        audit_log_id: Uuid::now_v7(),
        retry_of: None,
        follows: None,
        follow_ups: Vec::new(),
        schedule_id: None,
    };
    operation_runs::create(tx, &new, at).await?;
    let limits = [KindLimits { resource, action, limits: Limits { global: 10, per_tenant: 10 } }];
    let claim = Claim { owner: "bench", lease: Duration::from_secs(60), limits: &limits };
    let run = operation_runs::claim(tx, &claim, at).await?.context("a run to claim")?;
    let fence = run.fence().context("a fence")?;
    // One run in ten did not read some types, one in fifty for a rarer reason.
    let reason = match number % 50 {
        0 => Some(ReasonCode::GraphThrottled),
        number if number.is_multiple_of(10) => Some(ReasonCode::LicenseMissing),
        _ => None,
    };
    let settled: Vec<Settled> = types
        .iter()
        .enumerate()
        .map(|(place, key)| match reason.filter(|_| place < 5) {
            Some(reason_code) => Settled {
                outcome: ItemOutcome::Failed,
                failure: Some(Failure {
                    reason_code,
                    reason: reason_code.sentence().to_owned(),
                    item_id: Some(key.clone()),
                    kind: FailureKind::Failed,
                }),
            },
            None => Settled { outcome: ItemOutcome::Succeeded, failure: None },
        })
        .collect();
    let run = operation_runs::settle(tx, &fence, &settled, at).await?;
    let status = if number.is_multiple_of(97) { OperationStatus::Failed } else { conclude(&run.counters) };
    let end = End { status, reason_code: None, reason: String::new(), rest: Rest::Open };
    let ended = Timestamp::from_millis(at.as_millis() + APART / 4);
    operation_runs::finish(tx, &fence, &end, ended).await?;
    Ok(())
}
