//! Who did what: append-only, each entry chained to the one before (`docs/rules.md`, section Access, Audit).
//!
//! What shows tampering, from the inside out: triggers refuse changes; each entry carries a hash, keyed from the vault,
//! that covers the one before it; the end carries a seal made with the same key, so that nobody without it can cut
//! entries off and name another end; and the newest end is written down outside of the database, beside the key file by
//! every process and elsewhere by `audit anchor`, so that going back to an end that was sealed once shows as well.

mod anchor;
mod chain;
mod end;
mod guards;
mod key;
mod problem;
mod renewal;
mod verification;
mod witness;

pub use anchor::{Anchor, anchor};
pub(crate) use end::begin;
pub(crate) use key::AuditKey;
pub use key::{AuditKeys, Point};
pub use problem::Problem;
pub use renewal::{Resealed, reseal};
pub(crate) use renewal::{go_on_under, look_through};
pub use verification::{Verification, accept_restored, verify};
pub use witness::{Witnessed, remember, witness_path};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::named;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args, json, without_nul};
use crate::{StoreError, Tx, Vault};

/// The longest page of a list.
const MAX_PAGE: u32 = 500;

named! {
    /// How an action ended.
    pub enum Outcome: UnknownOutcome, "outcome of an action" {
        /// It was done.
        Success = "success",
        /// It failed.
        Failure = "failure",
        /// It was refused.
        Denied = "denied",
    }
}

/// A new entry.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The id (version 7); made by the caller, so that other records of the transaction can name it.
    pub id: Uuid,
    /// The tenant, when it concerns one.
    pub tenant_id: Option<TenantId>,
    /// The person, when it was one.
    pub actor_id: Option<UserId>,
    /// What kind of actor, such as `person`.
    pub actor_kind: String,
    /// The actor's name as it is now.
    pub actor_name: String,
    /// The actor's address as it is now.
    pub actor_email: String,
    /// What was done, such as `inventory.sync.dispatched`.
    pub action: String,
    /// To what kind of thing.
    pub resource_type: String,
    /// To which.
    pub resource_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Safe facts.
    pub context: Json,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct Entry {
    /// Its number, without gaps from 1.
    pub seq: i64,
    /// The id.
    pub id: Uuid,
    /// When.
    #[sqlx(try_from = "i64")]
    pub at: Timestamp,
    /// The tenant.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub tenant_id: Option<TenantId>,
    /// The person.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub actor_id: Option<UserId>,
    /// What kind of actor.
    pub actor_kind: String,
    /// The actor's name as it was then.
    pub actor_name: String,
    /// The actor's address as it was then.
    pub actor_email: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_type: String,
    /// To which.
    pub resource_id: String,
    /// How it ended.
    #[sqlx(try_from = "String")]
    pub outcome: Outcome,
    /// Safe facts.
    #[sqlx(json)]
    pub context: Json,
    /// The hash of the entry before.
    #[sqlx(try_from = "Vec<u8>")]
    pub previous_hash: ContentHash,
    /// The hash of this entry, which covers the one before.
    #[sqlx(try_from = "Vec<u8>")]
    pub hash: ContentHash,
}

/// Appends an entry. Do it last in the transaction: the end of the chain stays locked until the commit.
///
/// # Errors
/// [`StoreError::KeyReplaced`] when the key file does not have the key with which the log goes on; when the database fails.
pub async fn append(tx: &mut Tx, vault: &Vault, new: &NewEntry, at: Timestamp) -> Result<Entry, StoreError> {
    let mut keys = vault.audit_keys();
    let mut end = end::advance(tx, &keys).await?;
    if end.sound().is_none() {
        // Another process may have replaced the key.
        vault.refresh(&mut *tx).await?;
        keys = vault.audit_keys();
        end = end.under(&mut *tx, &keys).await?;
    }
    let key = end.key.as_ref().unwrap_or(&keys.current);
    if end.sound().is_none() {
        tracing::error!(
            after = end.point.seq,
            "the end of the audit log was changed outside of TenantAtlas: run `tenantatlas audit verify`"
        );
    }
    let mut entry = unhashed(new, end.point, at);
    entry.hash = chain::keyed_hash_of(&entry, key);
    insert(tx, &entry).await?;
    let seal = end.next_seal(key, Point { seq: entry.seq, hash: entry.hash });
    tx.execute("UPDATE audit_chain SET last_hash = $1, seal = $2 WHERE one = 1", &args![&entry.hash.0, &seal.0])
        .await?;
    Ok(entry)
}

