//! The findings of a tenant.

use tenantatlas_domain::drift::{ChangeKind, FindingStatus, Severity};
use tenantatlas_domain::ids::FindingId;
use tenantatlas_domain::registry::registry;
use tenantatlas_store::findings::FindingFilter;

use super::{ListFilter, MAX_SEARCH, set};

/// Which findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody has accepted what is there.
    #[default]
    New,
    /// Somebody has accepted what is there.
    Acknowledged,
    /// Both.
    Open,
    /// What drifted is as it was.
    Resolved,
}

impl Status {
    /// Every status, with its name in addresses and its words.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::New, "new", "New"),
        (Self::Acknowledged, "acknowledged", "Accepted"),
        (Self::Open, "open", "New and accepted"),
        (Self::Resolved, "resolved", "Resolved"),
    ];

    /// Its name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(one, ..)| *one == self).map_or("", |(_, name, _)| name)
    }
}

/// Which findings of the main scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingsFilter {
    /// In which state.
    pub status: Status,
    /// Only of this kind.
    pub kind: Option<ChangeKind>,
    /// Only those that matter at least so much.
    pub severity: Option<Severity>,
    /// Only those of objects of this type.
    pub policy_type: Option<String>,
    /// Only those of objects with these words in their names.
    pub search: String,
    /// Whether only what was found of one object stands together, and not what one person changed in one go.
    pub by_object: bool,
    /// The finding after which the page begins.
    pub after: Option<FindingId>,
}

/// The word in the address that asks for what was found of one object alone.
pub const BY_OBJECT: &str = "object";

impl ListFilter for FindingsFilter {
    const WORDS: &'static [&'static str] = &["status", "kind", "severity", "type", "group"];
    const TYPED: &'static [&'static str] = &["q"];
    const DEFAULTED: &'static [&'static str] = &["status", "group"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let status = query("status").unwrap_or_default();
        Self {
            status: Status::ALL.iter().find(|(_, name, _)| *name == status).map_or(Status::New, |(one, ..)| *one),
            kind: query("kind").and_then(|name| name.parse().ok()),
            severity: query("severity").and_then(|name| name.parse().ok()),
            policy_type: query("type").filter(|key| registry().get(key).is_some()),
            search: query("q").unwrap_or_default().trim().chars().take(MAX_SEARCH).collect(),
            by_object: query("group").as_deref() == Some(BY_OBJECT),
            after: query("after").and_then(|id| id.parse().ok()),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("status", Some(self.status.name().to_owned()).filter(|_| self.status != Status::New)),
            ("kind", self.kind.map(|kind| kind.to_string())),
            ("severity", self.severity.map(|severity| severity.to_string())),
            ("type", self.policy_type.clone()),
            ("q", Some(self.search.clone())),
            ("group", self.by_object.then(|| BY_OBJECT.to_owned())),
            ("after", self.after.map(|id| id.to_string())),
        ])
    }

    fn first_page(&self) -> Self {
        Self { after: None, ..self.clone() }
    }
}

impl FindingsFilter {
    /// What the store is asked for.
    #[must_use]
    pub fn asked(&self) -> FindingFilter {
        FindingFilter {
            status: match self.status {
                Status::New => Some(FindingStatus::New),
                Status::Acknowledged => Some(FindingStatus::Acknowledged),
                Status::Open | Status::Resolved => None,
            },
            resolved: self.status == Status::Resolved,
            kind: self.kind,
            at_least: self.severity,
            policy_type: self.policy_type.clone(),
            search: self.search.clone(),
        }
    }
}
