//! Attempts to prove who one is, and how they are slowed down.
//!
//! Failures are counted in budgets, each under a keyed hash: of an account from one network, of a network, and of an
//! account from everywhere. A browser in which the person signed in before has a budget of its own instead: strangers
//! cannot lock a person out of the browser they always use (OWASP ASVS 4.0.3, requirement 2.2.1).
//!
//! A site of IPv6 may have many networks ([`networks`]): the /64 has the same budgets as an address of IPv4, and the
//! wider ones that it may be a part of have larger budgets of their own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Rate, networks};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::sign_in_attempts::{self, Throttle};
use tenantatlas_store::{StoreError, Tx, Vault, known_browsers};

use super::Visitor;
use super::queue::Admission;
use crate::engine::Core;
use crate::error::EngineError;

/// An account from one network, or from one browser that is known: eight are free within a quarter of an hour, then the
/// wait doubles from two seconds to five minutes.
const OF_ACCOUNT: Throttle = Throttle {
    window: Duration::from_secs(15 * 60),
    free: 8,
    first_wait: Duration::from_secs(2),
    longest_wait: Duration::from_secs(300),
};
/// The same of the networks of one address, the narrowest first. No site comes near [`OF_ACCOUNT_EVERYWHERE`] alone: within
/// an hour a /48 has 24 that are free and, with the waits, about as many more.
const OF_ACCOUNT_FROM: [Throttle; 3] = [
    OF_ACCOUNT,
    Throttle { window: LONGEST_WINDOW, free: 16, ..OF_ACCOUNT },
    Throttle { window: LONGEST_WINDOW, free: 24, ..OF_ACCOUNT },
];
/// A network, whatever the account, the narrowest first: an office behind one address mistypes more often than one person.
const OF_NETWORK: [Throttle; 3] =
    [Throttle { free: 40, ..OF_ACCOUNT }, Throttle { free: 80, ..OF_ACCOUNT }, Throttle { free: 160, ..OF_ACCOUNT }];
/// An account from everywhere: a hundred within an hour, then none for an hour.
const OF_ACCOUNT_EVERYWHERE: Throttle = Throttle { free: 99, ..FOR_AN_HOUR };
const FOR_AN_HOUR: Throttle =
    Throttle { window: LONGEST_WINDOW, free: 0, first_wait: LONGEST_WINDOW, longest_wait: LONGEST_WINDOW };
/// Right passwords of one person: as many at once as an account that a team shares for a test may need, then six a minute,
/// since each leaves an entry in the audit log for ever.
const PROVED_RATE: Rate = Rate { burst: 60, every: Duration::from_secs(10) };
/// Failures older than this count nowhere.
pub(crate) const LONGEST_WINDOW: Duration = Duration::from_secs(3_600);

/// Something under which failures are counted.
struct Budget {
    subject: [u8; 32],
    throttle: Throttle,
    /// Whether a success gives it back.
    own: bool,
}

/// What an attempt tries.
enum Tried<'a> {
    /// An account, by the text that names it, whether there is one or not; and the browser, when it is known.
    Account { text: &'a str, browser: Option<TokenHash> },
    /// A link of 256 random bits. Nobody guesses one, so only the network is counted: strangers cannot keep the person away
    /// who has it.
    Link,
}

/// The budgets of one attempt.
fn budgets(vault: &Vault, tried: &Tried<'_>, visitor: &Visitor) -> Vec<Budget> {
    let hash = |purpose: &str, subject: &str| vault.keyed_hash(purpose, subject);
    let networks = networks(visitor.address);
    let of_network = networks.iter().zip(OF_NETWORK).map(|(network, throttle)| Budget {
        subject: hash("sign-in network", network),
        throttle,
        own: false,
    });
    let Tried::Account { text, browser } = tried else { return of_network.collect() };
    let account = text.trim().to_lowercase();
    if let Some(browser) = browser {
        let subject = hash("sign-in browser", &format!("{account} {}", hex::encode(browser)));
        return vec![Budget { subject, throttle: OF_ACCOUNT, own: true }];
    }
    let of_account = networks.iter().zip(OF_ACCOUNT_FROM).enumerate().map(|(width, (network, throttle))| Budget {
        subject: hash("sign-in account", &format!("{account} {network}")),
        throttle,
        // Whoever shares a wider network with a person must not have their guesses forgotten when the person signs in.
        own: width == 0,
    });
    let subject = hash("sign-in account everywhere", &account);
    let everywhere = Budget { subject, throttle: OF_ACCOUNT_EVERYWHERE, own: false };
    of_account.chain(of_network).chain([everywhere]).collect()
}

/// An attempt that was let through. Whether it fails must be noted. For as long as it exists nobody else tries the same
/// account from the same place.
pub(crate) struct Attempt {
    core: Arc<Core>,
    actor: Actor,
    account: Option<UserId>,
    budgets: Vec<Budget>,
    /// Whether the account was signed in to with this browser before.
    pub known_browser: bool,
    _admission: Admission,
}

