//! Writing what a sync run observed, many items in one transaction.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::columns::{self, Content, NewRow};
use super::item::ObservedItem;
use super::{absences, links};
use crate::bulk::{InsertRows, WithList};
use crate::operation_runs::{Fence, hold};
use crate::sql::{Value, args};
use crate::sync_runs::{SyncRun, TypeRun};
use crate::{Db, StoreError, Tx, dialect};

const FIND_DETAILS: WithList = WithList {
    text: "SELECT i.id, i.content_hash, i.normaliser_version, i.links_digest, i.platform, i.name_key, i.changed_at,
               i.changed_seq,
               (SELECT MAX(s.read_no) FROM inventory_sightings s WHERE s.item_id = i.id) AS read_no
           FROM inventory_items i
           WHERE i.id IN (#)",
};

const KEEP_VERSION: WithList = WithList {
    text: "INSERT INTO inventory_item_versions (item_id, from_seq, until_seq, tenant_id, content_hash,
               normaliser_version, display_name, platform, meta, observed_at, settings_digest, assignments_digest)
           SELECT id, changed_seq, $1, tenant_id, content_hash, normaliser_version, display_name, platform,
               meta, changed_at, settings_digest, assignments_digest
           FROM inventory_items
           WHERE changed_seq < $1 AND id IN (#)
           ON CONFLICT (item_id, from_seq) DO NOTHING",
};

const SEE_AGAIN: WithList = WithList {
    text: "UPDATE inventory_sightings
           SET last_seq = $1, last_seen_at = $2, read_no = $4
           WHERE scope_id = $3 AND item_id IN (#)",
};

const SEE_FIRST: InsertRows = InsertRows {
    table: "inventory_sightings",
    columns: Cow::Borrowed(&["item_id", "scope_id", "since_seq", "last_seq", "last_seen_at", "read_no"]),
    on_conflict: Cow::Borrowed(
        "(item_id, scope_id) DO UPDATE
         SET last_seq = excluded.last_seq, last_seen_at = excluded.last_seen_at, read_no = excluded.read_no",
    ),
};

/// What a batch did. An item that a page repeats counts once in its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchResult {
    /// Items new to the tenant.
    pub inserted: u64,
    /// Items whose content changed.
    pub changed: u64,
    /// Items whose content is the same (some other column may have changed).
    pub unchanged: u64,
    /// Items that this run had seen before, in an earlier page or attempt.
    pub repeated: u64,
}

impl BatchResult {
    /// Items that this run sees for the first time.
    #[must_use]
    pub const fn fresh(&self) -> u64 {
        self.inserted + self.changed + self.unchanged - self.repeated
    }
}

#[derive(FromRow)]
struct Known {
    external_id: String,
    id: Uuid,
    row_digest: i64,
    last_seq: Option<i64>,
}

#[derive(FromRow)]
struct Details {
    id: Uuid,
    #[sqlx(try_from = "Vec<u8>")]
    content_hash: ContentHash,
    #[sqlx(try_from = "i64")]
    normaliser_version: u32,
    links_digest: i64,
    platform: String,
    name_key: String,
    #[sqlx(try_from = "i64")]
    changed_at: Timestamp,
    changed_seq: i64,
    /// The read that saw it last, of whatever scope; `None` when none is noted.
    read_no: Option<i64>,
}

/// An observed item with what its row will hold.
struct Prepared<'i> {
    content: Content<'i>,
    digest: i64,
    /// The id of the existing row, or of the new one.
    id: Uuid,
    /// The digest of the existing row; `None` when the item is new.
    stored_digest: Option<i64>,
    /// The last run of the scope that saw it.
    last_seq: Option<i64>,
}

/// Writes a batch of items of one type: new ones are inserted, changed ones updated with their earlier state kept as a
/// version, and all are noted as seen by this run. What a read that began later has seen keeps its content. The same batch twice changes nothing but when it was last seen.
/// Writes nothing when the worker lost its lease.
///
/// A batch of about 1,000 items costs least per item. A transaction may hold batches of several types, and ends of types
/// too: [`lock_types`] comes first then, so that two runs cannot wait for each other.
///
/// # Errors
/// [`StoreError::LeaseLost`]; [`StoreError::DiskFull`] and others when the database fails. Roll back then.
pub async fn write_batch(
    tx: &mut Tx,
    fence: &Fence,
    run: &SyncRun,
    type_run: &TypeRun,
    items: &[ObservedItem],
    at: Timestamp,
) -> Result<BatchResult, StoreError> {
    hold(tx, fence).await?;
    if items.is_empty() {
        return Ok(BatchResult::default());
    }
    let policy_type = type_run.policy_type.as_str();
    dialect::lock_type(tx, run.tenant_id.as_uuid(), policy_type).await?;
    dialect::prefer_indexes(tx).await?;
    let prepared = prepare(tx, run, policy_type, items).await?;

    let mut batch = Batch::new(run, type_run, at);
    batch.add_all(tx, &prepared).await?;
    let mut result = batch.write(tx).await?;
    write_sightings(tx, run, type_run, &prepared, at, &mut result).await?;
    tx.execute(
        "UPDATE inventory_sync_run_types
         SET items = items + $3, inserted = inserted + $4, changed = changed + $5
         WHERE run_id = $1 AND policy_type = $2",
        &args![run.id, policy_type, result.fresh(), result.inserted, result.changed],
    )
    .await?;
    Ok(result)
}

