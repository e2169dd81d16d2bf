//! Writing what a capture read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tenantatlas_domain::body::{Completeness, Lack};
use tenantatlas_domain::ids::VersionId;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;

use super::captures::{Capture, CountedItems, count_items};
use super::key::Sealed;
use super::listing::heads;
use crate::bulk::InsertRows;
use crate::operation_runs::{Fence, hold};
use crate::sql::{Value, args, json, without_nul};
use crate::{StoreError, Tx, dialect};

const BLOBS: InsertRows = InsertRows {
    table: "policy_blobs",
    columns: Cow::Borrowed(&["tenant_id", "address", "codec", "dictionary", "plain_length", "sealed", "created_at"]),
    on_conflict: Cow::Borrowed("(tenant_id, address) DO NOTHING"),
};

const VERSIONS: InsertRows = InsertRows {
    table: "policy_versions",
    columns: Cow::Borrowed(&[
        "id",
        "tenant_id",
        "policy_type",
        "external_id",
        "number",
        "display_name",
        "api_version",
        "collection",
        "odata_type",
        "completeness",
        "lacks",
        "content_hash",
        "normaliser_version",
        "settings",
        "withheld",
        "read_at",
        "capture_id",
    ]),
    // Another version with this number is an error.
    on_conflict: Cow::Borrowed("(id) DO NOTHING"),
};

const SLOTS: InsertRows = InsertRows {
    table: "policy_version_slots",
    columns: Cow::Borrowed(&["version_id", "slot", "tenant_id", "address", "content_hash"]),
    on_conflict: Cow::Borrowed("(version_id, slot) DO NOTHING"),
};

const HEADS: InsertRows = InsertRows {
    table: "policy_heads",
    columns: Cow::Borrowed(&[
        "tenant_id",
        "policy_type",
        "external_id",
        "version_id",
        "number",
        "item_hash",
        "item_normaliser",
        "checked_at",
        "capture_id",
    ]),
    on_conflict: Cow::Borrowed(
        "(tenant_id, policy_type, external_id) DO UPDATE
         SET version_id = excluded.version_id, number = excluded.number, item_hash = excluded.item_hash,
             item_normaliser = excluded.item_normaliser, checked_at = excluded.checked_at,
             capture_id = excluded.capture_id",
    ),
};

const ITEMS: InsertRows = InsertRows {
    table: "policy_version_items",
    columns: Cow::Borrowed(&["version_id", "item_hash", "tenant_id"]),
    on_conflict: Cow::Borrowed("(version_id, item_hash) DO NOTHING"),
};

/// A new version is not searched until its settings are.
const DOCUMENTS: InsertRows = InsertRows {
    table: "setting_documents",
    columns: Cow::Borrowed(&["tenant_id", "policy_type", "external_id", "version_id", "due_at"]),
    on_conflict: Cow::Borrowed(
        "(tenant_id, policy_type, external_id) DO UPDATE SET version_id = excluded.version_id, due_at = excluded.due_at",
    ),
};

/// A slot of a new version.
#[derive(Clone, Debug)]
pub struct SealedSlot {
    /// Its name; empty for the object itself.
    pub name: String,
    /// The hash of its normalised content.
    pub content_hash: ContentHash,
    /// Its content.
    pub sealed: Sealed,
}

/// A version to be made.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Its id.
    pub id: VersionId,
    /// The name of the object.
    pub display_name: String,
    /// The version of Graph that it was read from.
    pub api_version: &'static str,
    /// The collection that it was read from, below the version.
    pub collection: String,
    /// The own `@odata.type` of the object.
    pub odata_type: Option<String>,
    /// Whether all of the object is in it.
    pub completeness: Completeness,
    /// What is lacking.
    pub lacks: Vec<Lack>,
    /// The hash of its normalised content.
    pub content_hash: ContentHash,
    /// The version of the normaliser that made the hashes.
    pub normaliser_version: u32,
    /// How many settings it has at its first level.
    pub settings: Option<u64>,
    /// How many values of it are told by a fingerprint only.
    pub withheld: u64,
    /// Its parts.
    pub slots: Vec<SealedSlot>,
}

/// An object that was read.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The id Microsoft gave it.
    pub external_id: String,
    /// What the inventory knew of it before it was read: its content hash, and the version of the normaliser of that.
    pub item: (ContentHash, u32),
    /// When it was read.
    pub read_at: Timestamp,
    /// The latest version that it was compared with.
    pub compared_with: Option<VersionId>,
    /// The version that it makes; `None` when its content is that of the latest.
    pub version: Option<NewVersion>,
}

