//! What was done when a form leads on: the address of the next page names it, and the page says it in a sentence.

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A run that does the same was under way already; no second one was started.
    AlreadyRunning,
    /// A sync was started without types that this version does not know.
    TypesLeftOut,
    /// The connection of a tenant was saved.
    ConnectionSaved,
    /// It was saved and leads elsewhere now, so its credential was taken away.
    ConnectionMoved,
    /// The credential was replaced.
    CredentialReplaced,
    /// The members of a tenant were changed.
    MembersSaved,
    /// A member was removed.
    MemberRemoved,
    /// A member who was removed is one again.
    MemberRestored,
    /// Somebody left a tenant.
    TenantLeft,
    /// Somebody may have become a member.
    MemberAdded,
    /// Somebody without an account was invited.
    MemberInvited,
    /// An invitation was taken back.
    InvitationRevoked,
    /// A second factor was put in force.
    SecondFactorAdded,
    /// The second factor was taken away.
    SecondFactorRemoved,
    /// New recovery codes were put in force.
    RecoveryCodesReplaced,
    /// A user was removed.
    UserRemoved,
    /// One's own name was saved.
    NameSaved,
    /// One's own password was changed.
    PasswordChanged,
    /// One of one's own sessions was ended.
    SessionEnded,
    /// A token of the API was taken back.
    TokenRevoked,
    /// The users were changed.
    UsersSaved,
    /// A tenant was added, and its connection is being checked.
    TenantAdded,
    /// A tenant was added, and its connection could not be checked yet.
    TenantAddedUnchecked,
    /// A tenant was removed.
    TenantRemoved,
    /// A run was asked to stop.
    CancelRequested,
    /// A view of the inventory was saved or renamed.
    ViewSaved,
    /// A saved view of the inventory was deleted.
    ViewDeleted,
    /// What single keys do was chosen.
    KeysSaved,
    /// Findings were accepted.
    FindingsAccepted,
    /// Acceptances of findings were taken back.
    FindingsReopened,
    /// Whether syncs are compared was chosen.
    DriftChosen,
    /// It was chosen how much a change of a type matters.
    SeverityChosen,
    /// It was chosen what a selection is compared with.
    BaselineChosen,
    /// An endpoint was added.
    EndpointAdded,
    /// An endpoint was changed.
    EndpointSaved,
    /// An endpoint was removed.
    EndpointRemoved,
    /// A message to an endpoint is on its way.
    MessageSent,
    /// How long things are kept was said.
    RetentionChanged,
    /// A schedule was added, to one tenant or several.
    ScheduleAdded,
    /// A schedule was added to some of several tenants.
    SchedulesAddedInPart,
    /// A schedule was changed.
    ScheduleChanged,
    /// A schedule was paused.
    SchedulePaused,
    /// A schedule goes on.
    ScheduleResumed,
    /// A schedule was removed.
    ScheduleRemoved,
}

impl Done {
    /// Everything there is.
    #[cfg(feature = "ssr")]
    pub const ALL: &'static [Self] = &[
        Self::AlreadyRunning,
        Self::TypesLeftOut,
        Self::ConnectionSaved,
        Self::ConnectionMoved,
        Self::CredentialReplaced,
        Self::MembersSaved,
        Self::MemberRemoved,
        Self::MemberRestored,
        Self::TenantLeft,
        Self::MemberAdded,
        Self::MemberInvited,
        Self::InvitationRevoked,
        Self::SecondFactorAdded,
        Self::SecondFactorRemoved,
        Self::RecoveryCodesReplaced,
        Self::UserRemoved,
        Self::NameSaved,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::TokenRevoked,
        Self::UsersSaved,
        Self::TenantAdded,
        Self::TenantAddedUnchecked,
        Self::TenantRemoved,
        Self::CancelRequested,
        Self::ViewSaved,
        Self::ViewDeleted,
        Self::KeysSaved,
        Self::FindingsAccepted,
        Self::FindingsReopened,
        Self::DriftChosen,
        Self::SeverityChosen,
        Self::BaselineChosen,
        Self::EndpointAdded,
        Self::EndpointSaved,
        Self::EndpointRemoved,
        Self::MessageSent,
        Self::RetentionChanged,
        Self::ScheduleAdded,
        Self::SchedulesAddedInPart,
        Self::ScheduleChanged,
        Self::SchedulePaused,
        Self::ScheduleResumed,
        Self::ScheduleRemoved,
    ];

    /// Its name in an address. Inlined, so that the browser has the one name that it uses and not all of them.
    #[inline(always)]
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyRunning => "already",
            Self::TypesLeftOut => "left_out",
            Self::ConnectionSaved => "connection",
            Self::ConnectionMoved => "elsewhere",
            Self::CredentialReplaced => "credential",
            Self::MembersSaved => "member",
            Self::MemberRemoved => "member_removed",
            Self::MemberRestored => "restored",
            Self::TenantLeft => "left",
            Self::MemberAdded => "added",
            Self::MemberInvited => "invited",
            Self::InvitationRevoked => "uninvited",
            Self::SecondFactorAdded => "factor",
            Self::SecondFactorRemoved => "no_factor",
            Self::RecoveryCodesReplaced => "codes",
            Self::UserRemoved => "removed_user",
            Self::NameSaved => "profile",
            Self::PasswordChanged => "password",
            Self::TokenRevoked => "token_revoked",
            Self::SessionEnded => "session",
            Self::UsersSaved => "user",
            Self::TenantAdded => "tenant",
            Self::TenantAddedUnchecked => "unchecked",
            Self::TenantRemoved => "removed",
            Self::CancelRequested => "cancelled",
            Self::ViewSaved => "view",
            Self::ViewDeleted => "deleted_view",
            Self::KeysSaved => "keys",
            Self::FindingsAccepted => "accepted",
            Self::FindingsReopened => "reopened",
            Self::DriftChosen => "drift",
            Self::SeverityChosen => "severity",
            Self::BaselineChosen => "baseline",
            Self::EndpointAdded => "endpoint_added",
            Self::EndpointSaved => "endpoint",
            Self::EndpointRemoved => "endpoint_removed",
            Self::MessageSent => "message",
            Self::RetentionChanged => "kept",
            Self::ScheduleAdded => "scheduled",
            Self::SchedulesAddedInPart => "scheduled_partly",
            Self::ScheduleChanged => "rescheduled",
            Self::SchedulePaused => "paused",
            Self::ScheduleResumed => "resumed",
            Self::ScheduleRemoved => "unscheduled",
        }
    }

    /// The address of the page that says it.
    #[inline(always)]
    #[must_use]
    pub fn at(self, address: &str) -> String {
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}done={}", self.code())
    }
}

