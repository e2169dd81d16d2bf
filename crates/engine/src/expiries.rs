//! That certificates and tokens come to their end: those who work in the tenant are told (`docs/rules.md`, section Ends of
//! certificates and tokens).

use serde::{Deserialize, Deserializer, Serialize};
use tenantatlas_domain::expiry;
use tenantatlas_domain::ids::{ItemId, NotificationId, TenantId, UserId};
use tenantatlas_domain::invisible::NameOfRecord;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::expiries::{self, Ending};
use tenantatlas_store::inventory::{ScopeView, find_many};
use tenantatlas_store::notifications::{self, NewNotification, Notification};
use tenantatlas_store::{StoreError, Tx, members, tenants};
use uuid::Uuid;

use crate::engine::{Core, Engine};
use crate::error::EngineError;

/// The kind of the notification.
const KIND: &str = "expiry.near";
/// What one notification names, at most; the rest is counted.
const MOST_NAMED: usize = 10;
const DAY: i64 = 24 * 3_600_000;
/// So long before anything was known of it an end may lie back to be told: what ended long ago is no news.
const OVER: i64 = 30 * DAY;
/// As far ahead as an end is told.
const AHEAD: i64 = 30 * DAY;

/// Objects of a tenant that end soon, or have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryNotice {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name then.
    #[serde(deserialize_with = "name")]
    pub tenant_name: String,
    /// What ends, the next one first.
    pub ending: Vec<NamedEnding>,
    /// How many more there are.
    pub more: u64,
}

/// One object that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedEnding {
    /// The object.
    pub item_id: ItemId,
    /// The key of its type.
    pub policy_type: String,
    /// Its name then.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

fn name<'de, D: Deserializer<'de>>(stored: D) -> Result<String, D::Error> {
    Ok(NameOfRecord::from(String::deserialize(stored)?).into())
}

impl ExpiryNotice {
    /// The notice of a notification; `None` when it is about something else.
    #[must_use]
    pub fn of(stored: &Notification) -> Option<Self> {
        if stored.kind != KIND {
            return None;
        }
        Self::deserialize(&stored.payload)
            .inspect_err(|error| tracing::warn!(%error, id = %stored.id, "a notification cannot be read"))
            .ok()
    }

    /// Tells those who work in the tenant as its members, in the transaction that notes it. Answers whom.
    async fn write(tx: &mut Tx, mut ending: Vec<Ending>, at: Timestamp) -> Result<Vec<UserId>, StoreError> {
        ending.sort_by(|one, other| (one.expires_at, &one.display_name).cmp(&(other.expires_at, &other.display_name)));
        let Some(first) = ending.first() else { return Ok(Vec::new()) };
        let Some(tenant) = tenants::get(&mut *tx, first.tenant_id).await? else { return Ok(Vec::new()) };
        let more = ending.len().saturating_sub(MOST_NAMED) as u64;
        let named = ending.into_iter().take(MOST_NAMED).map(|one| NamedEnding {
            item_id: one.item_id,
            policy_type: one.policy_type,
            name: one.display_name,
            expires_at: one.expires_at,
        });
        let notice = Self { tenant_id: tenant.id, tenant_name: tenant.name, ending: named.collect(), more };
        let payload = serde_json::to_value(notice).unwrap_or_default();
        let told = members::who_work(&mut *tx, tenant.id, Role::Operator).await?;
        for user_id in &told {
            let new = NewNotification {
                id: NotificationId::from_uuid(Uuid::now_v7()),
                user_id: *user_id,
                tenant_id: Some(tenant.id),
                kind: KIND.to_owned(),
                operation_run_id: None,
                payload: payload.clone(),
                read: false,
            };
            notifications::create(tx, &new, at).await?;
        }
        Ok(told)
    }
}

impl Engine {
    /// Tells of certificates and tokens that end soon, once; a process with workers does it by itself every ten minutes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_of_ends(&self) -> Result<(), EngineError> {
        Ok(tell_of_ends(&self.core).await?)
    }
}

/// Tells of what ends soon or has ended, once for each object, date and number of days before it. Of several processes the one tells
/// that notes it.
pub(crate) async fn tell_of_ends(core: &Core) -> Result<(), StoreError> {
    let now = core.commands.clock.now();
    let (after, until) = (now.as_millis().saturating_sub(OVER), now.as_millis().saturating_add(AHEAD));
    let (after, until) = (Timestamp::from_millis(after), Timestamp::from_millis(until));
    let ending = expiries::ending_between(&core.reader, after, until).await?;
    for of_tenant in ending.chunk_by(|one, other| one.tenant_id == other.tenant_id) {
        if core.commands.stopping.is_cancelled() {
            return Ok(());
        }
        tell_of_tenant(core, of_tenant, now).await?;
    }
    Ok(())
}

async fn tell_of_tenant(core: &Core, ending: &[Ending], now: Timestamp) -> Result<(), StoreError> {
    let mut due = Vec::new();
    for one in ending {
        let Some(days) = expiry::reached(one.expires_at, now) else { continue };
        if !expiries::is_told(&core.reader, one, days).await? {
            due.push((one, days));
        }
    }
    let Some((first, _)) = due.first() else { return Ok(()) };
    // What the tenant has no more ends unnoticed.
    let view = ScopeView::load(&core.reader, first.tenant_id, None).await?;
    let ids: Vec<ItemId> = due.iter().map(|(one, _)| one.item_id).collect();
    let rows = find_many(&core.reader, &view, &ids).await?;
    let is_missing = |id: ItemId| {
        rows.iter()
            .any(|row| row.item.id == id && !row.newer_than_scope && matches!(row.presence, Presence::Missing { .. }))
    };
    due.retain(|(one, _)| !is_missing(one.item_id));
    if due.is_empty() {
        return Ok(());
    }
    let mut tx = core.commands.db.write().await?;
    let mut told = Vec::new();
    for (one, days) in due {
        if expiries::tell(&mut tx, one, days, now).await? {
            told.push(one.clone());
        }
    }
    let people = ExpiryNotice::write(&mut tx, told, now).await?;
    tx.commit().await?;
    for user in people {
        core.runner.publish_unread(user).await;
    }
    Ok(())
}
