//! What the audit logs of Microsoft tell of who changed what: the facts that are kept of an event, and nothing else
//! (`docs/rules.md`, section Who changed it).

mod attribution;
mod edits;
mod facts;
mod window;

pub use attribution::{Actors, Attribution, Certainty, Coverage, Lack, Subject, who_changed};
pub use edits::{Edit, edits};
pub use facts::{Actor, AuditFacts, AuditObject, MAX_CHANGED, event_of};
pub use window::{ReadWindow, Span};

use crate::registry::{PolicyType, Source};

crate::names::named! {
    /// A log of Microsoft's.
    #[derive(PartialOrd, Ord)]
    pub enum AuditSource: UnknownAuditSource, "audit log of Microsoft" {
        /// What people and applications did in Intune.
        Intune = "intune",
        /// The same in Entra.
        Entra = "entra",
    }
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

impl AuditSource {
    /// What it is called.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Intune => "Intune audit log",
            Self::Entra => "Entra audit log",
        }
    }

    /// Its address below the version of Graph.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Intune => "deviceManagement/auditEvents",
            Self::Entra => "auditLogs/directoryAudits",
        }
    }

    /// The permission that lets it be read.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Intune => "DeviceManagementApps.Read.All",
            Self::Entra => "AuditLog.Read.All",
        }
    }

    /// How long Microsoft keeps an event at least, whatever the licence of the tenant, in milliseconds.
    #[must_use]
    pub const fn kept_at_least(self) -> i64 {
        match self {
            Self::Intune => 365 * DAY,
            Self::Entra => 7 * DAY,
        }
    }

    /// The log that tells of the objects of a type; `None` where neither does, since the service keeps one of its own.
    #[must_use]
    pub fn of(policy_type: &PolicyType) -> Option<Self> {
        let path = match policy_type.source {
            Source::Collection { path } | Source::Singleton { path } => path,
            Source::ChildrenOf { parent_path, .. } => parent_path,
        };
        if path.contains("virtualEndpoint") {
            None
        } else if path.starts_with("deviceManagement") || path.starts_with("deviceAppManagement") {
            Some(Self::Intune)
        } else {
            Some(Self::Entra)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;

    #[test]
    fn every_type_has_its_log_and_windows_365_neither() {
        let of = |key: &str| AuditSource::of(registry().get(key).expect("a type"));
        assert_eq!(of("settingsCatalogPolicy"), Some(AuditSource::Intune));
        assert_eq!(of("mobileApp"), Some(AuditSource::Intune));
        assert_eq!(of("conditionalAccessPolicy"), Some(AuditSource::Entra));
        let without: Vec<&str> =
            registry().all().iter().filter(|one| AuditSource::of(one).is_none()).map(|one| one.key).collect();
        assert!(!without.is_empty() && without.len() < 8, "{without:?}");
    }
}
