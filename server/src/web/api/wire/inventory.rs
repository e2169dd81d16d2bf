//! Types, items, their assignments and versions.

use serde::Serialize;
use serde_json::{Map, Value};
use tenantatlas_store::inventory::{
    Assignment as StoredAssignment, FirstRead as StoredFirstRead, ItemRow, NotRead as StoredNotRead,
};
use tenantatlas_store::policies::Version as StoredVersion;
use utoipa::ToSchema;

use super::time::time;

/// How a policy type was read last, relative to the main scope of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeState {
    /// Its key.
    pub policy_type: String,
    /// Its words.
    pub label: String,
    /// read, empty, failed, skipped, unread (never), or outside (of the selection).
    pub coverage: String,
    /// Items that the run saw.
    pub items: u64,
    /// Items that are known and of which the run can say nothing.
    pub not_read: u64,
    /// When the run finished with it.
    #[schema(format = DateTime)]
    pub read_at: Option<String>,
    /// Why it was not read to the end.
    pub reason_code: Option<String>,
    /// The same in a sentence.
    pub reason: Option<String>,
    /// When it was last read to the end, where that was an earlier run.
    #[schema(format = DateTime)]
    pub last_full_read_at: Option<String>,
}

/// The types of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Types {
    /// In the order of the registry.
    pub items: Vec<TypeState>,
}

/// Whom an item is assigned to, or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Assignment {
    /// Whether the target is included; else it is excluded.
    pub included: bool,
    /// What kind of thing the target is.
    pub target: String,
    /// The id that Microsoft gave it.
    pub target_id: String,
    /// Its last known name.
    pub name: Option<String>,
    /// The id of the filter by which the assignment is narrowed.
    pub filter_id: Option<String>,
    /// The name of that filter.
    pub filter: Option<String>,
    /// include or exclude.
    pub filter_mode: Option<String>,
}

impl From<&StoredAssignment> for Assignment {
    fn from(one: &StoredAssignment) -> Self {
        Self {
            included: one.is_included(),
            target: one.target_kind.as_str().to_owned(),
            target_id: one.target_id.clone(),
            name: one.name.clone(),
            filter_id: one.filter_id.clone(),
            filter: one.filter_name.clone(),
            filter_mode: one.filter_mode.map(|mode| mode.as_str().to_owned()),
        }
    }
}

/// An item of the inventory. Its state is relative to the scope of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    /// Our id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The key of its type.
    pub policy_type: String,
    /// The id that Microsoft gave it.
    pub external_id: String,
    /// Its name.
    pub display_name: String,
    /// What its type is about.
    pub category: String,
    /// Its platform.
    pub platform: String,
    /// present, missing, not_read, or newer (than the latest completed run).
    pub state: String,
    /// Whether another selection, which read its type to the end more recently than the scope of the list, saw it; null
    /// where none did.
    pub seen_since: Option<bool>,
    /// Whether it is assigned to anybody; null where it tells no assignments.
    pub assigned: Option<bool>,
    /// Facts of it that are kept.
    #[schema(value_type = Object)]
    pub meta: Map<String, Value>,
    /// When it was first seen.
    #[schema(format = DateTime)]
    pub first_seen_at: String,
    /// When it was last seen.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// When its content was last found changed.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

impl From<&ItemRow> for Item {
    fn from(row: &ItemRow) -> Self {
        let item = &row.item;
        Self {
            id: item.id.to_string(),
            policy_type: item.policy_type.clone(),
            external_id: item.external_id.clone(),
            display_name: item.display_name.clone(),
            category: item.category.to_string(),
            platform: item.platform.to_string(),
            state: row.state().to_owned(),
            seen_since: row.seen_since,
            assigned: item.assigned,
            meta: item.meta.clone(),
            first_seen_at: time(item.first_seen_at),
            last_seen_at: time(item.last_seen_at),
            changed_at: time(item.changed_at),
        }
    }
}

/// A type that was not read to the end, so that a list may lack items of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotRead {
    /// The key of the type.
    pub policy_type: String,
    /// Why, as a code.
    pub reason_code: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Items of it that are known all the same.
    pub known: u64,
    /// When it was last read to the end.
    #[schema(format = DateTime)]
    pub last_full_read_at: Option<String>,
}

impl From<&StoredNotRead> for NotRead {
    fn from(one: &StoredNotRead) -> Self {
        Self {
            policy_type: one.policy_type.clone(),
            reason_code: one.reason_code.map(|code| code.as_str().to_owned()),
            reason: one.reason.clone(),
            known: one.known,
            last_full_read_at: one.last_full_read_at.map(time),
        }
    }
}

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items {
    /// The items.
    pub items: Vec<Item>,
    /// What was not read to the end of that which the filter asks for: an item that is not listed may exist all the same.
    pub not_read: Vec<NotRead>,
    /// Where it is asked for changes: the types that were first read to their end only after that time. What changed in them
    /// before is not known.
    pub first_read_later: Vec<FirstRead>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// A type with the time since which its changes are known.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstRead {
    /// The key of the type.
    pub policy_type: String,
    /// When it was first read to its end.
    #[schema(format = DateTime)]
    pub first_read_at: String,
}

impl From<&StoredFirstRead> for FirstRead {
    fn from(one: &StoredFirstRead) -> Self {
        Self { policy_type: one.policy_type.clone(), first_read_at: time(one.at) }
    }
}

/// Assignments of an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct Assignments {
    /// Whether it is assigned to anybody; null where it tells no assignments, and then the list says nothing.
    pub assigned: Option<bool>,
    /// In the order of the object.
    pub items: Vec<Assignment>,
}

/// A version of a policy: one immutable capture of its full body.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its place among the versions of the object, from 1.
    pub number: u64,
    /// The name that the object had.
    pub display_name: String,
    /// When the object was read.
    #[schema(format = DateTime)]
    pub read_at: String,
    /// complete or partial.
    pub completeness: String,
    /// What is lacking, in words.
    pub lacks: Vec<String>,
    /// How many values are told by a fingerprint only.
    pub withheld: u64,
    /// The hash of its normalised content.
    pub content_hash: String,
}

impl From<&StoredVersion> for Version {
    fn from(version: &StoredVersion) -> Self {
        Self {
            id: version.id.to_string(),
            number: version.number,
            display_name: version.display_name.clone(),
            read_at: time(version.read_at),
            completeness: version.completeness.as_str().to_owned(),
            lacks: version.lacks.iter().map(tenantatlas_domain::body::Lack::words).collect(),
            withheld: version.withheld,
            content_hash: version.content_hash.to_string(),
        }
    }
}

/// A page of versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// Newest first.
    pub items: Vec<Version>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// A version with its body.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionBody {
    /// The version.
    pub version: Version,
    /// The object with all that was read of it. In place of credentials stands a mark.
    #[schema(value_type = Object)]
    pub body: Value,
    /// Where scripts were left out and payloads were masked, as JSON pointers.
    pub left_out: Vec<String>,
}

/// What differs between two versions, setting by setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// The number of the older one.
    pub from: u64,
    /// The number of the newer one.
    pub to: u64,
    /// Whether nothing differs.
    pub same: bool,
    /// Settings, assignments, notes, what could not be compared, and how many were.
    #[schema(value_type = Object)]
    pub difference: Value,
}
