//! What a dispatched capture carries with its operation run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::ids::CaptureId;
use tenantatlas_domain::registry::registry;

use super::label_of;

/// The payload of a `policies.capture` run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturePayload {
    /// The keys of the types that are read, in the order of the registry.
    pub types: Vec<String>,
    /// The ids that Microsoft gave the objects that were picked, by type; all that the inventory knows when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<BTreeMap<String, Vec<String>>>,
    /// Whether only those are read that the inventory has found changed since they were read last.
    #[serde(default)]
    pub changed: bool,
    /// The capture that a retry goes on with: what that has read is not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<CaptureId>,
}

impl CapturePayload {
    /// What a run is called.
    pub(super) fn name(&self) -> String {
        let types = || match self.types.as_slice() {
            [one] => label_of(one),
            types if registry().default_on().all(|known| types.iter().any(|key| key == known.key)) => {
                "Everything".to_owned()
            }
            types => format!("{} types", types.len()),
        };
        let picked = self.items.as_ref().map(|items| items.values().map(Vec::len).sum::<usize>());
        let what = match picked {
            Some(1) => "1 item".to_owned(),
            Some(count) => format!("{count} items"),
            None => types(),
        };
        match (self.continues, self.changed) {
            (Some(_), _) => format!("Retry of {what}"),
            (None, true) => format!("{what} that changed since"),
            (None, false) => what,
        }
    }

    /// The same for captures that do the same.
    pub(super) fn key(&self) -> String {
        let what = json!({"types": self.types, "items": self.items, "changed": self.changed});
        hex::encode(Sha256::digest(to_canonical_string(&what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_called_by_what_it_reads() {
        let of = |types: &[&str]| CapturePayload {
            types: types.iter().map(|key| (*key).to_owned()).collect(),
            ..CapturePayload::default()
        };
        let all: Vec<&str> = registry().all().iter().map(|known| known.key).collect();
        assert_eq!(of(&all).name(), "Everything");
        assert_eq!(of(&["mobileApp"]).name(), "Apps");
        assert_eq!(CapturePayload { changed: true, ..of(&all[..2]) }.name(), "2 types that changed since");
        assert_eq!(CapturePayload { changed: true, ..of(&all) }.name(), "Everything that changed since");
        let items = Some(BTreeMap::from([("mobileApp".to_owned(), vec!["a".to_owned(), "b".to_owned()])]));
        let picked = CapturePayload { items, ..of(&["mobileApp"]) };
        assert_eq!(picked.name(), "2 items");
        assert_ne!(picked.key(), of(&["mobileApp"]).key());
    }

    #[test]
    fn what_a_version_of_before_wrote_is_read() {
        let read: CapturePayload = serde_json::from_str(r#"{"types":["mobileApp"]}"#).unwrap();
        assert_eq!((read.changed, read.items, read.continues), (false, None, None));
    }
}
