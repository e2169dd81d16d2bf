//! Events that changed nothing and are worth an audit entry: sign-ins and their failures, refusals, exports, looks at
//! what is confidential (OWASP ASVS 4.0.3, requirements 7.1.3, 7.1.4, 7.2.1, 7.2.2).
//!
//! The audit log is append-only and kept for ever, so nobody may be able to fill it: the same refusal of the same actor is
//! written once a minute, with the number of those that were left out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_store::StoreError;
use tenantatlas_store::audit::Outcome;
use tokio::time::Instant;

use crate::actor::{Actor, ActorKind};
use crate::engine::{Core, Engine};
use crate::trail::Entry;

/// The same refusal is written once in this time.
const WINDOW: Duration = Duration::from_secs(60);
/// Different refusals of one actor that get entries of their own within [`WINDOW`]; further ones share one.
const MAX_KINDS: usize = 50;
/// Refusals that are remembered at the same time, over all actors; beyond that they share one entry per window.
const MAX_REMEMBERED: usize = 10_000;

/// Something that happened and changed nothing.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// What was done or tried.
    pub action: AuditAction,
    /// The tenant it concerns.
    pub tenant: Option<TenantId>,
    /// What kind of thing it concerns, such as `user` or `page`.
    pub resource_type: &'static str,
    /// Which one. A route rather than an address, since an address may hold a token.
    pub resource_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Safe facts: a JSON object.
    pub facts: Value,
}

impl AuditEvent {
    fn entry(self) -> Entry {
        let entry = Entry::new(self.action, self.resource_type, self.resource_id).with(self.facts).ended(self.outcome);
        match self.tenant {
            Some(tenant) => entry.of(tenant),
            None => entry,
        }
    }
}

impl Engine {
    /// Writes an event into the audit log. Refusals and failures are gathered: see the module.
    ///
    /// # Errors
    /// When the database fails; only for an event that succeeded, which must not go on unwritten. What was refused stays
    /// refused whether it can be written or not.
    pub async fn record_event(&self, actor: &Actor, event: AuditEvent) -> Result<(), StoreError> {
        let succeeded = event.outcome == Outcome::Success;
        let entry = event.entry();
        if succeeded {
            return self.core.append(actor, entry).await;
        }
        self.core.record_refusal(actor, entry).await;
        Ok(())
    }
}

impl Core {
    /// Writes a refusal or failure into the audit log, unless the same was written within the minute: then it is counted,
    /// and the count is written when the minute is over.
    pub(crate) async fn record_refusal(self: &Arc<Self>, actor: &Actor, entry: Entry) {
        match self.refusals.note(actor, &entry, Instant::now()) {
            Noted::Write => self.append_refusal(actor, entry).await,
            Noted::Counted => {}
            Noted::FirstCounted(key, until) => {
                let (core, actor) = (Arc::clone(self), actor.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        () = core.stopping.cancelled() => {}
                    }
                    let repeated = core.refusals.take(&key);
                    if repeated > 0 {
                        core.append_refusal(&actor, entry.with(json!({ "repeated": repeated })).anew()).await;
                    }
                });
            }
        }
    }

    async fn append_refusal(&self, actor: &Actor, entry: Entry) {
        if let Err(error) = self.append(actor, entry).await {
            tracing::warn!(%error, "a refusal could not be written into the audit log");
        }
    }

    async fn append(&self, actor: &Actor, entry: Entry) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        self.record(&mut tx, actor, entry).await?;
        tx.commit().await
    }
}

/// Whose refusals: a person, or an address from which nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Whose {
    user: Option<UserId>,
    kind: ActorKind,
    address: Option<IpAddr>,
}

/// The same refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    whose: Whose,
    /// Action, tenant and thing; `None` for what is beyond the number of kinds.
    what: Option<(String, Option<TenantId>, String)>,
}

struct Window {
    until: Instant,
    repeated: u64,
}

/// What becomes of a refusal.
pub(crate) enum Noted {
    /// It is the first of its window.
    Write,
    /// It is counted, and whoever hears this writes the count when the window ends.
    FirstCounted(Key, Instant),
    /// It is counted.
    Counted,
}

/// The refusals of the last minute.
#[derive(Default)]
pub(crate) struct Refusals {
    windows: Mutex<HashMap<Key, Window>>,
}

impl Refusals {
    fn note(&self, actor: &Actor, entry: &Entry, now: Instant) -> Noted {
        let whose = Whose { user: actor.user_id, kind: actor.kind, address: actor.address };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, window| window.until > now || window.repeated > 0);
        let mut key = Key { whose, what: Some(entry.identity()) };
        if !windows.contains_key(&key) {
            let kinds = windows.keys().filter(|known| known.whose == key.whose).count();
            if kinds >= MAX_KINDS || windows.len() >= MAX_REMEMBERED {
                key.what = None;
            }
            if windows.len() >= MAX_REMEMBERED {
                key.whose = Whose { user: None, kind: ActorKind::Anonymous, address: None };
            }
        }
        match windows.get_mut(&key) {
            Some(window) => {
                window.repeated += 1;
                if window.repeated == 1 { Noted::FirstCounted(key, window.until) } else { Noted::Counted }
            }
            None => {
                windows.insert(key, Window { until: now + WINDOW, repeated: 0 });
                Noted::Write
            }
        }
    }

    /// How many were counted; the window is over.
    fn take(&self, key: &Key) -> u64 {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.remove(key).map_or(0, |window| window.repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(resource: usize) -> Entry {
        Entry::new("access.refused", "page", resource)
    }

    #[test]
    fn whoever_is_refused_in_a_loop_does_not_fill_the_audit_log() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let actor = Actor::anonymous().from_address("192.0.2.1".parse().ok());
        assert!(matches!(refusals.note(&actor, &entry(0), now), Noted::Write));
        let Noted::FirstCounted(key, _) = refusals.note(&actor, &entry(0), now) else {
            panic!("the second is counted")
        };
        for _ in 0..1_000 {
            assert!(matches!(refusals.note(&actor, &entry(0), now), Noted::Counted));
        }
        assert_eq!(refusals.take(&key), 1_001);
        let written = (0..1_000).filter(|index| matches!(refusals.note(&actor, &entry(*index), now), Noted::Write));
        assert_eq!(written.count(), MAX_KINDS + 1, "many kinds share one entry in the end");
        let other = Actor::anonymous().from_address("192.0.2.2".parse().ok());
        assert!(matches!(refusals.note(&other, &entry(0), now), Noted::Write), "others have windows of their own");
    }
}
