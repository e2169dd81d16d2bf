//! How an item is written: from the one list of its columns ([`COLUMNS`]) come the statement, the values of its rows, and
//! the digest by which an unchanged row is told from one to be updated.

use std::borrow::Cow;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::FilterMode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::item::{COLUMNS, ObservedItem};
use crate::StoreError;
use crate::bulk::InsertRows;
use crate::sql::{Value, without_escaped_nul};

/// What was observed of an item, in the form in which it is written.
pub(super) struct Content<'i> {
    pub(super) item: &'i ObservedItem,
    pub(super) name_key: String,
    pub(super) links_digest: i64,
    pub(super) meta: Box<RawValue>,
}

/// A row of `inventory_items` to be written.
pub(super) struct NewRow<'i> {
    pub(super) content: &'i Content<'i>,
    /// See [`Content::digest`].
    pub(super) digest: i64,
    pub(super) id: Uuid,
    pub(super) tenant: TenantId,
    pub(super) policy_type: &'i str,
    /// The run that writes it, and when.
    pub(super) seq: i64,
    pub(super) at: Timestamp,
    /// The run that found its content new or changed, and when.
    pub(super) changed_seq: i64,
    pub(super) changed_at: Timestamp,
}

/// A column: its name, and its value for a row.
pub(super) enum Column {
    /// Says what was observed: part of the digest, and written again when that differs.
    Observed(&'static str, for<'i> fn(&'i Content<'i>) -> Value<'i>),
    /// Follows from what was observed: written again with it.
    Derived(&'static str, for<'i> fn(&NewRow<'i>) -> Value<'i>),
    /// Written when the item is new, and then left as it is.
    Once(&'static str, for<'i> fn(&NewRow<'i>) -> Value<'i>),
}

use Column::{Derived, Observed, Once};

impl Column {
    const fn name(&self) -> &'static str {
        match self {
            Observed(name, _) | Derived(name, _) | Once(name, _) => name,
        }
    }
}

/// The statement that inserts items, and of those that are there already updates the ones whose digest differs.
pub(super) fn upsert() -> InsertRows {
    let updated = COLUMNS.iter().filter(|column| !matches!(column, Once(..)));
    let updates: Vec<String> =
        updated.map(|column| format!("{name} = excluded.{name}", name = column.name())).collect();
    let on_conflict = format!(
        "(tenant_id, policy_type, external_id)
         DO UPDATE SET {}
         WHERE inventory_items.row_digest <> excluded.row_digest",
        updates.join(", ")
    );
    InsertRows {
        table: "inventory_items",
        columns: COLUMNS.iter().map(Column::name).collect(),
        on_conflict: Cow::Owned(on_conflict),
    }
}

impl<'i> NewRow<'i> {
    /// The values in the order of the columns of [`upsert`].
    pub(super) fn values(&self) -> impl Iterator<Item = Value<'i>> {
        COLUMNS.iter().map(|column| match column {
            Observed(_, value) => value(self.content),
            Derived(_, value) | Once(_, value) => value(self),
        })
    }
}

impl<'i> Content<'i> {
    pub(super) fn new(item: &'i ObservedItem) -> Result<Self, StoreError> {
        let meta = serde_json::to_string(&item.meta).map_err(|_| StoreError::corrupt("meta"))?;
        let meta = RawValue::from_string(without_escaped_nul(meta)).map_err(|_| StoreError::corrupt("meta"))?;
        let name_key = item.name_key();
        Ok(Self { item, links_digest: links_digest(item, &name_key), name_key, meta })
    }

    /// Changes whenever an observed column would: 64 bits of a SHA-256.
    pub(super) fn digest(&self) -> i64 {
        let mut digest = Digest::default();
        for column in &COLUMNS {
            if let Observed(_, value) = column {
                digest.value(&value(self));
            }
        }
        digest.finish()
    }
}

/// Changes whenever a stored link would, which holds the name of its item too; 0 when there are none.
fn links_digest(item: &ObservedItem, name_key: &str) -> i64 {
    if item.links.is_empty() && item.links_omitted == 0 {
        return 0;
    }
    let mut digest = Digest::default();
    digest.text(name_key);
    for link in &item.links {
        digest.text(link.relationship.as_str());
        digest.text(link.target_kind.as_str());
        digest.text(link.target_policy_type.as_deref().unwrap_or_default());
        digest.text(&link.target_external_id);
        digest.text(link.last_known_name.as_deref().unwrap_or_default());
        digest.text(&link.raw);
        digest.text(link.filter_id.as_deref().unwrap_or_default());
        digest.text(link.filter_mode.map_or("", FilterMode::as_str));
    }
    digest.number(i64::from(item.links_omitted));
    digest.finish()
}

#[derive(Default)]
struct Digest(Sha256);

impl Digest {
    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Number(number) => self.number(number.unwrap_or_default()),
            Value::Bool(value) => self.number(value.map_or(-1, i64::from)),
            Value::Text(text) => self.text(text.as_deref().unwrap_or_default()),
            Value::Uuid(id) => self.bytes(id.unwrap_or_default().as_bytes()),
            Value::Bytes(bytes) => self.bytes(bytes.as_deref().unwrap_or_default()),
            Value::Json(json) => self.text(json.as_ref().map_or("", |json| json.raw().0.get())),
            // No column holds a list.
            Value::Ids(_) | Value::Numbers(_) => {}
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn finish(self) -> i64 {
        let hash: [u8; 32] = self.0.finalize().into();
        hash.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }
}