/// Locks types of a tenant in the order of their keys until the transaction ends. First statement of a transaction that
/// writes items or ends of several types: two runs of a tenant then wait for each other in one direction only. What it
/// locked may be locked again. On SQLite, which has one writer, there is nothing to do.
///
/// # Errors
/// When the database fails.
pub async fn lock_types(tx: &mut Tx, tenant: TenantId, policy_types: &BTreeSet<&str>) -> Result<(), StoreError> {
    for policy_type in policy_types {
        dialect::lock_type(tx, tenant.as_uuid(), policy_type).await?;
    }
    Ok(())
}

/// Takes fresh statistics after a run that inserted much, so that the databases do not plan for the smaller tables of
/// before. Takes a fraction of a second; worth it from about a thousand new items on.
///
/// # Errors
/// When the database fails. Nothing depends on it: log it and go on.
pub async fn refresh_statistics(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    dialect::analyse_inventory(&mut tx).await?;
    tx.commit().await
}

/// Looks up what is known of the items. Of items with the same id the last one counts.
async fn prepare<'i>(
    tx: &mut Tx,
    run: &SyncRun,
    policy_type: &str,
    items: &'i [ObservedItem],
) -> Result<Vec<Prepared<'i>>, StoreError> {
    let mut positions: HashMap<&str, usize> = HashMap::with_capacity(items.len());
    let mut prepared: Vec<Prepared<'i>> = Vec::with_capacity(items.len());
    for item in items {
        let content = Content::new(item)?;
        let digest = content.digest();
        let new = Prepared { content, digest, id: Uuid::nil(), stored_digest: None, last_seq: None };
        match positions.entry(item.external_id.as_str()) {
            Entry::Occupied(entry) => prepared[*entry.get()] = new,
            Entry::Vacant(entry) => {
                entry.insert(prepared.len());
                prepared.push(new);
            }
        }
    }
    let list: Vec<Value<'_>> = prepared.iter().map(|one| Value::from(one.content.item.external_id.as_str())).collect();
    let known: Vec<Known> =
        dialect::find_items(tx.backend()).rows(tx, &args![run.tenant_id, policy_type, run.scope_id.0], &list).await?;
    for row in known {
        if let Some(position) = positions.get(row.external_id.as_str()) {
            let one = &mut prepared[*position];
            one.id = row.id;
            one.stored_digest = Some(row.row_digest);
            one.last_seq = row.last_seq;
        }
    }
    for one in prepared.iter_mut().filter(|one| one.stored_digest.is_none()) {
        one.id = Uuid::now_v7();
    }
    Ok(prepared)
}

/// What a batch does, and the values of its statements.
struct Batch<'i> {
    run: &'i SyncRun,
    policy_type: &'i str,
    read_no: i64,
    at: Timestamp,
    result: BatchResult,
    /// How many more items (or, negative, fewer) each platform has afterwards.
    platforms: HashMap<String, i64>,
    /// Rows of items that are new or differ in any column.
    items: Vec<Value<'i>>,
    /// Ids of items whose content changed.
    versions: Vec<Value<'i>>,
    /// Ids of known items whose links differ.
    relinked: Vec<Value<'i>>,
    /// Rows of the links of these and of new items.
    links: Vec<Value<'i>>,
    /// Ids of known items whose name differs.
    renamed: Vec<Value<'i>>,
}

impl<'i> Batch<'i> {
    fn new(run: &'i SyncRun, type_run: &'i TypeRun, at: Timestamp) -> Self {
        Self {
            run,
            policy_type: &type_run.policy_type,
            read_no: type_run.read_no,
            at,
            result: BatchResult::default(),
            platforms: HashMap::new(),
            items: Vec::new(),
            versions: Vec::new(),
            relinked: Vec::new(),
            links: Vec::new(),
            renamed: Vec::new(),
        }
    }

