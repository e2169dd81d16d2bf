//! What a list of items is asked for: filter, order, page.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::named;
use tenantatlas_domain::references::{Assigned, Relationship};
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

/// The longest page.
pub(super) const MAX_PAGE: u32 = 500;

named! {
    /// A state to filter by.
    pub enum StateFilter: UnknownStateFilter, "state of items" {
        /// Seen in the latest completed run.
        Present = "present",
        /// Its type was read to the end and it was not there.
        Missing = "missing",
        /// Its type was not read to the end and it was not seen.
        NotRead = "not_read",
        /// Found new or changed by the latest completed run.
        Changed = "changed",
    }
}

named! {
    /// The order of a list.
    #[derive(Default)]
    pub enum Sort: UnknownSort, "order of items" {
        /// By name, then by id.
        #[default]
        Name = "name",
        /// By the words for the type, then by name.
        Type = "type",
        /// By the words for the category, then by name.
        Category = "category",
        /// What is missing first, then what was not read, then what is present; each by name.
        State = "state",
        /// By how much it is assigned to: nothing, groups by their number, all users or devices.
        Assigned = "assigned",
        /// By the words for the platform, then by name.
        Platform = "platform",
        /// By when Microsoft says that it was last modified; what has no such time first.
        Modified = "modified",
        /// What the latest completed run did not see first, the longest unseen before the rest; then what it saw, by
        /// name.
        LastSeen = "last_seen",
        /// By when any run first saw it.
        FirstSeen = "first_seen",
        /// By when it was last found new or changed; what was not since the first read of its type comes first.
        Changed = "changed",
        /// By the id that Microsoft gave it.
        Id = "id",
    }
}

/// Which items. Everything that is set must hold; of a list, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Keys of types.
    pub policy_types: Vec<String>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// Words, whatever their case and order: each stands in the name, in the id, in the name of the type, or in that of a
    /// group which the assignments of the item name.
    pub search: Option<String>,
    /// A state in the scope.
    pub state: Option<StateFilter>,
    /// The id of a scope tag.
    pub scope_tag: Option<String>,
    /// Whom it is assigned to, directly, or that it is to nobody. An item that excludes a group is not assigned to it.
    pub assigned: Option<Assigned>,
    /// The group that its assignments exclude.
    pub excluded: Option<Uuid>,
    /// Found new or changed since then, by whatever run; what the first read of a type found does not count.
    pub changed_since: Option<Timestamp>,
    /// Not there for the first time in a sync of the scope that ended after this time; with the state *missing*.
    pub missing_since: Option<Timestamp>,
}

/// Where a page begins: after this item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The part of the order: a type key, or the part of the list sorted by last seen.
    #[serde(rename = "p", default, skip_serializing_if = "String::is_empty")]
    pub(super) part: String,
    /// The value sorted by.
    #[serde(rename = "k")]
    pub(super) key: String,
    /// The item.
    #[serde(rename = "i")]
    pub(super) id: Uuid,
}

impl Cursor {
    /// A form for addresses. It names no secret: what it holds the person has seen.
    #[must_use]
    pub fn encode(&self) -> String {
        use base64::Engine as _;
        let text = serde_json::to_string(self).unwrap_or_default();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads [`Cursor::encode`]; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemQuery {
    /// Which items.
    pub filter: ItemFilter,
    /// In which order.
    pub sort: Sort,
    /// Whether that order is reversed.
    pub descending: bool,
    /// Where the page begins; at the beginning when absent.
    pub after: Option<Cursor>,
    /// Where the page ends; then `after` says nothing.
    pub before: Option<Cursor>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

impl ItemFilter {
    /// Whom the filter asks for, each with the side on which assignments must name them.
    pub(super) fn named(&self) -> impl Iterator<Item = (Relationship, Assigned)> {
        let included = self.assigned.clone().map(|assigned| (Relationship::AssignedTo, assigned));
        let excluded = self.excluded.map(|group| (Relationship::ExcludedFrom, Assigned::To(group)));
        included.into_iter().chain(excluded)
    }

    /// The same filter for the items that name the group on the other side; `None` where it asks for no group, or for both
    /// sides.
    #[must_use]
    pub fn other_side(&self) -> Option<Self> {
        match (&self.assigned, self.excluded) {
            (Some(assigned), None) => {
                assigned.group().map(|group| Self { assigned: None, excluded: Some(group), ..self.clone() })
            }
            (None, Some(group)) => Some(Self { assigned: Some(Assigned::To(group)), excluded: None, ..self.clone() }),
            _ => None,
        }
    }

    /// What is searched for in names and ids; `None` where only blanks are.
    pub(super) fn searched_text(&self) -> Option<&str> {
        self.search.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}
