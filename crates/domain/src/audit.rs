//! What the audit log calls what happened.

use crate::operation::OperationStatus;

crate::names::named! {
    /// Something that is written into the audit log by a name of its own. Runs are written by names made from their
    /// operation: see [`RunEvent`].
    #[derive(PartialOrd, Ord)]
    pub enum AuditAction: UnknownAuditAction, "action of the audit log" {
        /// Something was refused: a page, a function, a tenant of others.
        AccessRefused = "access.refused",
        /// A person asked for something too often in a short time.
        RateLimited = "access.rate_limited",
        /// Refusals that were counted instead of written one by one.
        RefusalsGathered = "access.refusals_gathered",
        /// The audit log was downloaded.
        AuditExported = "audit.exported",
        /// The seals of the audit log were renewed after the root key was replaced.
        AuditResealed = "audit.resealed",
        /// Somebody vouched for an audit log that came from a backup.
        AuditRestored = "audit.restored",
        /// An endpoint for news of a tenant was added.
        EndpointAdded = "endpoint.added",
        /// An endpoint was changed: its name, or to what it listens.
        EndpointChanged = "endpoint.changed",
        /// An endpoint was switched on or off.
        EndpointSwitched = "endpoint.switched",
        /// An endpoint to which nothing could be delivered was switched off by itself.
        EndpointSwitchedOff = "endpoint.switched_off",
        /// The secret of an endpoint was replaced.
        EndpointSecretRotated = "endpoint.secret_rotated",
        /// A test message was sent to an endpoint.
        EndpointTested = "endpoint.tested",
        /// An endpoint was removed, with what is known of its deliveries.
        EndpointRemoved = "endpoint.removed",
        /// A message was sent to an endpoint once more.
        DeliveryReplayed = "delivery.replayed",
        /// Findings were accepted.
        FindingsAccepted = "finding.accepted",
        /// Findings were downloaded.
        FindingsExported = "findings.exported",
        /// Accepted findings were taken back.
        FindingsReopened = "finding.reopened",
        /// The root key was replaced, and everything is sealed with the new one.
        KeyRotated = "key.rotated",
        /// The root key was replaced, and what is there is sealed anew from then on.
        KeyRotationBegan = "key.rotation_began",
        /// The inventory was downloaded.
        InventoryExported = "inventory.exported",
        /// Somebody was to become a member.
        MemberAdded = "member.added",
        /// Somebody who was invited made their account with the link, or was to.
        InvitationAccepted = "member.invitation_accepted",
        /// An invitation was taken back.
        InvitationRevoked = "member.invitation_revoked",
        /// Somebody without an account was invited by a link that works once.
        MemberInvited = "member.invited",
        /// A member lost access.
        MemberRemoved = "member.removed",
        /// A member got a role.
        MemberSet = "member.set",
        /// A run was asked to stop.
        CancelRequested = "operation.cancel_requested",
        /// How long things are kept was changed.
        RetentionChanged = "retention.changed",
        /// A run that has ended was to be tried again, and could not be.
        RetryRequested = "operation.retry_requested",
        /// The body of a version, or the difference of two, was downloaded.
        PolicyExported = "policy.exported",
        /// What a search of settings found was downloaded.
        SettingsExported = "settings.exported",
        /// Somebody looked at the body of a script.
        ScriptSeen = "policy.script_seen",
        /// A saved view of the inventory was added, renamed or deleted.
        SavedViewChanged = "saved_view.changed",
        /// A schedule was added.
        ScheduleAdded = "schedule.added",
        /// What a schedule does, or when, was changed.
        ScheduleChanged = "schedule.changed",
        /// A schedule was paused.
        SchedulePaused = "schedule.paused",
        /// A schedule was removed.
        ScheduleRemoved = "schedule.removed",
        /// A schedule that was paused or had stopped goes on.
        ScheduleResumed = "schedule.resumed",
        /// A schedule stopped by itself, since it could not go on.
        ScheduleStopped = "schedule.stopped",
        /// A token of the API was made.
        TokenCreated = "token.created",
        /// A token of the API that is worth nothing any more was shown.
        TokenRefused = "token.refused",
        /// A token of the API was taken back.
        TokenRevoked = "token.revoked",
        /// A tenant was added.
        TenantAdded = "tenant.added",
        /// A certificate was made for a tenant that is to be added.
        CertificateMade = "certificate.made",
        /// The credential went with the connection it was entered for.
        CredentialRemoved = "tenant.credential_removed",
        /// A new credential took the place of the old one.
        CredentialRotated = "tenant.credential_rotated",
        /// A tenant was marked as favourite, or no longer.
        TenantFavourite = "tenant.favourite",
        /// The connection of a tenant was changed.
        TenantUpdated = "tenant.updated",
        /// A tenant was removed. Its entries concern no tenant any more.
        TenantRemoved = "tenant.removed",
        /// Somebody signed out.
        SessionClosed = "session.closed",
        /// Somebody ended all of their sessions.
        SessionClosedEverywhere = "session.closed_everywhere",
        /// Somebody proved again who they are.
        SessionConfirmed = "session.confirmed",
        /// A step of signing in failed.
        SessionFailed = "session.failed",
        /// Somebody signed in.
        SessionOpened = "session.opened",
        /// A password was right, and the sign-in waits for its second step.
        PasswordAccepted = "session.password_accepted",
        /// Somebody ended one of their sessions.
        SessionRevoked = "session.revoked",
        /// Somebody tried to sign in too often.
        SessionThrottled = "session.throttled",
        /// A user was added.
        UserCreated = "user.created",
        /// A user can no longer sign in.
        UserDisabled = "user.disabled",
        /// A user can sign in again.
        UserEnabled = "user.enabled",
        /// A password was changed.
        PasswordChanged = "user.password_changed",
        /// Somebody chose columns, or whether single keys do something.
        PreferencesChanged = "user.preferences_changed",
        /// Recovery codes were made and shown.
        RecoveryCodesMade = "user.recovery_codes_made",
        /// Recovery codes were put in force.
        RecoveryCodesReplaced = "user.recovery_codes_replaced",
        /// A user was removed.
        UserRemoved = "user.removed",
        /// A user changed their name.
        UserRenamed = "user.renamed",
        /// A second factor was put in force.
        SecondFactorAdded = "user.second_factor_added",
        /// The set-up of a second factor was begun.
        SecondFactorBegun = "user.second_factor_begun",
        /// A second factor was taken away.
        SecondFactorRemoved = "user.second_factor_removed",
        /// A code was sent a second time.
        SecondFactorReused = "user.second_factor_reused",
        /// A user got or lost the administration of the platform.
        UserUpdated = "user.updated",
    }
}

