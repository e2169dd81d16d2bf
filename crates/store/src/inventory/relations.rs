//! An item among others: what it refers to, what refers to it, and what stands on it through these.

use std::collections::HashMap;

use serde::Serialize;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::named;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::references::{TargetKind, Unnamed};
use tenantatlas_domain::sync::TypeOutcome;
use uuid::Uuid;

use super::dependants::{Dependants, dependants};
use super::item::ItemRow;
use super::links::{IncomingLink, IncomingPage, OutgoingLink, incoming, outgoing, referring};
use super::rows::rows;
use super::view::{ScopeView, TypeState};
use crate::StoreError;
use crate::reader::Readable;

named! {
    /// What is known of something that a reference leads to or comes from.
    pub enum Standing: UnknownStanding, "state of what is referred to" {
        /// It is there.
        Present = "present",
        /// Its type was read to the end and it was not there, or the directory does not have it any more.
        Missing = "missing",
        /// Its type was not read to the end, so that nothing can be said.
        NotRead = "not_read",
        /// Which object is meant cannot be told: no type is named, and no item or several have its id.
        NotKnown = "not_known",
        /// It is none of the objects that are read, such as a group.
        Outside = "outside",
    }
}

/// Something that an item refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outgoing {
    /// The reference.
    #[serde(flatten)]
    pub link: OutgoingLink,
    /// What is known of its target.
    pub state: Standing,
}

/// Something that refers to an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incoming {
    /// The reference.
    #[serde(flatten)]
    pub link: IncomingLink,
    /// What is known of the item that refers.
    pub state: Standing,
}

/// The relations of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relations {
    /// What it refers to, in the order of its references.
    pub references: Vec<Outgoing>,
    /// Further references that it has and that are not kept.
    pub references_omitted: u64,
    /// What refers to it: a page of some two hundred.
    pub referenced_by: Vec<Incoming>,
    /// The last item of that page, where there are more.
    pub referenced_by_next: Option<ItemId>,
    /// How many items refer to it, ten thousand at most.
    pub referenced_by_count: u64,
    /// What stands on it.
    pub stands_on_this: Dependants,
    /// What is known of the items that stand on it.
    #[serde(skip)]
    pub states: HashMap<ItemId, Standing>,
}

impl Relations {
    /// Whether it refers to nothing and nothing refers to it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.references.is_empty() && self.referenced_by.is_empty() && self.references_omitted == 0
    }
}

/// The relations of an item in a view; of what refers to it the page behind an item.
///
/// # Errors
/// When the database fails.
pub async fn relations(
    db: &impl Readable,
    view: &ScopeView,
    row: &ItemRow,
    after: Option<ItemId>,
) -> Result<Relations, StoreError> {
    let (item, tenant) = (&row.item, view.tenant_id);
    let references = outgoing(db, tenant, item.id).await?;
    let IncomingPage { links: referenced_by, next } =
        incoming(db.database(), tenant, &item.policy_type, &item.external_id, after).await?;
    let referenced_by_count = referring(db.database(), tenant, &item.policy_type, &item.external_id).await?;
    let stands_on_this = dependants(db, tenant, item).await?;
    let targets = references.iter().filter_map(|link| link.target_item_id);
    let sources = referenced_by.iter().map(|link| link.source_item_id);
    let further = stands_on_this.items.iter().map(|one| one.item_id);
    let mut ids: Vec<Uuid> = targets.chain(sources).chain(further).map(ItemId::as_uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = rows(db.database(), view, &ids).await?;
    let states: HashMap<ItemId, Standing> = found.iter().map(|row| (row.item.id, standing_of(row))).collect();
    let state_of = |id: ItemId| states.get(&id).copied().unwrap_or(Standing::NotKnown);
    Ok(Relations {
        references: references
            .into_iter()
            .map(|link| {
                let state = link.target_item_id.map_or_else(|| standing_unseen(view, &link), state_of);
                Outgoing { link, state }
            })
            .collect(),
        references_omitted: u64::from(item.links_omitted),
        referenced_by: referenced_by
            .into_iter()
            .map(|link| Incoming { state: state_of(link.source_item_id), link })
            .collect(),
        referenced_by_next: next,
        referenced_by_count,
        stands_on_this,
        states,
    })
}

fn standing_of(row: &ItemRow) -> Standing {
    match row.presence {
        _ if row.newer_than_scope => Standing::Present,
        Presence::Present => Standing::Present,
        Presence::Missing { .. } => Standing::Missing,
        Presence::NotRead { .. } => Standing::NotRead,
    }
}

/// What is known of a target that the inventory does not hold. It is missing only where its type is known and was read to the
/// end.
fn standing_unseen(view: &ScopeView, link: &OutgoingLink) -> Standing {
    match (link.target_kind, link.target_policy_type.as_deref()) {
        (TargetKind::Item | TargetKind::Foundation, Some(key)) => {
            let outcome = view.types.get(key).and_then(TypeState::outcome);
            if outcome == Some(TypeOutcome::Succeeded) { Standing::Missing } else { Standing::NotRead }
        }
        (TargetKind::Item | TargetKind::Foundation | TargetKind::Unresolved | TargetKind::UnknownTarget, _) => {
            Standing::NotKnown
        }
        _ if link.unnamed == Some(Unnamed::Gone) => Standing::Missing,
        _ => Standing::Outside,
    }
}