/// Records objects of one type that a capture read, with the versions that they make, and counts them. Answers `false`, and
/// has written nothing, when one of them got another latest version meanwhile: compare anew.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn record(
    tx: &mut Tx,
    fence: &Fence,
    capture: &Capture,
    policy_type: &str,
    checked: &[Checked],
    counted: &CountedItems,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = capture.tenant_id;
    dialect::lock_type(tx, tenant.as_uuid(), policy_type).await?;
    hold(tx, fence).await?;
    let ids: Vec<String> = checked.iter().map(|one| one.external_id.clone()).collect();
    let known = heads(&mut *tx, tenant, policy_type, &ids).await?;
    let latest = |one: &Checked| known.get(&one.external_id).map(|head| head.version_id);
    if checked.iter().any(|one| latest(one) != one.compared_with) {
        return Ok(false);
    }
    let mut rows = Rows::default();
    for one in checked {
        let before = known.get(&one.external_id).map(|head| (head.version_id, head.number));
        let Some((version, number)) = rows.add_version(capture, policy_type, one, before) else { continue };
        if one.version.is_some() {
            rows.documents.extend(args![tenant, policy_type, &one.external_id, version, at]);
        }
        rows.heads.extend(args![
            tenant,
            policy_type,
            &one.external_id,
            version,
            number,
            one.item.0,
            one.item.1,
            one.read_at,
            capture.id
        ]);
        rows.items.extend(args![version, one.item.0, tenant]);
    }
    let blobs: Vec<Value<'_>> = rows.blobs.values().flat_map(|sealed| blob(capture, sealed, at)).collect();
    BLOBS.run(tx, &blobs).await?;
    VERSIONS.run(tx, &rows.versions).await?;
    SLOTS.run(tx, &rows.slots).await?;
    HEADS.run(tx, &rows.heads).await?;
    ITEMS.run(tx, &rows.items).await?;
    DOCUMENTS.run(tx, &rows.documents).await?;
    count_items(tx, capture, policy_type, counted).await?;
    Ok(true)
}

fn blob<'c>(capture: &Capture, sealed: &'c Sealed, at: Timestamp) -> [Value<'c>; 7] {
    [
        capture.tenant_id.into(),
        Value::Bytes(Some(Cow::Borrowed(&sealed.address))),
        sealed.codec.into(),
        sealed.dictionary.into(),
        sealed.plain_length.into(),
        Value::Bytes(Some(Cow::Borrowed(&sealed.bytes))),
        at.into(),
    ]
}

/// The values of the statements.
#[derive(Default)]
struct Rows<'c> {
    /// By their addresses, each once: several transactions insert the same ones, and must meet them in one order.
    blobs: BTreeMap<[u8; 32], &'c Sealed>,
    versions: Vec<Value<'c>>,
    slots: Vec<Value<'c>>,
    heads: Vec<Value<'c>>,
    items: Vec<Value<'c>>,
    documents: Vec<Value<'c>>,
}

impl<'c> Rows<'c> {
    /// Adds the version that an object makes, and answers which is its latest then. Without any there is nothing to note.
    fn add_version(
        &mut self,
        capture: &'c Capture,
        policy_type: &'c str,
        one: &'c Checked,
        before: Option<(VersionId, u64)>,
    ) -> Option<(VersionId, u64)> {
        let Some(version) = &one.version else { return before };
        let tenant = capture.tenant_id;
        let number = before.map_or(1, |(_, number)| number + 1);
        self.versions.extend([
            version.id.into(),
            tenant.into(),
            policy_type.into(),
            (&one.external_id).into(),
            number.into(),
            Value::Text(Some(without_nul(&version.display_name))),
            version.api_version.into(),
            (&version.collection).into(),
            version.odata_type.as_deref().into(),
            version.completeness.as_str().into(),
            json(&version.lacks),
            version.content_hash.into(),
            version.normaliser_version.into(),
            version.settings.into(),
            version.withheld.into(),
            one.read_at.into(),
            capture.id.into(),
        ]);
        for slot in &version.slots {
            let address = &slot.sealed.address;
            self.blobs.insert(*address, &slot.sealed);
            self.slots.extend([
                version.id.into(),
                (&slot.name).into(),
                tenant.into(),
                address.into(),
                slot.content_hash.into(),
            ]);
        }
        Some((version.id, number))
    }
}
