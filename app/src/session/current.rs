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
    /// Who acts where a program asks with a token of the API; then there is no session, and no right of a session.
    pub program: Option<Box<Actor>>,
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
            program: None,
        }
    }

    /// A program with a token of the API. A token of a tenant has no person: nothing is kept for its id in place of one.
    #[must_use]
    pub fn of_token(person: Option<UserId>, token: Uuid, actor: Actor) -> Self {
        Self {
            session_id: token,
            user_id: person.unwrap_or_else(|| UserId::from_uuid(token)),
            name: actor.name.clone(),
            email: actor.email.clone(),
            platform_admin: false,
            address: actor.address,
            token: TokenHash::default(),
            confirmed: false,
            preferences: UserPreferences::default(),
            program: Some(Box::new(actor)),
        }
    }

    /// The person as the engine knows who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        if let Some(program) = &self.program {
            return Actor::clone(program);
        }
        Actor::person(self.user_id, self.name.clone(), self.email.clone())
            .from_address(self.address)
            .in_session(self.session_id)
    }
}
