//! Attempts to prove who one is, and how they are slowed down.
//!
//! Failures are counted in budgets, each under a keyed hash: of an account from one network, of a network, and of an
//! account from everywhere. A browser in which the person signed in before has a budget of its own instead: strangers
//! cannot lock a person out of the browser they always use (OWASP ASVS 4.0.3, requirement 2.2.1).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::sign_in_attempts::{self, Throttle};
use tenantatlas_store::{StoreError, Tx, Vault, known_browsers};

use super::Visitor;
use crate::actor::Actor;
use crate::engine::Core;
use crate::error::EngineError;
use crate::trail::Entry;

/// An account from one network, or from one browser that is known: eight are free within a quarter of an hour, then the
/// wait doubles from two seconds to five minutes.
const OF_ACCOUNT: Throttle = Throttle {
    window: Duration::from_secs(15 * 60),
    free: 8,
    first_wait: Duration::from_secs(2),
    longest_wait: Duration::from_secs(300),
};
/// A network, whatever the account: an office behind one address mistypes more often than one person.
const OF_NETWORK: Throttle = Throttle { free: 40, ..OF_ACCOUNT };
/// An account from everywhere: a hundred within an hour, then none for an hour.
const OF_ACCOUNT_EVERYWHERE: Throttle = Throttle { free: 99, ..FOR_AN_HOUR };
const FOR_AN_HOUR: Throttle =
    Throttle { window: LONGEST_WINDOW, free: 0, first_wait: LONGEST_WINDOW, longest_wait: LONGEST_WINDOW };
/// Failures older than this count nowhere.
pub(crate) const LONGEST_WINDOW: Duration = Duration::from_secs(3_600);

/// Something under which failures are counted.
struct Budget {
    subject: [u8; 32],
    throttle: Throttle,
    /// Whether a success gives it back.
    own: bool,
}

/// The budgets of one attempt.
fn budgets(vault: &Vault, account: &str, visitor: &Visitor, known: bool) -> Vec<Budget> {
    let hash = |purpose: &str, subject: &str| vault.keyed_hash(purpose, subject);
    let account = account.trim().to_lowercase();
    if let Some(browser) = visitor.browser.filter(|_| known) {
        let subject = hash("sign-in browser", &format!("{account} {}", hex::encode(browser)));
        return vec![Budget { subject, throttle: OF_ACCOUNT, own: true }];
    }
    let network = network(visitor.address);
    vec![
        Budget { subject: hash("sign-in account", &format!("{account} {network}")), throttle: OF_ACCOUNT, own: true },
        Budget { subject: hash("sign-in network", &network), throttle: OF_NETWORK, own: false },
        Budget { subject: hash("sign-in account everywhere", &account), throttle: OF_ACCOUNT_EVERYWHERE, own: false },
    ]
}

/// The network of an address that one customer of a provider has: the address itself, or the /64 of IPv6 (RFC 6177).
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// An attempt that was let through. Whether it fails must be noted.
pub(crate) struct Attempt {
    core: Arc<Core>,
    actor: Actor,
    account: Option<UserId>,
    budgets: Vec<Budget>,
    /// Whether the account was signed in to with this browser before.
    pub known_browser: bool,
}

impl Core {
    /// Lets an attempt at an account through, or refuses it for haste. `text` is what names the account, whether there is
    /// one or not.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        visitor: &Visitor,
        actor: &Actor,
        account: Option<UserId>,
        text: &str,
    ) -> Result<Attempt, EngineError> {
        let known_browser = match (account, visitor.browser) {
            (Some(user), Some(browser)) => known_browsers::is_known(&self.db, user, &browser).await?,
            _ => false,
        };
        let budgets = budgets(&self.vault, text, visitor, known_browser);
        let actor = actor.clone();
        let attempt = Attempt { core: Arc::clone(self), actor, account, budgets, known_browser };
        attempt.refuse_haste().await?;
        Ok(attempt)
    }

    /// The same for somebody who is signed in and proves again who they are.
    pub(crate) async fn attempt_of(self: &Arc<Self>, visitor: &Visitor, actor: &Actor) -> Result<Attempt, EngineError> {
        self.attempt(visitor, actor, actor.user_id, &actor.email).await
    }
}

impl Attempt {
    async fn refuse_haste(&self) -> Result<(), EngineError> {
        let now = self.core.clock.now();
        let mut longest = None;
        for budget in &self.budgets {
            let until = sign_in_attempts::blocked_until(&self.core.db, &budget.subject, &budget.throttle, now).await?;
            longest = longest.max(until);
        }
        let Some(until) = longest else { return Ok(()) };
        let seconds = ((until.as_millis() - now.as_millis()) / 1_000).max(1);
        self.core.record_refusal(&self.actor, self.entry(AuditAction::SessionThrottled).ended(Outcome::Denied)).await;
        let wait = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", (seconds + 59) / 60) };
        Err(EngineError::TooMany(format!("Too many attempts. Wait {wait} and try again.")))
    }

    /// What the audit log says of it: the account when there is one, and never what was typed.
    fn entry(&self, action: AuditAction) -> Entry {
        let account = self.account.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
        Entry::new(action, "user", account).with(json!({ "known_browser": self.known_browser }))
    }

    /// Counts a failure and writes it into the audit log. `step` says what did not fit.
    pub(crate) async fn failed(&self, step: &'static str) -> Result<(), StoreError> {
        let mut tx = self.core.db.write().await?;
        self.count(&mut tx).await?;
        tx.commit().await?;
        self.tell(step).await;
        Ok(())
    }

    /// Counts a failure in a transaction; afterwards call [`Attempt::tell`].
    pub(crate) async fn count(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for budget in &self.budgets {
            sign_in_attempts::record_failure(tx, &budget.subject, &budget.throttle, self.core.clock.now()).await?;
        }
        Ok(())
    }

    /// Writes a failure into the audit log.
    pub(crate) async fn tell(&self, step: &'static str) {
        let entry = self.entry(AuditAction::SessionFailed).with(json!({ "step": step })).ended(Outcome::Failure);
        self.core.record_refusal(&self.actor, entry).await;
    }

    /// Counts a failure when a command says that a code or password did not fit.
    pub(crate) async fn note<T>(&self, done: &Result<T, EngineError>, step: &'static str) -> Result<(), EngineError> {
        if let Err(EngineError::Invalid { field: "code" | "current", .. }) = done {
            self.failed(step).await?;
        }
        Ok(())
    }

    /// Forgets the failures of this account from here, after it was proved who it is.
    pub(crate) async fn succeeded(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for budget in self.budgets.iter().filter(|budget| budget.own) {
            sign_in_attempts::clear(tx, &budget.subject).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_customer_with_a_whole_network_of_ipv6_counts_as_one() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
