//! Events that changed nothing and are worth an audit entry: sign-ins and their failures, refusals, exports, looks at
//! what is confidential (OWASP ASVS 4.0.3, requirements 7.1.3, 7.1.4, 7.2.1, 7.2.2).
//!
//! The audit log is append-only and kept for ever, so nobody may be able to fill it, nor to hide among many refusals what
//! others do. The same refusal of the same actor is written once a minute, with the number of those that were left out.
//! Whoever has no account is known by their network alone, and all of them together have a rate; what signed-in people are
//! refused, and what concerns signing in, does not share it. What goes beyond is counted in an entry that says so and names
//! nobody. What a token is refused is gathered by the hour besides, by all processes together: see `token_refusals.rs`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_store::StoreError;
use tenantatlas_store::audit::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::audit_entry::{AuditEntry, Identity};
use crate::commands::Commands;
use crate::network::site;
use crate::rate_limit::Rate;

/// The same refusal is written once in this time.
const WINDOW: Duration = Duration::from_secs(60);
/// Different refusals of one actor that get entries of their own within [`WINDOW`]; further ones are counted together.
const MAX_KINDS: usize = 50;

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
    fn entry(self) -> AuditEntry {
        let entry =
            AuditEntry::new(self.action, self.resource_type, self.resource_id).with(self.facts).ended(self.outcome);
        match self.tenant {
            Some(tenant) => entry.of(tenant),
            None => entry,
        }
    }
}

impl Commands {
    /// Writes an event into the audit log. Refusals and failures are gathered: see the module.
    ///
    /// # Errors
    /// When the database fails; only for an event that succeeded, which must not go on unwritten. What was refused stays
    /// refused whether it can be written or not.
    pub async fn record_event(&self, actor: &Actor, event: AuditEvent) -> Result<(), StoreError> {
        let succeeded = event.outcome == Outcome::Success;
        let entry = event.entry();
        if succeeded {
            return self.append(actor, entry).await;
        }
        self.record_refusal(actor, entry).await;
        Ok(())
    }
}

impl Commands {
    /// Writes a refusal or failure into the audit log, unless the same was written within the minute: then it is counted,
    /// and the count is written when the minute is over.
    pub async fn record_refusal(&self, actor: &Actor, entry: AuditEntry) {
        match self.refusals.note(actor, &entry, Instant::now()) {
            Noted::Write => self.append_refusal(actor, entry, 1).await,
            Noted::Counted => {}
            Noted::FirstCounted(key, until) => {
                let (commands, actor) = (self.clone(), actor.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        () = commands.stopping.cancelled() => {}
                    }
                    let counted = commands.refusals.take(&key);
                    if counted > 0 {
                        let (actor, entry) = key.summary(actor, entry, counted);
                        commands.append_refusal(&actor, entry, counted).await;
                    }
                });
            }
        }
    }

    /// Appends an entry that tells of so many refusals.
    async fn append_refusal(&self, actor: &Actor, entry: AuditEntry, refusals: u64) {
        let appended = match actor.token.filter(|_| entry.is_denied()) {
            Some(token) => self.append_of_token(actor, token, entry, refusals).await,
            None => self.append(actor, entry).await,
        };
        if let Err(error) = appended {
            tracing::warn!(%error, "a refusal could not be written into the audit log");
        }
    }

    async fn append(&self, actor: &Actor, entry: AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        self.record(&mut tx, actor, entry).await?;
        tx.commit().await
    }
}

/// Those whose refusals share a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RefusalClass {
    /// Signed-in people, the command line and the product itself.
    Known,
    /// Whoever tries to sign in.
    SigningIn,
    /// Whoever has not signed in and is refused anything else.
    Anonymous,
}

impl RefusalClass {
    fn of(actor: &Actor, entry: &AuditEntry) -> Self {
        match actor.kind {
            ActorKind::Person | ActorKind::System | ActorKind::CommandLine | ActorKind::Token => Self::Known,
            ActorKind::Anonymous if entry.is_about_signing_in() => Self::SigningIn,
            ActorKind::Anonymous => Self::Anonymous,
        }
    }

    /// How many windows may begin. Every one is an entry, or two. Entries can never be deleted, so those without an account
    /// have few; signing in is slow by itself, and worth more.
    const fn rate(self) -> Rate {
        match self {
            Self::Known => Rate { burst: 10_000, every: Duration::from_millis(20) },
            Self::SigningIn => Rate { burst: 1_000, every: Duration::from_secs(1) },
            Self::Anonymous => Rate { burst: 200, every: Duration::from_secs(5) },
        }
    }

    /// The name as the audit log keeps it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "people",
            Self::SigningIn => "sign_ins",
            Self::Anonymous => "anonymous",
        }
    }
}

/// Who was refused: a person wherever they are, a token, or a network from which nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RefusalSource {
    class: RefusalClass,
    user: Option<UserId>,
    token: Option<Uuid>,
    kind: ActorKind,
    site: Option<IpAddr>,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// The same refusal of the same actor.
    Same(RefusalSource, Identity),
    /// What one actor is refused beyond [`MAX_KINDS`].
    OthersOf(RefusalSource),
    /// What a class is refused beyond its rate.
    Beyond(RefusalClass),
}

impl Key {
    fn source(&self) -> Option<&RefusalSource> {
        match self {
            Self::Same(source, _) | Self::OthersOf(source) => Some(source),
            Self::Beyond(_) => None,
        }
    }

