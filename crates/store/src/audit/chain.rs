//! The chain of hashes, and its verification.

use serde::Serialize;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::normalise::ContentHash;

use super::{End, Entry};
use crate::database::Run as _;
use crate::sql::{args, without_escaped_nul};
use crate::{Db, StoreError};

/// Entries read at once.
const PAGE: i64 = 1_000;

/// The form of a context that comes back from either engine as it went in.
pub(super) fn storable(context: &Json) -> Json {
    serde_json::from_str(&without_escaped_nul(context.to_string())).unwrap_or(Json::Null)
}

/// SHA-256 over the canonical JSON of everything in the entry but its own hash.
pub(super) fn hash_of(entry: &Entry) -> ContentHash {
    let covered = json!({
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
    });
    ContentHash(Sha256::digest(to_canonical_string(&covered).as_bytes()).into())
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verification {
    /// Every entry is as it was written, and none is missing.
    Intact {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last one. Kept elsewhere, it proves later that nothing was rewritten.
        last_hash: ContentHash,
    },
    /// The chain breaks.
    Broken {
        /// The number of the first entry that is not as it was written, or is missing.
        seq: i64,
        /// What is wrong with it.
        problem: String,
    },
}

/// Recomputes the whole chain, page by page, and reports the first entry that breaks it.
///
/// # Errors
/// When the database fails.
pub async fn verify(db: &Db) -> Result<Verification, StoreError> {
    let mut on = db;
    // The end first: entries appended meanwhile are beyond it and not looked at.
    let end: Option<End> = on.row("SELECT last_seq, last_hash FROM audit_chain WHERE one = 1", &[]).await?;
    let end = end.ok_or_else(|| StoreError::corrupt("audit_chain"))?;
    let mut previous = ContentHash([0; 32]);
    let mut seq = 0;
    loop {
        let page: Vec<Entry> = on
            .rows(
                "SELECT * FROM audit_logs WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
                &args![seq, end.seq, PAGE],
            )
            .await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            seq += 1;
            let problem = if entry.seq != seq {
                "is missing"
            } else if entry.previous_hash != previous {
                "does not follow the entry before it"
            } else if hash_of(&entry) != entry.hash {
                "was changed"
            } else {
                previous = entry.hash;
                continue;
            };
            return Ok(Verification::Broken { seq, problem: problem.to_owned() });
        }
    }
    if seq < end.seq {
        return Ok(Verification::Broken { seq: seq + 1, problem: "is missing".to_owned() });
    }
    if previous != end.hash {
        return Ok(Verification::Broken { seq, problem: "is not the one that was written last".to_owned() });
    }
    Ok(Verification::Intact { entries: seq, last_hash: previous })
}
