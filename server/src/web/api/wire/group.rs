//! Groups and what they get.

use serde::Serialize;
use tenantatlas_store::inventory;
use utoipa::ToSchema;

use super::inventory::{Item, NotRead};

/// A group that something that was read names.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// The id that Microsoft gave it.
    pub id: String,
    /// Its last known name.
    pub name: Option<String>,
    /// Why the directory told no name when it was asked last: gone or refused.
    pub unnamed: Option<String>,
}

impl From<&inventory::Group> for Group {
    fn from(group: &inventory::Group) -> Self {
        Self {
            id: group.external_id.clone(),
            name: group.display_name.clone(),
            unnamed: group.unnamed.map(|why| why.as_str().to_owned()),
        }
    }
}

/// Groups.
#[derive(Debug, Serialize, ToSchema)]
pub struct Groups {
    /// By name.
    pub items: Vec<Group>,
    /// Whether there are more: a narrower query shows them.
    pub more: bool,
}

/// How many items of a type a group gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupType {
    /// The key of the type.
    pub policy_type: String,
    /// Items that are assigned to it.
    pub included: u64,
    /// Items from which it is excluded.
    pub excluded: u64,
}

/// What a group gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupItems {
    /// The group; null for all users, all devices and nobody.
    pub group: Option<Group>,
    /// What it gets by type; twenty thousand items are counted at most.
    pub types: Vec<GroupType>,
    /// Whether there is more than was counted.
    pub more: bool,
    /// A page of the items, by type and name.
    pub items: Vec<Item>,
    /// Types that were not read to the end: of these it may get more.
    pub not_read: Vec<NotRead>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}