#[cfg(feature = "ssr")]
impl Done {
    /// Reads its name from an address; anything else says nothing.
    #[must_use]
    pub fn read(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|done| done.code() == code)
    }

    /// What the page says.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AlreadyRunning => "The same is already running. This is its run; no second one was started.",
            Self::TypesLeftOut => {
                "The sync is started without the types that this version does not know. Load the list of types anew to see which there are."
            }
            Self::ConnectionSaved => "The connection is saved. Check it to see whether Microsoft accepts it.",
            Self::ConnectionMoved => {
                "The connection is saved. It leads elsewhere or to another application now, so the credential was removed: enter it again below."
            }
            Self::CredentialReplaced => {
                "The new credential is in place. Check the connection to see whether Microsoft accepts it."
            }
            Self::MembersSaved => "The members are saved.",
            Self::MemberRemoved => "The member is removed and has no access any more.",
            Self::MemberRestored => "The member is back, with the same role as before.",
            Self::TenantLeft => "You are no longer a member of that tenant.",
            Self::MemberAdded => "They are a member now.",
            Self::MemberInvited => {
                "The invitation is open. Its link was shown once and is kept nowhere; invite the address again for a new one."
            }
            Self::InvitationRevoked => "The invitation is taken back. Its link no longer works.",
            Self::SecondFactorAdded => "The second factor is on. It is asked for at every sign-in from now on.",
            Self::SecondFactorRemoved => "The second factor is removed.",
            Self::RecoveryCodesReplaced => "The new recovery codes are active. The old ones no longer work.",
            Self::UserRemoved => "The person is removed. What the audit log says of them stays.",
            Self::NameSaved => "Your name is saved.",
            Self::PasswordChanged => "The password is changed. Every other session has ended.",
            Self::TokenRevoked => "The token is revoked. Nothing can use it any more.",
            Self::SessionEnded => "That session has ended.",
            Self::UsersSaved => "The users are saved.",
            Self::TenantAdded => "The tenant is added. Its connection is checked now; then start the first sync.",
            Self::TenantAddedUnchecked => "The tenant is added. Check its connection, then start the first sync.",
            Self::TenantRemoved => "The tenant and everything read from it is removed.",
            Self::CancelRequested => "The run was asked to stop.",
            Self::ViewSaved => "The view is saved.",
            Self::ViewDeleted => "The view is deleted.",
            Self::KeysSaved => "Your choice of keys is saved.",
            Self::FindingsAccepted => "The findings are accepted for as long as what they show stays as it is.",
            Self::FindingsReopened => "The acceptance is taken back. The findings are new again.",
            Self::DriftChosen => "Your choice is saved. It counts for syncs that are started from now on.",
            Self::SeverityChosen => "Your choice is saved, also for what was found already.",
            Self::BaselineChosen => "Your choice is saved. It counts from the next comparison on.",
            Self::EndpointAdded => {
                "The endpoint is added. What happens from now on is sent there; test it to see whether it arrives."
            }
            Self::EndpointSaved => "The endpoint is changed.",
            Self::EndpointRemoved => "The endpoint is removed.",
            Self::MessageSent => {
                "The message is on its way. The log below tells how it went; reload the page in a few seconds."
            }
            Self::RetentionChanged => "Your choice is saved. It counts from the next pruning of each tenant on.",
            Self::ScheduleAdded => "The schedule is added. Its next time stands in the list.",
            Self::SchedulesAddedInPart => {
                "The schedule is added to some of the tenants. The others have one of this name, have too many, or do not let you change schedules."
            }
            Self::ScheduleChanged => "The schedule is changed. Its next times stand below.",
            Self::SchedulePaused => "The schedule is paused. It starts nothing until it is resumed.",
            Self::ScheduleResumed => "The schedule goes on. What was due meanwhile is not caught up.",
            Self::ScheduleRemoved => "The schedule is removed. The runs that it started stay.",
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::Done;

    #[test]
    fn what_was_done_is_read_from_the_address_that_names_it() {
        for done in Done::ALL {
            let address = done.at("/me");
            let code = address.strip_prefix("/me?done=").expect("a parameter");
            assert_eq!(Done::read(code), Some(*done));
        }
        assert_eq!(Done::CancelRequested.at("/x?y=1"), "/x?y=1&done=cancelled");
        assert_eq!(Done::read("nonsense"), None);
    }
}
