//! Objects that need not be read: they came with a list, or a sync has just seen them as they were when they were captured.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::registry::{PolicyType, Recipe};
use tenantatlas_domain::sanitise::META_ODATA_TYPE;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::ItemRow;
use tenantatlas_store::policies::Head;

use crate::graph_reads::reading_period;

/// How long what a sync saw spares reading an object again, in milliseconds: an hour where the capture follows a sync, which may have
/// begun long ago, and ten minutes where somebody asks for it, who wants to know what there is now.
const SEEN_FOR: [i64; 2] = [3_600_000, 600_000];

/// Objects, each by the hash of its type and id.
#[derive(Default)]
pub(super) struct Known {
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Known {
    pub(super) fn note(&mut self, policy_type: &PolicyType, id: &str) {
        self.hashes.insert(self.hasher.hash_one((policy_type.key, id)));
    }

    pub(super) fn has(&self, policy_type: &PolicyType, id: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one((policy_type.key, id)))
    }
}

/// Whether a sync has seen an object after it was last read whole, not long ago and with the same content, and reads all that its
/// body holds. As long as a sync may have spared its details, so long it is spared here.
pub(super) fn is_vouched_for(
    (policy_type, recipe): (&'static PolicyType, &Recipe),
    row: &ItemRow,
    head: &Head,
    (now, follows): (Timestamp, bool),
) -> bool {
    let item = &row.item;
    let seen_for = SEEN_FOR[usize::from(!follows)];
    let kind = item.meta.get(META_ODATA_TYPE).and_then(serde_json::Value::as_str);
    let period = |at| reading_period(&item.external_id, at);
    row.presence == Presence::Present
        && (head.item_hash, head.item_normaliser) == (item.content_hash, item.normaliser_version)
        && item.last_seen_at > head.checked_at
        && now.as_millis() - item.last_seen_at.as_millis() <= seen_for
        && period(head.checked_at) == period(now)
        && recipe.is_read_by_sync(policy_type, kind)
}
