//! What an item is, as observed and as stored.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, SyncRunId, TenantId};
use tenantatlas_domain::item_name::is_unnamed;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::references::{FilterMode, Reference, Relationship, TargetKind};
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::assignment::Assignment;
use super::columns::Column::{self, Derived, Observed, Once};
use crate::record::Nullable;
use crate::sql::{JsonText, Value, without_nul};

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
    /// The digest of what it sets, and that of its assignments, by the same version; `None` where it was read before they were
    /// kept.
    pub settings_digest: Option<i64>,
    /// See [`ObservedItem::settings_digest`].
    pub assignments_digest: Option<i64>,
    /// The hash of the bytes as received.
    #[sqlx(try_from = "Vec<u8>")]
    pub observation_hash: ContentHash,
    /// Changes when a listing says something else about it; a run that lists the same reads no details again.
    pub revision: Option<String>,
    /// Its outgoing edges, at most 50.
    #[sqlx(skip)]
    pub links: Vec<ObservedLink>,
    /// How many more there are.
    #[sqlx(try_from = "i64")]
    pub links_omitted: u32,
    /// Whether it is assigned to anybody; `None` where it tells no assignments.
    pub assigned: Option<bool>,
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
    /// The id of the filter by which an assignment is narrowed.
    pub filter_id: Option<String>,
    /// What that filter does.
    #[sqlx(try_from = "Nullable<String>")]
    pub filter_mode: Option<FilterMode>,
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
            filter_id: reference.filter.as_ref().map(|filter| filter.id.clone()),
            filter_mode: reference.filter.as_ref().map(|filter| filter.mode),
            raw: reference.raw.clone(),
        }
    }
}

impl ObservedItem {
    /// The name in the form in which items are sorted and searched. Items without a name come last, by their ids.
    pub(super) fn name_key(&self) -> String {
        let unnamed = is_unnamed(&self.display_name, &self.external_id);
        let (mark, name) = if unnamed { ("\u{10ffff}", &self.external_id) } else { ("", &self.display_name) };
        format!("{mark}{}", name.trim())
            .to_lowercase()
            .chars()
            .filter(|character| *character != '\0')
            .take(MAX_NAME_KEY)
            .collect()
    }
}

/// The columns of `inventory_items` that a run writes. What is read is told by [`ObservedItem`] and [`Item`]; a new column
/// is a migration, a field in both, and a line here.
pub(super) const COLUMNS: [Column; 23] = [
    Once("id", |row| row.id.into()),
    Once("tenant_id", |row| row.tenant.into()),
    Once("policy_type", |row| row.policy_type.into()),
    Once("external_id", |row| row.content.item.external_id.as_str().into()),
    Observed("display_name", |content| Value::Text(Some(without_nul(&content.item.display_name)))),
    Derived("name_key", |row| row.content.name_key.as_str().into()),
    Observed("category", |content| content.item.category.slug().into()),
    Observed("platform", |content| content.item.platform.as_str().into()),
    Observed("meta", |content| Value::Json(Some(JsonText::Borrowed(&content.meta)))),
    Observed("content_hash", |content| (&content.item.content_hash.0).into()),
    Observed("settings_digest", |content| content.item.settings_digest.into()),
    Observed("assignments_digest", |content| content.item.assignments_digest.into()),
    Observed("observation_hash", |content| (&content.item.observation_hash.0).into()),
    Observed("revision", |content| content.item.revision.as_deref().into()),
    Observed("normaliser_version", |content| content.item.normaliser_version.into()),
    Derived("row_digest", |row| row.digest.into()),
    Observed("links_digest", |content| content.links_digest.into()),
    Observed("links_omitted", |content| content.item.links_omitted.into()),
    Observed("assigned", |content| content.item.assigned.into()),
    Once("first_seen_at", |row| row.at.into()),
    Once("first_seen_seq", |row| row.seq.into()),
    Derived("changed_at", |row| row.changed_at.into()),
    Derived("changed_seq", |row| row.changed_seq.into()),
];

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
    /// What the listing said about it when its details were last read, as a hash.
    pub revision: Option<String>,
    /// Outgoing edges beyond those kept.
    #[sqlx(try_from = "i64")]
    pub links_omitted: u32,
    /// Whether it is assigned to anybody; `None` where it tells no assignments.
    pub assigned: Option<bool>,
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
    /// Whom it is assigned to and whom not, in the order of the object.
    pub assignments: Vec<Assignment>,
    /// Whether the latest completed run of the scope found it new or changed.
    pub changed_in_last_run: bool,
    /// Whether it was found new or changed after the first read of its type, which is what everything is compared with.
    pub changed_since_known: bool,
    /// Whether it became known only after the latest completed run of the scope began: that run could not have seen it.
    pub newer_than_scope: bool,
    /// Whether another selection, which read its type to the end more recently, saw it; `None` where none did.
    pub seen_since: Option<bool>,
}

