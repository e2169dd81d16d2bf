//! Who acts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::UserId;
use uuid::Uuid;

/// What kind of actor stands behind an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A signed-in person; what they may do follows from their role in the tenant.
    Person,
    /// The product itself: schedules, the sweeper.
    System,
    /// Somebody at the command line of the machine that holds the database and its key, who may do everything.
    CommandLine,
    /// Somebody who has not signed in.
    Anonymous,
    /// A program with a token of the API, which a person or a tenant gave it.
    Token,
}

impl ActorKind {
    /// The name as the audit log keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::System => "system",
            Self::CommandLine => "command_line",
            Self::Anonymous => "anonymous",
            Self::Token => "token",
        }
    }
}

/// An actor as it is written into the audit: the id, and the name and e-mail as they were then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, when it is one.
    pub user_id: Option<UserId>,
    /// The name as shown.
    pub name: String,
    /// The e-mail, empty for what is not a person.
    pub email: String,
    /// What kind of actor.
    pub kind: ActorKind,
    /// Where the request came from, as far as that can be trusted; `None` for what came from no network.
    pub address: Option<IpAddr>,
    /// The session of the web application in which a person acts: sensitive commands ask when they last proved there who
    /// they are. `None` for what is not a person in a browser.
    pub session: Option<Uuid>,
    /// The token of the API by which is acted. What it allows is read with its right.
    pub token: Option<Uuid>,
}

impl Actor {
    /// A signed-in person.
    #[must_use]
    pub fn person(user_id: UserId, name: impl Into<String>, email: impl Into<String>) -> Self {
        let (name, email) = (name.into(), email.into());
        Self { user_id: Some(user_id), name, email, kind: ActorKind::Person, address: None, session: None, token: None }
    }

    /// A program with a token of the API: by its id and name, and with the person whose token it is, where it is one's.
    #[must_use]
    pub fn token(id: Uuid, name: impl Into<String>, owner: Option<(UserId, String)>) -> Self {
        let (user_id, email) = owner.map_or((None, String::new()), |(user, email)| (Some(user), email));
        Self { user_id, email, token: Some(id), ..Self::without_account(&name.into(), ActorKind::Token) }
    }

    /// The same actor, coming from an address.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// The same actor, in a session of the web application.
    #[must_use]
    pub fn in_session(self, session: Uuid) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::without_account("Nobody signed in", ActorKind::Anonymous)
    }

    /// The product itself.
    #[must_use]
    pub fn system() -> Self {
        Self::without_account("TenantAtlas", ActorKind::System)
    }

    /// The command line.
    #[must_use]
    pub fn command_line() -> Self {
        Self::without_account("Command line", ActorKind::CommandLine)
    }

    fn without_account(name: &str, kind: ActorKind) -> Self {
        Self {
            user_id: None,
            name: name.to_owned(),
            email: String::new(),
            kind,
            address: None,
            session: None,
            token: None,
        }
    }
}