impl Core {
    /// Lets an attempt at an account through when those before it in the queue are done, or refuses it as one too many. `text` is what names the account,
    /// whether there is one or not.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        visitor: &Visitor,
        actor: &Actor,
        account: Option<UserId>,
        text: &str,
    ) -> Result<Attempt, EngineError> {
        let browser = match (account, visitor.browser) {
            (Some(user), Some(browser)) if known_browsers::is_known(&self.commands.db, user, &browser).await? => {
                Some(browser)
            }
            _ => None,
        };
        self.let_through(visitor, actor, account, &Tried::Account { text, browser }).await
    }

    /// The same for somebody who is signed in and proves again who they are.
    pub(crate) async fn attempt_of(self: &Arc<Self>, visitor: &Visitor, actor: &Actor) -> Result<Attempt, EngineError> {
        self.attempt(visitor, actor, actor.user_id, &actor.email).await
    }

    /// The same for somebody with a link that works once.
    pub(crate) async fn attempt_at_link(
        self: &Arc<Self>,
        visitor: &Visitor,
        actor: &Actor,
    ) -> Result<Attempt, EngineError> {
        self.let_through(visitor, actor, None, &Tried::Link).await
    }

    async fn let_through(
        self: &Arc<Self>,
        visitor: &Visitor,
        actor: &Actor,
        account: Option<UserId>,
        tried: &Tried<'_>,
    ) -> Result<Attempt, EngineError> {
        let known_browser = matches!(tried, Tried::Account { browser: Some(_), .. });
        let budgets = budgets(&self.commands.vault, tried, visitor);
        let network = networks(visitor.address).pop().unwrap_or_default();
        let network = self.commands.vault.keyed_hash("sign-in network", &network);
        let here = budgets.first().map_or(network, |budget| budget.subject);
        // Nor can strangers in the same network lock a person out of the browser they always use.
        let shared = if known_browser { here } else { network };
        let admission = match self.sign_in_queue.enter(shared, here).await {
            Ok(admission) => admission,
            Err(error) => {
                self.commands.record_refusal(actor, throttled(account, known_browser)).await;
                return Err(error);
            }
        };
        let attempt = Attempt {
            core: Arc::clone(self),
            actor: actor.clone(),
            account,
            budgets,
            known_browser,
            _admission: admission,
        };
        attempt.refuse_haste().await?;
        Ok(attempt)
    }
}

/// What the audit log says of an attempt: the account when there is one, and never what was typed.
fn entry(action: AuditAction, account: Option<UserId>, known_browser: bool) -> AuditEntry {
    let account = account.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
    AuditEntry::new(action, "user", account).with(json!({ "known_browser": known_browser }))
}

fn throttled(account: Option<UserId>, known_browser: bool) -> AuditEntry {
    entry(AuditAction::SessionThrottled, account, known_browser).ended(Outcome::Denied)
}

impl Attempt {
    async fn refuse_haste(&self) -> Result<(), EngineError> {
        let now = self.core.commands.clock.now();
        let mut longest = None;
        for budget in &self.budgets {
            let until =
                sign_in_attempts::blocked_until(&self.core.commands.db, &budget.subject, &budget.throttle, now).await?;
            longest = longest.max(until);
        }
        let Some(until) = longest else { return Ok(()) };
        let seconds = ((until.as_millis() - now.as_millis()) / 1_000).max(1);
        self.core.commands.record_refusal(&self.actor, throttled(self.account, self.known_browser)).await;
        let wait = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", (seconds + 59) / 60) };
        Err(EngineError::TooMany(format!("Too many attempts. Wait {wait} and try again.")))
    }

    /// Refuses somebody who proves who they are too often, although it is right each time. A browser that is known has a
    /// rate of its own, so that whoever else knows the password does not keep the person out.
    ///
    /// # Errors
    /// [`EngineError::TooMany`].
    pub(crate) async fn proved(&self, user: UserId) -> Result<(), EngineError> {
        let bucket = if self.known_browser { "proved in a known browser" } else { "proved" };
        let taken = self.core.commands.take_rate((bucket, user), PROVED_RATE);
        if taken.is_err() {
            self.core.commands.record_refusal(&self.actor, throttled(self.account, self.known_browser)).await;
        }
        Ok(taken?)
    }

    /// What the audit log says of it.
    pub(crate) fn entry(&self, action: AuditAction) -> AuditEntry {
        entry(action, self.account, self.known_browser)
    }

    /// Counts a failure and writes it into the audit log. `step` says what did not fit.
    pub(crate) async fn failed(&self, step: &'static str) -> Result<(), StoreError> {
        let mut tx = self.core.commands.db.write().await?;
        self.count(&mut tx).await?;
        tx.commit().await?;
        self.tell(step).await;
        Ok(())
    }

    /// Counts a failure in a transaction; afterwards call [`Attempt::tell`].
    pub(crate) async fn count(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for budget in &self.budgets {
            sign_in_attempts::record_failure(tx, &budget.subject, &budget.throttle, self.core.commands.clock.now())
                .await?;
        }
        Ok(())
    }

    /// Writes a failure into the audit log.
    pub(crate) async fn tell(&self, step: &'static str) {
        let entry = self.entry(AuditAction::SessionFailed).with(json!({ "step": step })).ended(Outcome::Failure);
        self.core.commands.record_refusal(&self.actor, entry).await;
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
