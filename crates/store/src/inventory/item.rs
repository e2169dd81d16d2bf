//! What an item is, as observed and as stored.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, SyncRunId, TenantId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::references::{Reference, Relationship, TargetKind};
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::record::Nullable;

/// The longest name by which items are sorted and searched, in characters.
const MAX_NAME_KEY: usize = 200;

/// An object as a sync run observed it. Only allow-listed facts: what is handed in here is stored.
#[derive(Clone, Debug, FromRow)]
pub struct ObservedItem {
    /// The id Microsoft gave it.
    pub external_id: String,
    /// Its name.
    pub display_name: String,
    /// What its type is about.
    #[sqlx(try_from = "String")]
    pub category: Category,
    /// Its platform.
    #[sqlx(try_from = "String")]
    pub platform: Platform,
    /// Allow-listed facts, equal to their own sanitised form.
    #[sqlx(json)]
    pub meta: Map<String, Json>,
    /// The hash of the normalised content.
    #[sqlx(try_from = "Vec<u8>")]
    pub content_hash: ContentHash,
    /// The version of the normaliser that made it. Hashes of different versions are never compared.
    #[sqlx(try_from = "i64")]
    pub normaliser_version: u32,
    /// The hash of the bytes as received.
    #[sqlx(try_from = "Vec<u8>")]
    pub observation_hash: ContentHash,
    /// The hash of what was read per item; lets the next run keep it when `revision` is the same.
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    pub detail_hash: Option<ContentHash>,
    /// The revision that Graph gave it.
    pub revision: Option<String>,
    /// Its outgoing edges, at most 50.
    #[sqlx(skip)]
    pub links: Vec<ObservedLink>,
    /// How many more there are.
    #[sqlx(try_from = "i64")]
    pub links_omitted: u32,
}

/// An outgoing edge as observed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ObservedLink {
    /// What it means.
    #[sqlx(try_from = "String")]
    pub relationship: Relationship,
    /// What kind of thing it points to.
    #[sqlx(try_from = "String")]
    pub target_kind: TargetKind,
    /// The key of the target's policy type, when it is known.
    pub target_policy_type: Option<String>,
    /// The id Microsoft gave the target.
    pub target_external_id: String,
    /// The target's name, when the reference told it.
    pub last_known_name: Option<String>,
    /// Where it was found and what was said there, sanitised.
    pub raw: String,
}

impl From<&Reference> for ObservedLink {
    fn from(reference: &Reference) -> Self {
        Self {
            relationship: reference.relationship,
            target_kind: reference.target.kind,
            target_policy_type: reference.target.policy_type.map(str::to_owned),
            target_external_id: reference.target.external_id.clone(),
            last_known_name: None,
            raw: reference.raw.clone(),
        }
    }
}

impl ObservedItem {
    /// The name in the form in which items are sorted and searched.
    pub(super) fn name_key(&self) -> String {
        self.display_name
            .trim()
            .to_lowercase()
            .chars()
            .filter(|character| *character != '\0')
            .take(MAX_NAME_KEY)
            .collect()
    }

    pub(super) fn links_digest(&self) -> i64 {
        if self.links.is_empty() && self.links_omitted == 0 {
            return 0;
        }
        let mut digest = Digest::default();
        for link in &self.links {
            digest.text(link.relationship.as_str());
            digest.text(link.target_kind.as_str());
            digest.text(link.target_policy_type.as_deref().unwrap_or_default());
            digest.text(&link.target_external_id);
            digest.text(link.last_known_name.as_deref().unwrap_or_default());
            digest.text(&link.raw);
        }
        digest.number(u64::from(self.links_omitted));
        digest.finish()
    }

    /// Changes whenever a stored column would: 64 bits of a SHA-256.
    pub(super) fn row_digest(&self, meta: &str, links_digest: i64) -> i64 {
        let mut digest = Digest::default();
        digest.text(&self.display_name);
        digest.text(self.category.slug());
        digest.text(self.platform.as_str());
        digest.text(meta);
        digest.bytes(&self.content_hash.0);
        digest.bytes(&self.observation_hash.0);
        digest.bytes(self.detail_hash.as_ref().map_or(&[], |hash| &hash.0));
        digest.text(self.revision.as_deref().unwrap_or_default());
        digest.number(u64::from(self.normaliser_version));
        digest.number(links_digest.cast_unsigned());
        digest.finish()
    }
}

#[derive(Default)]
struct Digest(Sha256);

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn finish(self) -> i64 {
        let hash: [u8; 32] = self.0.finalize().into();
        hash.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }
}

/// An item as stored.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow)]
pub struct Item {
    /// Our id.
    #[sqlx(try_from = "Uuid")]
    pub id: ItemId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of its type.
    pub policy_type: String,
    /// The id Microsoft gave it.
    pub external_id: String,
    /// Its name.
    pub display_name: String,
    /// The slug of its category.
    pub category: String,
    /// The name of its platform.
    pub platform: String,
    /// Allow-listed facts.
    #[sqlx(json)]
    pub meta: Map<String, Json>,
    /// The hash of its normalised content.
    #[sqlx(try_from = "Vec<u8>")]
    pub content_hash: ContentHash,
    /// The version of the normaliser that made it.
    #[sqlx(try_from = "i64")]
    pub normaliser_version: u32,
    /// The revision that Graph gave it.
    pub revision: Option<String>,
    /// Outgoing edges beyond those kept.
    #[sqlx(try_from = "i64")]
    pub links_omitted: u32,
    /// When any run first saw it.
    #[sqlx(try_from = "i64")]
    pub first_seen_at: Timestamp,
    /// The number of that run.
    pub first_seen_seq: i64,
    /// When its content last changed, or it was first seen.
    #[sqlx(try_from = "i64")]
    pub changed_at: Timestamp,
    /// The number of the run that found that.
    pub changed_seq: i64,
    /// When any run last saw it.
    #[sqlx(try_from = "i64")]
    pub last_seen_at: Timestamp,
    /// That run.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub last_seen_run_id: Option<SyncRunId>,
}

/// The columns of [`Item`]; the item is `i`.
pub(super) const ITEM_COLUMNS: &str = "i.*,
    COALESCE((SELECT MAX(x.last_seen_at) FROM inventory_sightings x WHERE x.item_id = i.id), i.first_seen_at)
        AS last_seen_at,
    (SELECT r.id FROM inventory_sync_runs r WHERE r.tenant_id = i.tenant_id AND r.seq =
        (SELECT MAX(y.last_seq) FROM inventory_sightings y WHERE y.item_id = i.id)) AS last_seen_run_id";

/// An item in a view, with what the view's scope says about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemRow {
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// Whether it is there, relative to the scope of the view.
    pub presence: Presence,
    /// Whether the latest completed run of the scope found it new or changed.
    pub changed_in_last_run: bool,
    /// Whether it became known only after the latest completed run of the scope began: that run could not have seen it.
    pub newer_than_scope: bool,
}

impl ItemRow {
    /// The state in a word, for those that read files. What became known only after the latest completed run began could
    /// not be seen by it, so nothing is said of its absence.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.newer_than_scope { "newer" } else { self.presence.as_str() }
    }
}
