//! Who asks: the session of a request.

use std::net::IpAddr;

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, is_confirmed};
use tenantatlas_store::sessions::{SignedIn, TokenHash};
use tenantatlas_store::user_preferences::UserPreferences;
use uuid::Uuid;

/// The signed-in person of this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentSession {
    /// The session.
    pub session_id: Uuid,
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// Whether they administer the platform: for what is shown. What they do is decided by the engine, which asks again.
    pub platform_admin: bool,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// What the database knows of the token.
    pub token: TokenHash,
    /// Whether the person proved lately who they are, for what is shown. What they do is decided by the engine.
    pub confirmed: bool,
    /// What they chose for themselves, as of the beginning of the request.
    pub preferences: UserPreferences,
}

impl CurrentSession {
    /// The session and its person.
    #[must_use]
    pub fn of(found: SignedIn, token: TokenHash, address: Option<IpAddr>, now: Timestamp) -> Self {
        Self {
            session_id: found.session.id,
            user_id: found.user.id,
            name: found.user.name,
            email: found.user.email,
            platform_admin: found.user.platform_admin,
            address,
            token,
            confirmed: is_confirmed(found.session.verified_at, now),
            preferences: found.preferences,
        }
    }

    /// The person as the engine knows who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::person(self.user_id, self.name.clone(), self.email.clone())
            .from_address(self.address)
            .in_session(self.session_id)
    }
}