    async fn add_all(&mut self, tx: &mut Tx, prepared: &'i [Prepared<'i>]) -> Result<(), StoreError> {
        let differing = prepared.iter().filter(|one| one.stored_digest.is_some_and(|digest| digest != one.digest));
        let ids: Vec<Value<'_>> = differing.map(|one| Value::from(one.id)).collect();
        let details: Vec<Details> = FIND_DETAILS.rows(tx, &[], &ids).await?;
        let details: HashMap<Uuid, Details> = details.into_iter().map(|row| (row.id, row)).collect();
        for one in prepared {
            if one.stored_digest == Some(one.digest) {
                self.result.unchanged += 1;
            } else if let Some(stored) = details.get(&one.id) {
                self.add_known(one, stored);
            } else {
                self.add_new(one);
            }
        }
        Ok(())
    }

    fn add_new(&mut self, one: &'i Prepared<'i>) {
        self.result.inserted += 1;
        self.count(one.content.item.platform.as_str(), 1);
        self.add_links(one);
        self.add_row(one, self.run.seq, self.at);
    }

    fn add_known(&mut self, one: &'i Prepared<'i>, stored: &Details) {
        // A read that began later has seen it already: what this one knows of the content is older.
        if stored.read_no.is_some_and(|read_no| read_no > self.read_no) {
            self.result.unchanged += 1;
            return;
        }
        let item = one.content.item;
        if stored.links_digest != one.content.links_digest {
            self.relinked.push(one.id.into());
            self.add_links(one);
        }
        if stored.name_key != one.content.name_key {
            self.renamed.push(one.id.into());
        }
        if stored.platform != item.platform.as_str() {
            self.count(&stored.platform, -1);
            self.count(item.platform.as_str(), 1);
        }
        // Hashes of different normalisers say nothing about each other: no change is claimed.
        if stored.normaliser_version == item.normaliser_version && stored.content_hash != item.content_hash {
            self.result.changed += 1;
            self.versions.push(one.id.into());
            self.add_row(one, self.run.seq.max(stored.changed_seq), self.at);
        } else {
            self.result.unchanged += 1;
            self.add_row(one, stored.changed_seq, stored.changed_at);
        }
    }

    fn add_links(&mut self, one: &'i Prepared<'i>) {
        let Content { item, name_key, .. } = &one.content;
        let source = links::Source { tenant: self.run.tenant_id, id: one.id, policy_type: self.policy_type, name_key };
        links::push_rows(&mut self.links, source, &item.links);
    }

    fn count(&mut self, platform: &str, difference: i64) {
        *self.platforms.entry(platform.to_owned()).or_default() += difference;
    }

    fn add_row(&mut self, one: &'i Prepared<'i>, changed_seq: i64, changed_at: Timestamp) {
        let row = NewRow {
            content: &one.content,
            digest: one.digest,
            id: one.id,
            tenant: self.run.tenant_id,
            policy_type: self.policy_type,
            seq: self.run.seq,
            at: self.at,
            changed_seq,
            changed_at,
        };
        self.items.extend(row.values());
    }

    /// Keeps the earlier state of what changed, inserts what is new, updates what differs, and counts.
    async fn write(self, tx: &mut Tx) -> Result<BatchResult, StoreError> {
        KEEP_VERSION.run(tx, &args![self.run.seq], &self.versions).await?;
        columns::upsert().run(tx, &self.items).await?;
        links::replace(tx, &self.relinked, &self.links).await?;
        absences::rename(tx, &self.renamed).await?;
        for (platform, difference) in self.platforms.into_iter().filter(|(_, difference)| *difference != 0) {
            tx.execute(
                "INSERT INTO inventory_counts (tenant_id, policy_type, platform, items)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (tenant_id, policy_type, platform)
                 DO UPDATE SET items = inventory_counts.items + excluded.items",
                &args![self.run.tenant_id, self.policy_type, platform, difference],
            )
            .await?;
        }
        Ok(self.result)
    }
}

/// Notes that the run saw the items, and in which earlier runs of the scope they were not seen.
async fn write_sightings(
    tx: &mut Tx,
    run: &SyncRun,
    type_run: &TypeRun,
    prepared: &[Prepared<'_>],
    at: Timestamp,
    result: &mut BatchResult,
) -> Result<(), StoreError> {
    let mut again: Vec<Value<'_>> = Vec::with_capacity(prepared.len());
    let mut first: Vec<Value<'_>> = Vec::new();
    let mut returned: Vec<(ItemId, i64)> = Vec::new();
    let mut appeared: Vec<Value<'_>> = Vec::new();
    for one in prepared {
        match one.last_seq {
            // An attempt that starts over is a read of its own, and notes that it saw the item too.
            Some(seq) if seq >= run.seq => {
                result.repeated += 1;
                again.push(one.id.into());
            }
            Some(seq) => {
                again.push(one.id.into());
                if type_run.previous_seq.is_some_and(|previous| seq < previous) {
                    returned.push((ItemId::from_uuid(one.id), seq));
                }
            }
            None => {
                let scope = run.scope_id.0.into();
                let read_no = type_run.read_no.into();
                first.extend([one.id.into(), scope, run.seq.into(), run.seq.into(), at.into(), read_no]);
                if one.stored_digest.is_some() {
                    appeared.push(one.id.into());
                }
            }
        }
    }
    SEE_AGAIN.run(tx, &args![run.seq, at, run.scope_id.0, type_run.read_no], &again).await?;
    SEE_FIRST.run(tx, &first).await?;
    absences::end(tx, run, &returned, &appeared).await
}
