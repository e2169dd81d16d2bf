//! What follows from how an attempt ended.

use std::time::Duration;

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::endpoint::{DeliveryStatus, EventKind, OFF_AFTER, wait_after};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::deliveries::{self, Delivery, Settled};
use tenantatlas_store::endpoints::Endpoint;
use tenantatlas_store::tenants::Tenant;
use tenantatlas_store::{StoreError, Tx, endpoints, tenants, with_retries};

use super::notice::EndpointNotice;
use super::sending::Ended;
use crate::engine::Core;

/// Writes how an attempt at these deliveries ended, and switches the endpoint off where nothing comes of it any more.
pub(super) async fn settle(core: &Core, owner: &str, these: &[Delivery], ended: &Ended) -> Result<(), StoreError> {
    let random = rand::random_range(0.0..=1.0);
    let told = with_retries(StoreError::is_transient, || try_settle(core, owner, these, ended, random)).await?;
    for user in told {
        core.runner.publish_unread(user).await;
    }
    Ok(())
}

async fn try_settle(
    core: &Core,
    owner: &str,
    these: &[Delivery],
    ended: &Ended,
    random: f64,
) -> Result<Vec<UserId>, StoreError> {
    let Some(first) = these.first() else { return Ok(Vec::new()) };
    let (tenant, at) = (first.tenant_id, core.commands.clock.now());
    let mut tx = core.commands.db.write().await?;
    if tenants::hold(&mut tx, tenant).await?.is_none() {
        return Ok(Vec::new());
    }
    let Some(endpoint) = endpoints::lock(&mut tx, tenant, first.endpoint_id).await? else { return Ok(Vec::new()) };
    let mut mine = false;
    for delivery in these {
        mine |= deliveries::settle(&mut tx, owner, delivery, &settled(delivery, ended, random, at), at).await?;
    }
    // A lease that was lost decides nothing: whoever has it now does.
    let why = if mine { note(&mut tx, &endpoint, first, ended, random, at).await? } else { None };
    let told = match why {
        Some(why) => switch_off(core, &mut tx, &endpoint, why, at).await?,
        None => Vec::new(),
    };
    tx.commit().await?;
    metrics::counter!("deliveries_total", "kind" => endpoint.kind.as_str(), "outcome" => ended.outcome()).increment(1);
    Ok(told)
}

fn settled<'a>(delivery: &Delivery, ended: &'a Ended, random: f64, at: Timestamp) -> Settled<'a> {
    match ended {
        Ended::Delivered(status) => {
            Settled { status: DeliveryStatus::Delivered, http_status: *status, reason: None, next_at: at }
        }
        Ended::Gone { status, reason } => {
            Settled { status: DeliveryStatus::Failed, http_status: Some(*status), reason: Some(reason), next_at: at }
        }
        Ended::Failed { status, reason, asked, .. } => {
            // Whoever tests looks at the first answer, and presses the button again.
            let tries = u32::try_from(delivery.tries).unwrap_or(u32::MAX).saturating_add(1);
            let wait = wait_after(tries, random, *asked).filter(|_| delivery.event != EventKind::Test);
            let (next, next_at) = match wait {
                Some(wait) => (DeliveryStatus::Waiting, later(at, wait)),
                None => (DeliveryStatus::Failed, at),
            };
            Settled { status: next, http_status: *status, reason: Some(reason), next_at }
        }
    }
}

/// Keeps with the endpoint what the attempt says of it. Answers why it is to be switched off.
async fn note(
    tx: &mut Tx,
    endpoint: &Endpoint,
    delivery: &Delivery,
    ended: &Ended,
    random: f64,
    at: Timestamp,
) -> Result<Option<String>, StoreError> {
    let (tenant, id) = (endpoint.tenant_id, endpoint.id);
    match ended {
        Ended::Delivered(_) => {
            endpoints::note_delivery(tx, tenant, id, at).await?;
            Ok(None)
        }
        Ended::Gone { reason, .. } => Ok(endpoint.enabled.then(|| reason.clone())),
        // A test says nothing of an endpoint that may be about to be mended.
        Ended::Failed { .. } if delivery.event == EventKind::Test => Ok(None),
        Ended::Failed { reason, asked, throttled, .. } => {
            let hold = throttled.then(|| later(at, wait_after(1, random, *asked).unwrap_or_default()));
            endpoints::note_failure(tx, tenant, id, hold, at).await?;
            let failing = endpoint.failing_since.is_some_and(|since| later(since, OFF_AFTER) <= at);
            Ok((failing && endpoint.enabled)
                .then(|| format!("Nothing could be delivered for three days. The last attempt: {reason}")))
        }
    }
}

async fn switch_off(
    core: &Core,
    tx: &mut Tx,
    endpoint: &Endpoint,
    why: String,
    at: Timestamp,
) -> Result<Vec<UserId>, StoreError> {
    let tenant: Option<Tenant> = tenants::get(&mut *tx, endpoint.tenant_id).await?;
    endpoints::switch(tx, endpoint.tenant_id, endpoint.id, false, Some(&why), at).await?;
    deliveries::give_up(tx, endpoint.tenant_id, endpoint.id, "The endpoint was switched off.", at).await?;
    let notice = EndpointNotice {
        tenant_id: endpoint.tenant_id,
        tenant_name: tenant.map(|tenant| tenant.name).unwrap_or_default(),
        endpoint_name: endpoint.name.clone(),
        why: why.clone(),
    };
    let told = notice.write(tx, at).await?;
    let entry = AuditEntry::new(AuditAction::EndpointSwitchedOff, "endpoint", endpoint.id)
        .of(endpoint.tenant_id)
        .with(json!({ "name": endpoint.name, "why": why }));
    core.commands.record(tx, &Actor::system(), entry).await?;
    tracing::warn!(endpoint = %endpoint.id, tenant = %endpoint.tenant_id, "an endpoint was switched off");
    Ok(told)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
