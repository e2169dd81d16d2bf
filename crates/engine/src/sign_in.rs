//! Signing in, staying signed in, and signing out. Every outcome is an entry of the audit log, with the address.
//!
//! A sign-in has one step, or two: after the right password somebody with a second factor has a few minutes for its code.
//! Until then there is no session, only a sign-in that waits and gives no right.

mod attempt;
mod confirm;
mod first_administrator;
mod queue;
mod sessions;
mod steps;
mod unfinished;

use std::net::IpAddr;
use std::time::Duration;

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::sessions::TokenHash;

pub(crate) use attempt::LONGEST_WINDOW;
pub(crate) use queue::SignInQueue;

/// How long a sign-in waits for its second step.
pub const SECOND_STEP_LASTS: Duration = Duration::from_secs(300);
/// How long a sign-in waits for a second factor to be set up: long enough to install an authenticator.
pub const SET_UP_STEP_LASTS: Duration = Duration::from_secs(900);
/// How long a browser is known without being used: as long as browsers keep a cookie at most (RFC 6265bis, section 5.5).
pub const BROWSER_IS_KNOWN: Duration = Duration::from_secs(400 * 24 * 3_600);

/// Who knocks: what a request tells of the browser that sends it.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Where it comes from, as far as that can be trusted.
    pub address: IpAddr,
    /// The browser, as it names itself.
    pub user_agent: String,
    /// The session that the browser has so far; it ends when another begins.
    pub session: Option<TokenHash>,
    /// The cookie by which a browser is known in which somebody signed in before.
    pub browser: Option<TokenHash>,
}

impl Visitor {
    /// A browser that nothing is known of.
    #[must_use]
    pub fn from_address(address: IpAddr) -> Self {
        Self { address, user_agent: String::new(), session: None, browser: None }
    }
}

/// A session that has begun. It has no `Debug`: its tokens must not reach a log.
pub struct Opened {
    /// The person.
    pub user_id: UserId,
    /// What the browser keeps for this session.
    pub token: String,
    /// What the browser keeps to be known again, when it was not known.
    pub browser_token: Option<String>,
    /// How long the session lasts at most.
    pub lifetime: Duration,
}

/// What became of a step of a sign-in.
pub enum SignIn {
    /// There is a session.
    Opened(Opened),
    /// The password is right; this token waits for a code.
    Code(String),
    /// The password is right; this token waits for a second factor to be set up, which the rules of the server want.
    SetUp(String),
    /// What was typed does not fit.
    Refused,
    /// There is no such sign-in that waits; it took too long, or was used.
    Ended,
}

/// A point in time after another.
pub(crate) fn after(at: Timestamp, length: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2)))
}
