//! What an item refers to, and what refers to it.

use serde::Serialize;
use tenantatlas_store::inventory::{Incoming, Outgoing};
use utoipa::ToSchema;

/// Something that an item refers to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reference {
    /// What the reference means, such as assigned_to or depends_on.
    pub relationship: String,
    /// The kind of the target, such as group or item.
    pub target_kind: String,
    /// The key of the policy type of the target, when it is known.
    pub target_policy_type: Option<String>,
    /// The id that Microsoft gave the target.
    pub target_external_id: String,
    /// The target in the inventory, when it is there.
    #[schema(format = "uuid")]
    pub target_item_id: Option<String>,
    /// The last known name of the target.
    pub name: Option<String>,
    /// What is known of the target: present, missing, not_read, not_known or outside.
    pub state: String,
}

impl From<&Outgoing> for Reference {
    fn from(Outgoing { link, state }: &Outgoing) -> Self {
        Self {
            relationship: link.relationship.as_str().to_owned(),
            target_kind: link.target_kind.as_str().to_owned(),
            target_policy_type: link.target_policy_type.clone(),
            target_external_id: link.target_external_id.clone(),
            target_item_id: link.target_item_id.map(|id| id.to_string()),
            name: link.name.clone(),
            state: state.as_str().to_owned(),
        }
    }
}

/// An item that refers to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Referrer {
    /// What the reference means.
    pub relationship: String,
    /// The item that refers.
    #[schema(format = "uuid")]
    pub item_id: String,
    /// The key of its policy type.
    pub policy_type: String,
    /// Its name.
    pub name: String,
    /// What is known of it: present, missing, not_read or not_known.
    pub state: String,
}

impl From<&Incoming> for Referrer {
    fn from(Incoming { link, state }: &Incoming) -> Self {
        Self {
            relationship: link.relationship.as_str().to_owned(),
            item_id: link.source_item_id.to_string(),
            policy_type: link.source_policy_type.clone(),
            name: link.source_name.clone(),
            state: state.as_str().to_owned(),
        }
    }
}

/// The relations of an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct Relations {
    /// What it refers to, in the order of its references.
    pub references: Vec<Reference>,
    /// How many further references it has that are not kept.
    pub references_omitted: u64,
    /// A page of what refers to it.
    pub referenced_by: Vec<Referrer>,
    /// How many items refer to it; more than ten thousand are not counted.
    pub referenced_by_count: u64,
    /// Where the next page of what refers to it begins; null on the last one.
    pub next: Option<String>,
}