impl AuditAction {
    /// Whether its entries name the tenant that they concern, so that the log of a tenant shows them.
    #[must_use]
    pub const fn concerns_a_tenant(self) -> bool {
        matches!(
            self,
            Self::AccessRefused
                | Self::AuditExported
                | Self::EndpointAdded
                | Self::EndpointChanged
                | Self::EndpointSwitched
                | Self::EndpointSwitchedOff
                | Self::EndpointSecretRotated
                | Self::EndpointTested
                | Self::EndpointRemoved
                | Self::DeliveryReplayed
                | Self::FindingsAccepted
                | Self::FindingsExported
                | Self::FindingsReopened
                | Self::InventoryExported
                | Self::PolicyExported
                | Self::SettingsExported
                | Self::ScriptSeen
                | Self::MemberAdded
                | Self::InvitationAccepted
                | Self::InvitationRevoked
                | Self::MemberInvited
                | Self::MemberRemoved
                | Self::MemberSet
                | Self::CancelRequested
                | Self::RetryRequested
                | Self::SavedViewChanged
                | Self::ScheduleAdded
                | Self::ScheduleChanged
                | Self::SchedulePaused
                | Self::ScheduleRemoved
                | Self::ScheduleResumed
                | Self::ScheduleStopped
                | Self::TokenCreated
                | Self::TokenRefused
                | Self::TokenRevoked
                | Self::TenantAdded
                | Self::CredentialRemoved
                | Self::CredentialRotated
                | Self::TenantFavourite
                | Self::TenantUpdated
        )
    }
}

impl From<AuditAction> for String {
    fn from(action: AuditAction) -> Self {
        action.as_str().to_owned()
    }
}

/// What is written into the audit log of a run, by a name that begins with that of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// It was started, or was to be started.
    Dispatched,
    /// Somebody asked it to stop.
    CancelRequested,
    /// It ended in this state.
    Ended(OperationStatus),
}

impl RunEvent {
    /// Everything that is written of runs.
    pub fn all() -> impl Iterator<Item = Self> {
        let ends = OperationStatus::ALL.iter().copied().filter(|status| status.is_terminal()).map(Self::Ended);
        [Self::Dispatched, Self::CancelRequested].into_iter().chain(ends)
    }

    /// The name as stored, for what an operation works on and what it does: `inventory.sync.dispatched`.
    #[must_use]
    pub fn of(self, resource: &str, action: &str) -> String {
        let event = match self {
            Self::Dispatched => "dispatched",
            Self::CancelRequested => "cancel_requested",
            Self::Ended(status) => status.as_str(),
        };
        format!("{resource}.{action}.{event}")
    }
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
    fn a_run_is_written_down_when_it_is_dispatched_or_cancelled_and_when_it_ends() {
        let names: Vec<String> = RunEvent::all().map(|event| event.of("inventory", "sync")).collect();
        let (begin, ends) = names.split_at(2);
        assert_eq!(begin, ["inventory.sync.dispatched", "inventory.sync.cancel_requested"]);
        assert!(ends.contains(&"inventory.sync.completed_with_errors".to_owned()));
        assert_eq!(ends.len(), 4, "{ends:?}");
    }
}
