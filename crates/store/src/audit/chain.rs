//! The chain of hashes: how an entry is hashed, and the walk along all of them.

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::normalise::ContentHash;

use super::end::End;
use super::key::{AuditKey, AuditKeys, Point};
use super::{Entry, Problem, end};
use crate::database::{Access, Run as _};
use crate::sql::{args, without_escaped_nul};
use crate::{Db, StoreError, Tx};

/// Entries read at once.
const PAGE: i64 = 1_000;

/// The form of a context that comes back from either database as it went in.
pub(super) fn storable(context: &Json) -> Json {
    serde_json::from_str(&without_escaped_nul(context.to_string())).unwrap_or(Json::Null)
}

/// Everything in the entry but its own hash.
fn covered(entry: &Entry) -> Json {
    json!({
        "seq": entry.seq,
        "id": entry.id,
        "at": entry.at,
        "tenant_id": entry.tenant_id,
        "actor_id": entry.actor_id,
        "actor_kind": entry.actor_kind,
        "actor_name": entry.actor_name,
        "actor_email": entry.actor_email,
        "action": entry.action,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "outcome": entry.outcome,
        "context": entry.context,
        "previous_hash": entry.previous_hash,
    })
}

/// The hash of an entry.
pub(super) fn keyed_hash_of(entry: &Entry, key: &AuditKey) -> ContentHash {
    key.entry(&covered(entry))
}

/// The hash of an entry as versions before the thirteenth of the database made it: SHA-256 without a key.
pub(super) fn plain_hash_of(entry: &Entry) -> ContentHash {
    ContentHash(Sha256::digest(to_canonical_string(&covered(entry)).as_bytes()).into())
}

/// The numbers of the first and the last entry there are.
#[derive(FromRow)]
struct Range {
    lowest: i64,
    highest: i64,
}

/// Recomputes the whole chain, page by page, up to the first entry that breaks it, and looks at both seals. Answers the
/// end, and what is wrong.
pub(super) async fn walk(db: &Db, keys: &AuditKeys) -> Result<(Point, Vec<Problem>), StoreError> {
    let mut on = db;
    // The entries before the end: whoever appends meanwhile makes the end grow with them.
    let range: Option<Range> =
        on.row("SELECT COALESCE(MIN(seq), 1) AS lowest, COALESCE(MAX(seq), 0) AS highest FROM audit_logs", &[]).await?;
    let end = end::read(db, keys).await?;
    let mut problems = Vec::new();
    if end.installation().is_none() {
        problems.push(Problem::of_log(
            "the seal over the entries of earlier versions is missing or was not made with this key: where the root key was \
             replaced on purpose, `tenantatlas audit reseal` seals the log under the new one",
        ));
    } else if end.sound().is_none() {
        problems.push(Problem::of_log(
            "the seal of its end was not made with this key: entries were cut off at the end, or written by another program",
        ));
    }
    if range.as_ref().is_some_and(|range| range.lowest < 1) {
        problems.push(Problem::of_log("it holds an entry before the first one"));
    }
    if let Some(beyond) = range.map(|range| range.highest).filter(|highest| *highest > end.point.seq) {
        problems.push(Problem::of_entry(beyond, "lies beyond the end of the log"));
    }
    let key = end.key.as_ref().unwrap_or(&keys.current);
    problems.extend(first_break(db, key, &end).await?);
    Ok((end.point, problems))
}

/// A hash over all entries up to `end` as they are, and what is wrong with the way they follow one another. Their own hashes
/// are not recomputed: another key made them.
pub(super) async fn former(db: &Db, end: Point) -> Result<(Former, Option<Problem>), StoreError> {
    let mut former = Former::default();
    let problem = each(db, Point::START, end, |entry, _| {
        former.add(entry);
        Ok(entry.hash)
    })
    .await?;
    Ok((former, problem))
}

/// Adds the entries between two places, which `key` made, and tells the first that is not as it was written.
pub(super) async fn add_to(
    former: &mut Former,
    tx: &mut Tx,
    key: &AuditKey,
    after: Point,
    end: Point,
) -> Result<Option<Problem>, StoreError> {
    each(tx, after, end, |entry, _| {
        former.add(entry);
        Ok(keyed_hash_of(entry, key))
    })
    .await
}

/// One hash over many entries, each with its own.
#[derive(Default)]
pub(super) struct Former(Sha256);

impl Former {
    fn add(&mut self, entry: &Entry) {
        // The canonical form of JSON holds no zero byte, so that no two lists of entries give the same bytes.
        self.0.update(to_canonical_string(&covered(entry)).as_bytes());
        self.0.update([0]);
        self.0.update(entry.hash.0);
    }

    pub(super) fn hash(&self) -> ContentHash {
        ContentHash(self.0.clone().finalize().into())
    }
}

/// The first entry that is not as it was written, or is missing.
async fn first_break(db: &Db, key: &AuditKey, end: &End) -> Result<Option<Problem>, StoreError> {
    let (plain, sealed) = end.boundary.as_ref().map_or((Point::START, None), |one| (one.plain, one.former));
    let mut former = Former::default();
    each(db, Point::START, end.point, |entry, seq| {
        if seq > plain.seq {
            return Ok(keyed_hash_of(entry, key));
        }
        let Some(sealed) = sealed else {
            let hash = plain_hash_of(entry);
            let other = seq == plain.seq && hash == entry.hash && hash != plain.hash;
            let told = "is not the last one of earlier versions that was sealed";
            return if other { Err(Problem::of_entry(seq, told)) } else { Ok(hash) };
        };
        former.add(entry);
        if seq == plain.seq && (entry.hash != plain.hash || former.hash() != sealed) {
            let told = format!("entries 1 to {seq} are not those that were there when the root key was replaced");
            return Err(Problem::of_log(told));
        }
        Ok(entry.hash)
    })
    .await
}

/// Walks along all entries after one place and up to another, page by page, and tells the first that is missing, does not follow the one before
/// it, or has another hash than `hash` answers for it and its number.
async fn each(
    mut on: impl Access,
    mut last: Point,
    end: Point,
    mut hash: impl FnMut(&Entry, i64) -> Result<ContentHash, Problem>,
) -> Result<Option<Problem>, StoreError> {
    while last.seq < end.seq {
        let page: Vec<Entry> = on
            .rows(
                "SELECT * FROM audit_logs WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
                &args![last.seq, end.seq, PAGE],
            )
            .await?;
        if page.is_empty() {
            return Ok(Some(Problem::of_entry(last.seq + 1, "is missing")));
        }
        for entry in page {
            let seq = last.seq + 1;
            let problem = if entry.seq != seq {
                Problem::of_entry(seq, "is missing")
            } else if entry.previous_hash != last.hash {
                Problem::of_entry(seq, "does not follow the entry before it")
            } else {
                match hash(&entry, seq) {
                    Ok(hash) if hash == entry.hash => {
                        last = Point { seq, hash };
                        continue;
                    }
                    Ok(_) => Problem::of_entry(seq, "was changed"),
                    Err(problem) => problem,
                }
            };
            return Ok(Some(problem));
        }
    }
    Ok((last != end).then(|| Problem::of_entry(last.seq, "is not the one that was written last")))
}
