//! What a member of a tenant may do (`docs/rules.md`, section Access).

use serde::{Deserialize, Serialize};

/// The role of a person in one tenant. Each role may do all that the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything of the tenant.
    Readonly,
    /// Also syncs, captures, sees bodies, cancels runs and acknowledges findings.
    Operator,
    /// Also edits the connection, schedules and endpoints.
    Manager,
    /// Also decides who is a member.
    Owner,
}

/// Something a person may want to do in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See the tenant and what was read from it.
    View,
    /// Start or retry a sync.
    Sync,
    /// Capture policies: keep versions of their bodies.
    Capture,
    /// See the bodies of policies, such as settings and scripts.
    SeeBodies,
    /// Acknowledge findings, with a reason.
    AcknowledgeFindings,
    /// Cancel a run.
    CancelRun,
    /// Change the connection: client id, credential, cloud.
    EditConnection,
    /// Change schedules.
    EditSchedules,
    /// Change where news of the tenant are sent.
    EditEndpoints,
    /// Add, change and remove members.
    ManageMembers,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Self] = &[
        Self::View,
        Self::Sync,
        Self::Capture,
        Self::SeeBodies,
        Self::AcknowledgeFindings,
        Self::CancelRun,
        Self::EditConnection,
        Self::EditSchedules,
        Self::EditEndpoints,
        Self::ManageMembers,
    ];

    /// The least role that may do this.
    #[must_use]
    pub const fn least_role(self) -> Role {
        match self {
            Self::View => Role::Readonly,
            Self::Sync | Self::Capture | Self::SeeBodies | Self::AcknowledgeFindings | Self::CancelRun => {
                Role::Operator
            }
            Self::EditConnection | Self::EditSchedules | Self::EditEndpoints => Role::Manager,
            Self::ManageMembers => Role::Owner,
        }
    }
}

impl Role {
    /// Every role, the least first.
    pub const ALL: &'static [Self] = &[Self::Readonly, Self::Operator, Self::Manager, Self::Owner];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readonly => "readonly",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Readonly => "Read only",
            Self::Operator => "Operator",
            Self::Manager => "Manager",
            Self::Owner => "Owner",
        }
    }

    /// Whether a member with this role may do it.
    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        self >= action.least_role()
    }
}

crate::names::named!(Role, UnknownRole, "role");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_and_actions_is_as_the_rules_say() {
        let allowed =
            |role: Role| -> Vec<Action> { Action::ALL.iter().copied().filter(|action| role.allows(*action)).collect() };
        assert_eq!(allowed(Role::Readonly), &Action::ALL[..1]);
        assert_eq!(allowed(Role::Operator), &Action::ALL[..6]);
        assert_eq!(allowed(Role::Manager), &Action::ALL[..9]);
        assert_eq!(allowed(Role::Owner), Action::ALL);
    }

    #[test]
    fn a_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
            assert_eq!(serde_json::to_string(role).unwrap(), format!("\"{role}\""));
        }
        assert!("admin".parse::<Role>().is_err());
    }
}
