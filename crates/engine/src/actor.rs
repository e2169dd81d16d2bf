//! Who acts.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::UserId;

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
    /// Whether a person administers the platform (tenants and users), product rules, section Access.
    pub platform_admin: bool,
}

impl Actor {
    /// A signed-in person.
    #[must_use]
    pub fn person(user_id: UserId, name: impl Into<String>, email: impl Into<String>, platform_admin: bool) -> Self {
        Self { user_id: Some(user_id), name: name.into(), email: email.into(), kind: ActorKind::Person, platform_admin }
    }

    /// The product itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            user_id: None,
            name: "TenantAtlas".to_owned(),
            email: String::new(),
            kind: ActorKind::System,
            platform_admin: true,
        }
    }

    /// The command line.
    #[must_use]
    pub fn command_line() -> Self {
        Self {
            user_id: None,
            name: "Command line".to_owned(),
            email: String::new(),
            kind: ActorKind::CommandLine,
            platform_admin: true,
        }
    }
}