impl ItemRow {
    /// The state in a word, for those that read files. What became known only after the latest completed run began could
    /// not be seen by it, so nothing is said of its absence.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.newer_than_scope { "newer" } else { self.presence.as_str() }
    }

    /// What a more recent read of another selection says beside the state, in words; what is newer than the scope became
    /// known by that read, and its state says so.
    #[must_use]
    pub fn since_words(&self) -> Option<&'static str> {
        let seen = self.seen_since.filter(|_| !self.newer_than_scope)?;
        Some(match (self.presence, seen) {
            (Presence::Present, true) => "read again since",
            (Presence::Missing { .. }, false) => "read again since: still not there",
            (Presence::Missing { .. }, true) => "read again since: there",
            (Presence::Present, false) => "read again since: not there",
            (Presence::NotRead { .. }, true) => "read since: there",
            (Presence::NotRead { .. }, false) => "read since: not there",
        })
    }
}

/// Items for tests: `ObservedItem { links, ..ObservedItem::example("id", "Name") }`.
#[cfg(feature = "testing")]
mod examples {
    use tenantatlas_domain::normalise::observation_hash;

    use super::*;

    impl ObservedItem {
        /// A Windows configuration without links, whose content is its name.
        #[must_use]
        pub fn example(external_id: &str, display_name: &str) -> Self {
            Self {
                external_id: external_id.to_owned(),
                display_name: display_name.to_owned(),
                category: Category::Configuration,
                platform: Platform::Windows,
                meta: Map::new(),
                content_hash: observation_hash(display_name.as_bytes()),
                normaliser_version: 1,
                settings_digest: None,
                assignments_digest: None,
                observation_hash: observation_hash(display_name.as_bytes()),
                revision: None,
                links: Vec::new(),
                links_omitted: 0,
                assigned: None,
            }
        }
    }

    impl Item {
        /// What [`ObservedItem::example`] becomes when the first run of a tenant writes it.
        #[must_use]
        pub fn example(external_id: &str, display_name: &str) -> Self {
            let ObservedItem {
                category,
                platform,
                meta,
                content_hash,
                normaliser_version,
                revision,
                links_omitted,
                assigned,
                ..
            } = ObservedItem::example(external_id, display_name);
            let at = Timestamp::from_millis(1);
            Self {
                id: Uuid::from_u128(1).into(),
                tenant_id: Uuid::from_u128(2).into(),
                policy_type: "deviceConfiguration".to_owned(),
                external_id: external_id.to_owned(),
                display_name: display_name.to_owned(),
                category: category.slug().to_owned(),
                platform: platform.as_str().to_owned(),
                meta,
                content_hash,
                normaliser_version,
                revision,
                links_omitted,
                assigned,
                first_seen_at: at,
                first_seen_seq: 1,
                changed_at: at,
                changed_seq: 1,
                last_seen_at: at,
                last_seen_run_id: None,
            }
        }
    }
}
