//! What a group gets.

use tenantatlas_domain::references::{Assigned, Relationship};
use tenantatlas_domain::registry::registry;
use tenantatlas_store::inventory::{AssignedQuery, Cursor};
use tenantatlas_store::scopes::ScopeId;

use super::{ListFilter, set};

/// Rows on one page of the list.
const PAGE: u32 = 50;

/// Which items of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Only this policy type, by key.
    pub policy_type: Option<String>,
    /// Only what includes the group, or only what excludes it.
    pub only: Option<Relationship>,
    /// Relative to this scope; the main one otherwise.
    pub scope: Option<ScopeId>,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Where the page ends.
    pub before: Option<Cursor>,
}

impl ListFilter for GroupFilter {
    const WORDS: &'static [&'static str] = &["type", "only", "scope"];
    const TYPED: &'static [&'static str] = &[];

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            policy_type: get("type").filter(|key| registry().get(key).is_some()),
            only: match get("only").as_deref() {
                Some("included") => Some(Relationship::AssignedTo),
                Some("excluded") => Some(Relationship::ExcludedFrom),
                _ => None,
            },
            scope: get("scope").and_then(|id| id.parse().ok()).map(ScopeId),
            after: get("after").and_then(|text| Cursor::decode(&text)),
            before: get("before").and_then(|text| Cursor::decode(&text)),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("type", self.policy_type.clone()),
            ("only", self.only.map(|only| only_name(only).to_owned())),
            ("scope", self.scope.map(|ScopeId(id)| id.to_string())),
            ("after", self.after.as_ref().map(Cursor::encode)),
            ("before", self.before.as_ref().map(Cursor::encode)),
        ])
    }

    fn first_page(&self) -> Self {
        Self { after: None, before: None, ..self.clone() }
    }
}

impl GroupFilter {
    /// The question to the store.
    #[must_use]
    pub fn query(&self, assigned: Assigned) -> AssignedQuery {
        AssignedQuery {
            assigned,
            policy_type: self.policy_type.clone(),
            relationship: self.only,
            after: self.after.clone(),
            before: self.before.clone(),
            limit: PAGE,
        }
    }
}

/// The name of a side in the address.
#[must_use]
pub fn only_name(only: Relationship) -> &'static str {
    if only == Relationship::ExcludedFrom { "excluded" } else { "included" }
}
