//! Where an object points to others (`docs/graph.md`, section Reference edges).

mod assigned;
mod extract;
mod summary;
mod words;

use serde::{Deserialize, Serialize};

pub use assigned::{Assigned, UnknownAssigned};
pub use extract::{ALL_DEVICES, ALL_USERS, extract};
pub(crate) use extract::{AssignmentTarget, ZERO_GUID};
pub use summary::{AssignedChange, AssignedRow, changed_targets, rows_of, same_summary, summary_words};
pub(crate) use summary::{sanitised_summary, summary_of};
pub use words::{filter_words, is_group, target_words};

/// The outgoing edges kept per item; the rest is counted (`docs/rules.md`, section Records).
pub const MAX_EDGES: usize = 50;

/// What a reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// The item applies to the target.
    AssignedTo,
    /// The item does not apply to the target.
    ExcludedFrom,
    /// An assignment of the item is narrowed by the target, an assignment filter.
    FilteredBy,
    /// The item is visible within the target, a scope tag or scope group.
    ScopedBy,
    /// The item makes use of the target.
    Uses,
    /// The item does not work without the target.
    DependsOn,
}

impl Relationship {
    /// Every relationship.
    pub const ALL: &'static [Self] =
        &[Self::AssignedTo, Self::ExcludedFrom, Self::FilteredBy, Self::ScopedBy, Self::Uses, Self::DependsOn];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssignedTo => "assigned_to",
            Self::ExcludedFrom => "excluded_from",
            Self::FilteredBy => "filtered_by",
            Self::ScopedBy => "scoped_by",
            Self::Uses => "uses",
            Self::DependsOn => "depends_on",
        }
    }
}

/// What kind of thing a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An inventory item whose type is no foundation.
    Item,
    /// A foundation object.
    Foundation,
    /// A group.
    Group,
    /// All users, a group that exists only in name.
    AllUsers,
    /// All devices, a group that exists only in name.
    AllDevices,
    /// A user.
    User,
    /// Guests and external users, of some or all kinds.
    Guests,
    /// A directory role, by its template.
    DirectoryRole,
    /// An application, by its client id.
    Application,
    /// A service principal, or the word for all of them.
    ServicePrincipal,
    /// A collection of Configuration Manager.
    Collection,
    /// Somebody whom an assignment names in a way that is not known here; its id is Microsoft's word for the kind.
    UnknownTarget,
    /// Something whose kind only the inventory, or nobody, can tell.
    Unresolved,
}

impl TargetKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Item,
        Self::Foundation,
        Self::Group,
        Self::AllUsers,
        Self::AllDevices,
        Self::User,
        Self::Guests,
        Self::DirectoryRole,
        Self::Application,
        Self::ServicePrincipal,
        Self::Collection,
        Self::UnknownTarget,
        Self::Unresolved,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Foundation => "foundation",
            Self::Group => "group",
            Self::AllUsers => "all_users",
            Self::AllDevices => "all_devices",
            Self::User => "user",
            Self::Guests => "guests",
            Self::DirectoryRole => "directory_role",
            Self::Application => "application",
            Self::ServicePrincipal => "service_principal",
            Self::Collection => "collection",
            Self::UnknownTarget => "unknown_target",
            Self::Unresolved => "unresolved",
        }
    }
}

/// Why the name of something in the directory is not known, or not known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unnamed {
    /// It does not exist any more.
    Gone,
    /// It exists, or may exist, and the application may not read its name.
    Refused,
}

impl Unnamed {
    /// Every reason.
    pub const ALL: &'static [Self] = &[Self::Gone, Self::Refused];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Refused => "refused",
        }
    }
}

crate::names::named!(Unnamed, UnknownUnnamed, "reason for a missing name");
crate::names::named!(Relationship, UnknownRelationship, "relationship");
crate::names::named!(TargetKind, UnknownTargetKind, "kind of reference target");

/// What a reference points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Target {
    /// The kind of thing.
    pub kind: TargetKind,
    /// The key of its policy type, where it has one that is known.
    pub policy_type: Option<&'static str>,
    /// The id Microsoft gave it.
    pub external_id: String,
}

crate::named! {
    /// What an assignment filter does to an assignment (Microsoft Graph, `deviceAndAppManagementAssignmentFilterType`).
    #[derive(PartialOrd, Ord)]
    pub enum FilterMode: UnknownFilterMode, "mode of an assignment filter" {
        /// Only what the filter finds.
        Include = "include",
        /// All but what the filter finds.
        Exclude = "exclude",
        /// The same target is assigned more than once, with different filters.
        Several = "several",
        /// A mode that is not known here.
        Unknown = "unknown",
    }
}

/// The filter of an assignment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AssignmentFilter {
    /// The id Microsoft gave it.
    pub id: String,
    /// What it does.
    pub mode: FilterMode,
}

/// One outgoing edge of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Reference {
    /// What it means.
    pub relationship: Relationship,
    /// What it points to.
    pub target: Target,
    /// By which filter it is narrowed, where it is an assignment.
    pub filter: Option<AssignmentFilter>,
    /// Where it was found and what was said there, sanitised, at most 200 characters.
    pub raw: String,
}

/// The outgoing edges of an item, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// The first [`MAX_EDGES`], in the order of the object.
    pub kept: Vec<Reference>,
    /// How many more there are.
    pub omitted: u32,
    /// Whether the object is assigned to anybody, applications aside; `None` where it does not tell assignments.
    pub assigned: Option<bool>,
}
