//! From the text of one object to what is known about it. Pure computing, run off the threads that wait for the network.

use serde_json::Value;
use sha2::{Digest, Sha256};
use tenantatlas_domain::normalise::{ContentHash, NORMALISER_VERSION, Normaliser};
use tenantatlas_domain::registry::{Detail, PolicyType, platform_of, revision_of};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_domain::{references, sanitise};
use tenantatlas_store::inventory::{ObservedItem, ObservedLink};

use crate::graph_reads::below::Unfinished;
use crate::graph_reads::reading_period;

/// Version of the rules by which an answer counts as whole. With another one nothing that was concluded under the rules of
/// before is spared: details are read anew once.
const READING_VERSION: u8 = 4;

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

impl Unfinished for Row {
    fn policy_type(&self) -> &'static PolicyType {
        self.policy_type
    }

    fn path(&self) -> Option<String> {
        self.policy_type.item_path(self.parent_id.as_deref(), &self.external_id)
    }

    fn details(&self) -> Vec<&'static Detail> {
        self.policy_type.details.iter().collect()
    }

    fn object(&self) -> &Value {
        &self.object
    }

    fn object_mut(&mut self) -> &mut Value {
        &mut self.object
    }
}

/// The content of a list row with its assignments, as a text that changes when either does. Equal text means that the
/// details need not be read again in this period. `None` when the row states no revision, so that nothing can be concluded.
pub(crate) fn revision_key(normaliser: &Normaliser, row: &Row, now: Timestamp) -> Option<String> {
    let stated = revision_of(&row.object)?;
    let content = normaliser.content_hash(row.policy_type, &row.object);
    let mut hash = Sha256::new();
    hash.update(NORMALISER_VERSION.to_be_bytes());
    hash.update([READING_VERSION]);
    hash.update(content.0);
    hash.update(reading_period(&row.external_id, now).to_be_bytes());
    hash.update(stated.as_bytes());
    Some(hex::encode(&hash.finalize()[..16]))
}

/// What is kept of an object that was read completely. Its links are kept whatever the selection: they are part of what
/// was read, and a run that did not want them looked up must not take them from one that did.
pub(crate) fn observe(normaliser: &Normaliser, row: Row, revision: Option<String>) -> Observed {
    let Row { policy_type, external_id, observation_hash, object, .. } = row;
    let edges = references::extract(policy_type, &object);
    let (content_hash, parts) = normaliser.content_in_parts(policy_type, &object);
    Observed {
        policy_type,
        item: ObservedItem {
            external_id,
            display_name: sanitise::display_name_of(policy_type, &object),
            category: policy_type.category,
            platform: platform_of(policy_type, &object),
            meta: sanitise::meta_for(policy_type, &object),
            content_hash,
            normaliser_version: NORMALISER_VERSION,
            settings_digest: Some(parts.settings),
            assignments_digest: Some(parts.assignments),
            observation_hash,
            revision,
            links: edges.kept.iter().map(ObservedLink::from).collect(),
            links_omitted: edges.omitted,
            assigned: edges.assigned,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenantatlas_domain::registry::registry;

    use super::*;

    fn row(id: &str, version: u32) -> Row {
        let object = json!({"id": id, "displayName": "x", "version": version});
        Row {
            policy_type: registry().get("deviceManagementScript").unwrap(),
            external_id: id.to_owned(),
            parent_id: None,
            observation_hash: tenantatlas_domain::normalise::observation_hash(b"x"),
            object,
        }
    }

    #[test]
    fn an_unchanged_revision_spares_details_for_seven_days_and_no_longer_and_not_all_objects_at_once() {
        let normaliser = Normaliser::new(&[7; 32]);
        let begin = 1_800_000_000_000;
        let hour = 3_600_000;
        let key = |id: &str, hours: i64| {
            revision_key(&normaliser, &row(id, 1), Timestamp::from_millis(begin + hours * hour)).unwrap()
        };
        let mut turns = Vec::new();
        for number in 0..200 {
            let id = format!("object-{number}");
            let changes: Vec<i64> = (1..=168).filter(|hours| key(&id, hours - 1) != key(&id, *hours)).collect();
            assert_eq!(changes.len(), 1, "in any seven days it is read again once");
            turns.push(changes[0] / 24);
        }
        for day in 0..7 {
            let count = turns.iter().filter(|turn| **turn == day).count();
            assert!((10..60).contains(&count), "{count} of 200 objects on day {day}");
        }
        let other = revision_key(&normaliser, &row("object-1", 2), Timestamp::from_millis(begin)).unwrap();
        assert_ne!(key("object-1", 0), other);
    }
}