/// Appends an entry as versions before the thirteenth of the database did, for tests of an upgrade.
///
/// # Errors
/// When the database fails, as it does from that version on.
#[cfg(feature = "testing")]
pub async fn append_without_key(tx: &mut Tx, new: &NewEntry, at: Timestamp) -> Result<Entry, StoreError> {
    let end: Option<(i64, Vec<u8>)> = tx
        .row("UPDATE audit_chain SET last_seq = last_seq + 1 WHERE one = 1 RETURNING last_seq, last_hash", &[])
        .await?;
    let (seq, hash) = end.ok_or_else(|| StoreError::corrupt("audit_chain"))?;
    let hash = hash.try_into().map_err(|_| StoreError::corrupt("audit_chain"))?;
    let end = Point { seq: seq - 1, hash };
    let mut entry = unhashed(new, end, at);
    entry.hash = chain::plain_hash_of(&entry);
    insert(tx, &entry).await?;
    tx.execute("UPDATE audit_chain SET last_hash = $1 WHERE one = 1", &args![&entry.hash.0]).await?;
    Ok(entry)
}

/// The entry that follows the end `before`, not yet with a hash of its own.
fn unhashed(new: &NewEntry, before: Point, at: Timestamp) -> Entry {
    Entry {
        seq: before.seq + 1,
        id: new.id,
        at,
        tenant_id: new.tenant_id,
        actor_id: new.actor_id,
        actor_kind: new.actor_kind.clone(),
        actor_name: without_nul(&new.actor_name).into_owned(),
        actor_email: without_nul(&new.actor_email).into_owned(),
        action: new.action.clone(),
        resource_type: new.resource_type.clone(),
        resource_id: without_nul(&new.resource_id).into_owned(),
        outcome: new.outcome,
        context: chain::storable(&new.context),
        previous_hash: before.hash,
        hash: before.hash,
    }
}

async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO audit_logs (seq, id, at, tenant_id, actor_id, actor_kind, actor_name, actor_email, action,
             resource_type, resource_id, outcome, context, previous_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &args![
            entry.seq,
            entry.id,
            entry.at,
            entry.tenant_id,
            entry.actor_id,
            entry.actor_kind.as_str(),
            entry.actor_name.as_str(),
            entry.actor_email.as_str(),
            entry.action.as_str(),
            entry.resource_type.as_str(),
            entry.resource_id.as_str(),
            entry.outcome.as_str(),
            json(&entry.context),
            &entry.previous_hash.0,
            &entry.hash.0
        ],
    )
    .await
    .map(|_| ())
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this tenant. `None` shows all: for platform administrators and the command line.
    pub tenant_id: Option<TenantId>,
    /// Only by this person.
    pub actor_id: Option<UserId>,
    /// Only this action, or with a `.` at the end, all that begin so.
    pub action: Option<String>,
    /// Only about this kind of thing.
    pub resource_type: Option<String>,
    /// Only about this thing.
    pub resource_id: Option<String>,
    /// Only at this time or later.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
    /// Only with a lower number.
    pub before_seq: Option<i64>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

/// Entries, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
    let mut statement = Statement::new("SELECT * FROM audit_logs WHERE 1 = 1");
    if let Some(tenant) = filter.tenant_id {
        statement.push(" AND tenant_id = $1", args![tenant]);
    }
    if let Some(actor) = filter.actor_id {
        statement.push(" AND actor_id = $1", args![actor]);
    }
    match filter.action.clone() {
        // Not by order: what lies between two texts is another thing in each collation of PostgreSQL.
        Some(prefix) if prefix.ends_with('.') => {
            statement.push(" AND substr(action, 1, length($1)) = $1", args![prefix]);
        }
        Some(action) => drop(statement.push(" AND action = $1", args![action])),
        None => {}
    }
    if let Some(resource_type) = filter.resource_type.clone() {
        statement.push(" AND resource_type = $1", args![resource_type]);
    }
    if let Some(resource_id) = filter.resource_id.clone() {
        statement.push(" AND resource_id = $1", args![resource_id]);
    }
    if let Some(from) = filter.from {
        statement.push(" AND at >= $1", args![from]);
    }
    if let Some(until) = filter.until {
        statement.push(" AND at < $1", args![until]);
    }
    if let Some(seq) = filter.before_seq {
        statement.push(" AND seq < $1", args![seq]);
    }
    statement.push(" ORDER BY seq DESC LIMIT $1", args![filter.limit.clamp(1, MAX_PAGE)]);
    on.query(&statement).await
}

/// An entry by its id, within a tenant if one is given.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: Option<TenantId>, id: Uuid) -> Result<Option<Entry>, StoreError> {
    let mut statement = Statement::default();
    statement.push("SELECT * FROM audit_logs WHERE id = $1", args![id]);
    if let Some(tenant) = tenant {
        statement.push(" AND tenant_id = $1", args![tenant]);
    }
    let found: Vec<Entry> = on.query(&statement).await?;
    Ok(found.into_iter().next())
}
