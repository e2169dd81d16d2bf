//! From the text of one object to what is known about it. Pure computing, run off the threads that wait for the network.

use serde_json::Value;
use sha2::{Digest, Sha256};
use tenantatlas_domain::normalise::{ContentHash, NORMALISER_VERSION, Normaliser};
use tenantatlas_domain::references;
use tenantatlas_domain::registry::{PolicyType, platform_of, revision_of};
use tenantatlas_domain::sanitise;
use tenantatlas_store::inventory::{ObservedItem, ObservedLink};

/// Version of the rules by which an answer counts as whole. With another one nothing that was concluded under the rules of
/// before is spared: details are read anew once.
const READING_VERSION: u8 = 2;

/// One object as it was read, without its body.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub policy_type: &'static PolicyType,
    pub item: ObservedItem,
}

/// An object that is not finished yet: reads below it are still to come.
#[derive(Debug)]
pub(crate) struct Row {
    pub policy_type: &'static PolicyType,
    pub external_id: String,
    pub parent_id: Option<String>,
    /// The hash of the text as it came.
    pub observation_hash: ContentHash,
    pub object: Value,
}

/// The content of a list row with its assignments, as a text that changes when either does. Equal text means that the
/// details need not be read again. `None` when the row states no revision, so that nothing can be concluded.
pub(crate) fn revision_key(normaliser: &Normaliser, row: &Row) -> Option<String> {
    let stated = revision_of(&row.object)?;
    let content = normaliser.content_hash(row.policy_type, &row.object);
    let mut hash = Sha256::new();
    hash.update(NORMALISER_VERSION.to_be_bytes());
    hash.update([READING_VERSION]);
    hash.update(content.0);
    hash.update(stated.as_bytes());
    Some(hex::encode(&hash.finalize()[..16]))
}

/// What is kept of an object that was read completely. Its links are kept whatever the selection: they are part of what
/// was read, and a run that did not want them looked up must not take them from one that did.
pub(crate) fn observe(normaliser: &Normaliser, row: Row, revision: Option<String>) -> Observed {
    let Row { policy_type, external_id, observation_hash, object, .. } = row;
    let edges = references::extract(policy_type, &object);
    Observed {
        policy_type,
        item: ObservedItem {
            external_id,
            display_name: sanitise::display_name_of(policy_type, &object),
            category: policy_type.category,
            platform: platform_of(policy_type, &object),
            meta: sanitise::meta_for(policy_type, &object),
            content_hash: normaliser.content_hash(policy_type, &object),
            normaliser_version: NORMALISER_VERSION,
            observation_hash,
            revision,
            links: edges.kept.iter().map(ObservedLink::from).collect(),
            links_omitted: edges.omitted,
        },
    }
}