    /// The entry that is written when the window is over. `actor` and `entry` are of the first refusal that was counted.
    fn summary(&self, actor: Actor, entry: AuditEntry, counted: u64) -> (Actor, AuditEntry) {
        let gathered = |of: &'static str| {
            let facts = json!({ "refusals": counted, "seconds": WINDOW.as_secs() });
            AuditEntry::new(AuditAction::RefusalsGathered, "refusals", of).with(facts).ended(Outcome::Denied)
        };
        match self {
            Self::Same(..) => (actor, entry.with(json!({ "repeated": counted })).anew()),
            Self::OthersOf(_) => (actor, gathered("one actor")),
            Self::Beyond(class) => (Actor::system(), gathered(class.as_str())),
        }
    }
}

struct Window {
    until: Instant,
    counted: u64,
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    windows: HashMap<Key, Window>,
    /// When the bucket of each class will be full again.
    full_at: HashMap<RefusalClass, Instant>,
}

impl Refusals {
    fn note(&self, actor: &Actor, entry: &AuditEntry, now: Instant) -> Noted {
        let class = RefusalClass::of(actor, entry);
        let known = actor.user_id.is_some() || actor.token.is_some();
        let site = actor.address.filter(|_| !known).map(site);
        let source = RefusalSource { class, user: actor.user_id, token: actor.token, kind: actor.kind, site };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.windows.retain(|_, window| window.until > now || window.counted > 0);
        let same = Key::Same(source.clone(), entry.identity());
        if let Some(window) = state.windows.get_mut(&same) {
            return window.count(same);
        }
        let kinds = state.windows.keys().filter(|key| key.source() == Some(&source)).count();
        let others = Key::OthersOf(source);
        if kinds >= MAX_KINDS
            && let Some(window) = state.windows.get_mut(&others)
        {
            return window.count(others);
        }
        if !class.rate().take(state.full_at.entry(class).or_insert(now), now) {
            let beyond = Key::Beyond(class);
            return state.windows.entry(beyond.clone()).or_insert(Window::new(now)).count(beyond);
        }
        if kinds >= MAX_KINDS {
            return state.windows.entry(others.clone()).or_insert(Window::new(now)).count(others);
        }
        state.windows.insert(same, Window::new(now));
        Noted::Write
    }

    /// How many were counted; the window is over.
    fn take(&self, key: &Key) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.windows.remove(key).map_or(0, |window| window.counted)
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { until: now + WINDOW, counted: 0 }
    }

    fn count(&mut self, key: Key) -> Noted {
        self.counted += 1;
        if self.counted == 1 { Noted::FirstCounted(key, self.until) } else { Noted::Counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(resource: usize) -> AuditEntry {
        AuditEntry::new(AuditAction::AccessRefused, "page", resource)
    }

    fn anonymous(address: &str) -> Actor {
        Actor::anonymous().from_address(address.parse().ok())
    }

    fn is_written(refusals: &Refusals, actor: &Actor, entry: &AuditEntry, now: Instant) -> bool {
        matches!(refusals.note(actor, entry, now), Noted::Write)
    }

    #[test]
    fn whoever_is_refused_in_a_loop_does_not_fill_the_audit_log() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let actor = anonymous("192.0.2.1");
        assert!(is_written(&refusals, &actor, &entry(0), now));
        let Noted::FirstCounted(key, _) = refusals.note(&actor, &entry(0), now) else {
            panic!("the second is counted")
        };
        for _ in 0..1_000 {
            assert!(matches!(refusals.note(&actor, &entry(0), now), Noted::Counted));
        }
        assert_eq!(refusals.take(&key), 1_001);
        let written = (0..1_000).filter(|index| is_written(&refusals, &actor, &entry(*index), now));
        assert_eq!(written.count(), MAX_KINDS, "many kinds are counted together in the end");
        assert!(is_written(&refusals, &anonymous("192.0.2.2"), &entry(0), now), "others have windows of their own");
    }

    #[test]
    fn a_client_that_changes_its_address_within_its_network_is_one_client() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let written = (0..20_000_u32).filter(|host| {
            let actor = anonymous(&format!("2001:db8:1:{:x}::{host:x}", host % 700));
            is_written(&refusals, &actor, &entry(0), now)
        });
        assert_eq!(written.count(), 1);
    }

    #[test]
    fn refusals_of_many_anonymous_clients_hide_neither_people_nor_sign_ins_and_their_count_names_nobody() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let written_at = |at: Instant| {
            let written = (0..400_u32).filter(|host| {
                let actor = anonymous(&std::net::Ipv4Addr::from_bits(0x0a00_0000 + host).to_string());
                is_written(&refusals, &actor, &entry(0), at)
            });
            u32::try_from(written.count()).expect("a small number")
        };
        let rate = RefusalClass::Anonymous.rate();
        assert_eq!(written_at(now), rate.burst);
        let person = Actor::person(UserId::from_uuid(Uuid::from_u128(1)), "Ada", "ada@example.com");
        assert!(is_written(&refusals, &person.clone().from_address("10.0.0.1".parse().ok()), &entry(0), now));
        assert!(
            !is_written(&refusals, &person.from_address("10.0.0.2".parse().ok()), &entry(0), now),
            "the same person"
        );
        let failed = AuditEntry::new(AuditAction::SessionFailed, "user", "unknown");
        assert!(is_written(&refusals, &anonymous("203.0.113.1"), &failed, now));
        let in_an_hour: u32 = (1..=60).map(|minute| written_at(now + WINDOW * minute)).sum();
        assert!(f64::from(in_an_hour) <= 3_600.0 / rate.every.as_secs_f64(), "{in_an_hour}");

        let key = Key::Beyond(RefusalClass::Anonymous);
        let counted = refusals.take(&key);
        assert!(counted > 0);
        let (actor, entry) = key.summary(anonymous("10.1.1.1"), entry(0), counted);
        assert_eq!((actor.kind, actor.address), (ActorKind::System, None));
        assert_eq!(entry.identity().action, AuditAction::RefusalsGathered.as_str());
    }
}
