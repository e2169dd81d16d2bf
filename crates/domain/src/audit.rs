//! What the audit log calls what happened.

use crate::operation::OperationStatus;

/// Something that is written into the audit log by a name of its own. Runs are written by names made from their
/// operation: see [`of_run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditAction {
    /// Something was refused: a page, a function, a tenant of others.
    AccessRefused,
    /// The audit log was downloaded.
    AuditExported,
    /// The inventory was downloaded.
    InventoryExported,
    /// Somebody was to become a member.
    MemberAdded,
    /// A member lost access.
    MemberRemoved,
    /// A member got a role.
    MemberSet,
    /// A run was asked to stop.
    CancelRequested,
    /// A tenant was added.
    TenantAdded,
    /// The connection of a tenant was tested.
    TenantChecked,
    /// The credential went with the connection it was entered for.
    CredentialRemoved,
    /// A new credential took the place of the old one.
    CredentialRotated,
    /// A tenant was marked as favourite, or no longer.
    TenantFavourite,
    /// The connection of a tenant was changed.
    TenantUpdated,
    /// A tenant was removed. Its entries concern no tenant any more.
    TenantRemoved,
    /// Somebody signed out.
    SessionClosed,
    /// Somebody ended all of their sessions.
    SessionClosedEverywhere,
    /// Somebody proved again who they are.
    SessionConfirmed,
    /// A step of signing in failed.
    SessionFailed,
    /// Somebody signed in.
    SessionOpened,
    /// Somebody ended one of their sessions.
    SessionRevoked,
    /// Somebody tried to sign in too often.
    SessionThrottled,
    /// A user was added.
    UserCreated,
    /// A user can no longer sign in.
    UserDisabled,
    /// A user can sign in again.
    UserEnabled,
    /// A password was changed.
    PasswordChanged,
    /// Recovery codes were made and shown.
    RecoveryCodesMade,
    /// Recovery codes were put in force.
    RecoveryCodesReplaced,
    /// A user was removed.
    UserRemoved,
    /// A user changed their name.
    UserRenamed,
    /// A second factor was put in force.
    SecondFactorAdded,
    /// The set-up of a second factor was begun.
    SecondFactorBegun,
    /// A second factor was taken away.
    SecondFactorRemoved,
    /// A code was sent a second time.
    SecondFactorReused,
    /// A user got or lost the administration of the platform.
    UserUpdated,
}

impl AuditAction {
    /// Every action.
    pub const ALL: &'static [Self] = &[
        Self::AccessRefused,
        Self::AuditExported,
        Self::InventoryExported,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::MemberSet,
        Self::CancelRequested,
        Self::TenantAdded,
        Self::TenantChecked,
        Self::CredentialRemoved,
        Self::CredentialRotated,
        Self::TenantFavourite,
        Self::TenantUpdated,
        Self::TenantRemoved,
        Self::SessionClosed,
        Self::SessionClosedEverywhere,
        Self::SessionConfirmed,
        Self::SessionFailed,
        Self::SessionOpened,
        Self::SessionRevoked,
        Self::SessionThrottled,
        Self::UserCreated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::PasswordChanged,
        Self::RecoveryCodesMade,
        Self::RecoveryCodesReplaced,
        Self::UserRemoved,
        Self::UserRenamed,
        Self::SecondFactorAdded,
        Self::SecondFactorBegun,
        Self::SecondFactorRemoved,
        Self::SecondFactorReused,
        Self::UserUpdated,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessRefused => "access.refused",
            Self::AuditExported => "audit.exported",
            Self::InventoryExported => "inventory.exported",
            Self::MemberAdded => "member.added",
            Self::MemberRemoved => "member.removed",
            Self::MemberSet => "member.set",
            Self::CancelRequested => "operation.cancel_requested",
            Self::TenantAdded => "tenant.added",
            Self::TenantChecked => "tenant.checked",
            Self::CredentialRemoved => "tenant.credential_removed",
            Self::CredentialRotated => "tenant.credential_rotated",
            Self::TenantFavourite => "tenant.favourite",
            Self::TenantUpdated => "tenant.updated",
            Self::TenantRemoved => "tenant.removed",
            Self::SessionClosed => "session.closed",
            Self::SessionClosedEverywhere => "session.closed_everywhere",
            Self::SessionConfirmed => "session.confirmed",
            Self::SessionFailed => "session.failed",
            Self::SessionOpened => "session.opened",
            Self::SessionRevoked => "session.revoked",
            Self::SessionThrottled => "session.throttled",
            Self::UserCreated => "user.created",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::PasswordChanged => "user.password_changed",
            Self::RecoveryCodesMade => "user.recovery_codes_made",
            Self::RecoveryCodesReplaced => "user.recovery_codes_replaced",
            Self::UserRemoved => "user.removed",
            Self::UserRenamed => "user.renamed",
            Self::SecondFactorAdded => "user.second_factor_added",
            Self::SecondFactorBegun => "user.second_factor_begun",
            Self::SecondFactorRemoved => "user.second_factor_removed",
            Self::SecondFactorReused => "user.second_factor_reused",
            Self::UserUpdated => "user.updated",
        }
    }

    /// Whether its entries name the tenant that they concern, so that the log of a tenant shows them.
    #[must_use]
    pub const fn concerns_a_tenant(self) -> bool {
        matches!(
            self,
            Self::AccessRefused
                | Self::AuditExported
                | Self::InventoryExported
                | Self::MemberAdded
                | Self::MemberRemoved
                | Self::MemberSet
                | Self::CancelRequested
                | Self::TenantAdded
                | Self::TenantChecked
                | Self::CredentialRemoved
                | Self::CredentialRotated
                | Self::TenantFavourite
                | Self::TenantUpdated
        )
    }
}

crate::names::named!(AuditAction, UnknownAuditAction, "action of the audit log");

impl From<AuditAction> for String {
    fn from(action: AuditAction) -> Self {
        action.as_str().to_owned()
    }
}

/// The names of what is written of a run of an operation: that it was dispatched, and how it ended.
pub fn of_run(resource: &str, action: &str) -> impl Iterator<Item = String> {
    let ends = OperationStatus::ALL.iter().filter(|status| status.is_terminal()).map(|status| status.as_str());
    std::iter::once("dispatched").chain(ends).map(move |event| format!("{resource}.{action}.{event}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_read_back_from_its_name_and_no_two_share_one() {
        for action in AuditAction::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        assert!("nonsense".parse::<AuditAction>().is_err());
    }

    #[test]
    fn a_run_is_written_down_when_it_is_dispatched_and_when_it_ends() {
        let names: Vec<String> = of_run("inventory", "sync").collect();
        assert_eq!(names.first().map(String::as_str), Some("inventory.sync.dispatched"));
        assert!(names.contains(&"inventory.sync.completed_with_errors".to_owned()));
        assert_eq!(names.len(), 5, "{names:?}");
    }
}
