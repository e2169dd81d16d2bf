//! Policies whose settings are to be searched: which are due, and what is written for one.

use std::borrow::Cow;
use std::collections::HashMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, VersionId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::{PLACE_BITS, keys};
use crate::bulk::InsertRows;
use crate::database::{Access, Run as _};
use crate::policies::Mark;
use crate::record::Nullable;
use crate::sql::{Statement, Value, args};
use crate::{StoreError, Tx, dialect};

/// Rows of one table that are deleted in one transaction, at most.
const PIECE: i64 = 2_000;
/// Definitions of one question, at most.
const AT_ONCE: usize = 500;

const LINES: InsertRows = InsertRows {
    table: "setting_lines",
    columns: Cow::Borrowed(&["tenant_id", "line", "key_id", "value", "held", "since_at", "since_number", "sealed"]),
    on_conflict: Cow::Borrowed("(tenant_id, line) DO NOTHING"),
};

const WORDS: InsertRows = InsertRows {
    table: "setting_words",
    columns: Cow::Borrowed(&["tenant_id", "word", "line"]),
    on_conflict: Cow::Borrowed("(tenant_id, word, line) DO NOTHING"),
};

/// A policy whose settings are to be searched.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Document {
    /// Its number.
    pub id: i64,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of the type.
    pub policy_type: String,
    /// The id Microsoft gave the policy.
    pub external_id: String,
    /// Its latest version.
    #[sqlx(try_from = "Uuid")]
    pub version_id: VersionId,
    /// The version whose settings are searched.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub indexed_id: Option<VersionId>,
    /// The number of that version; 0 where there is none.
    #[sqlx(try_from = "i64")]
    pub indexed_number: u64,
    /// The rules by which its settings were read.
    #[sqlx(try_from = "i64")]
    pub rules: u64,
}

/// The version from which a setting has its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// When that version was read.
    pub at: Timestamp,
    /// Its number.
    pub number: u64,
}

/// One setting of a policy.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// Which setting, by Microsoft's names.
    pub key: String,
    /// Equal for equal values of the setting; `None` where there is none.
    pub value: Option<Mark>,
    /// Equal for the same setting with the same value in another version.
    pub held: Mark,
    /// From which version on it has its value.
    pub since: Since,
    /// What is shown of it, sealed for the version.
    pub sealed: Vec<u8>,
    /// The words by which it is found.
    pub words: Vec<Mark>,
}

/// Policies that are due by now, of any tenant, those that are due longest first.
///
/// # Errors
/// When the database fails.
pub async fn due(mut on: impl Access, now: Timestamp, limit: u32) -> Result<Vec<Document>, StoreError> {
    on.rows(
        "SELECT d.*
         FROM setting_documents d
         JOIN tenants t ON t.id = d.tenant_id AND t.removed_at IS NULL
         WHERE d.due_at <= $1
         ORDER BY d.due_at, d.id LIMIT $2",
        &args![now, limit],
    )
    .await
}

/// Those of these policies of a type that are due.
///
/// # Errors
/// When the database fails.
pub async fn due_of(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_ids: &[String],
) -> Result<Vec<Document>, StoreError> {
    let mut statement = Statement::new("SELECT * FROM setting_documents");
    statement
        .push(
            " WHERE tenant_id = $1 AND policy_type = $2 AND due_at IS NOT NULL",
            args![tenant, policy_type.to_owned()],
        )
        .push_in(" AND external_id", external_ids);
    on.query(&statement).await
}

/// How many policies of a tenant wait for their settings to be searchable.
///
/// # Errors
/// When the database fails.
pub async fn pending(mut on: impl Access, tenant: TenantId) -> Result<u64, StoreError> {
    let count: Option<i64> = on
        .value(
            "SELECT COUNT(*) FROM setting_documents
             WHERE tenant_id = $1 AND (indexed_id IS NULL OR indexed_id <> version_id)",
            &args![tenant],
        )
        .await?;
    Ok(count.unwrap_or_default().unsigned_abs())
}

fn lines_of(document: i64) -> (i64, i64) {
    (document << PLACE_BITS, ((document + 1) << PLACE_BITS) - 1)
}

#[derive(FromRow)]
struct HeldRow {
    held: Vec<u8>,
    #[sqlx(try_from = "i64")]
    since_at: Timestamp,
    #[sqlx(try_from = "i64")]
    since_number: u64,
}

/// What the settings of a policy say that are searched now, and since when.
///
/// # Errors
/// When the database fails.
pub async fn held(mut on: impl Access, document: &Document) -> Result<HashMap<Mark, Since>, StoreError> {
    let (first, last) = lines_of(document.id);
    let rows: Vec<HeldRow> = on
        .rows(
            "SELECT held, since_at, since_number FROM setting_lines WHERE tenant_id = $1 AND line BETWEEN $2 AND $3",
            &args![document.tenant_id, first, last],
        )
        .await?;
    let known = rows.into_iter().filter_map(|row| {
        let held = Mark::try_from(row.held.as_slice()).ok()?;
        Some((held, Since { at: row.since_at, number: row.since_number }))
    });
    Ok(known.collect())
}

/// Makes the names of the settings of some lines known, before [`replace`] writes these: of all policies of a transaction at once,
/// so that two of them meet the names in one order.
///
/// # Errors
/// When the database fails.
pub async fn record_keys<'l>(tx: &mut Tx, lines: impl Iterator<Item = &'l NewLine> + Send) -> Result<(), StoreError> {
    let names: Vec<&str> = lines.map(|line| line.key.as_str()).collect();
    keys::record(tx, names.into_iter()).await
}

/// Puts the settings of the latest version of a policy in the place of those of before. Answers `false`, and has written
/// nothing, when another version is the latest by now, or the policy is gone with its tenant.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    tx: &mut Tx,
    document: &Document,
    (number, partial): (u64, bool),
    rules: u64,
    lines: &[NewLine],
    at: Timestamp,
) -> Result<bool, StoreError> {
    let lock = dialect::for_update(tx.backend());
    // Without the key of the tenant nothing of it is searched any more.
    let text = format!(
        "SELECT version_id FROM setting_documents
         WHERE id = $1 AND tenant_id = $2 AND EXISTS (SELECT 1 FROM policy_keys k WHERE k.tenant_id = $2){lock}"
    );
    let latest: Option<Uuid> = tx.value(sqlx::AssertSqlSafe(text), &args![document.id, document.tenant_id]).await?;
    if latest != Some(document.version_id.as_uuid()) {
        return Ok(false);
    }
    delete_lines(tx, document).await?;
    let (first, last) = lines_of(document.id);
    let (mut rows, mut words): (Vec<Value<'_>>, Vec<Value<'_>>) = (Vec::new(), Vec::new());
    for (line, new) in (first..=last).zip(lines) {
        rows.extend(args![
            document.tenant_id,
            line,
            keys::key_id(&new.key).0,
            new.value,
            new.held,
            new.since.at,
            new.since.number,
            new.sealed.as_slice()
        ]);
        for word in &new.words {
            words.extend(args![document.tenant_id, *word, line]);
        }
    }
    LINES.run(tx, &rows).await?;
    WORDS.run(tx, &words).await?;
    tx.execute(
        "UPDATE setting_documents
         SET indexed_id = version_id, indexed_number = $3, indexed_at = $4, rules = $5, settings = $6, partial = $7,
             due_at = NULL
         WHERE id = $1 AND tenant_id = $2",
        &args![document.id, document.tenant_id, number, at, rules, lines.len() as u64, partial],
    )
    .await?;
    Ok(true)
}

async fn delete_lines(tx: &mut Tx, document: &Document) -> Result<(), StoreError> {
    let (first, last) = lines_of(document.id);
    for text in [
        "DELETE FROM setting_words WHERE tenant_id = $1 AND line BETWEEN $2 AND $3",
        "DELETE FROM setting_lines WHERE tenant_id = $1 AND line BETWEEN $2 AND $3",
    ] {
        tx.execute(text, &args![document.tenant_id, first, last]).await?;
    }
    Ok(())
}

/// Makes a policy due at this moment, such as later where it could not be read.
///
/// # Errors
/// When the database fails.
pub async fn postpone(tx: &mut Tx, document: &Document, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE setting_documents SET due_at = $3 WHERE id = $1 AND tenant_id = $2",
        &args![document.id, document.tenant_id, until],
    )
    .await
    .map(|_| ())
}

/// Which names options of settings have, as a number that is another one after each change of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamesOfOptions(i64);

/// The names that options have now. Read before values are looked up by them, and again, after [`record_keys`], in the transaction
/// that writes the words of values: where it is another number then, what is written may be of before and stays due.
///
/// # Errors
/// When the database fails.
pub async fn names_of_options(mut on: impl Access) -> Result<NamesOfOptions, StoreError> {
    let sum: Option<i64> =
        on.value("SELECT CAST(COALESCE(SUM(options_at), 0) AS BIGINT) FROM setting_definitions", &[]).await?;
    Ok(NamesOfOptions(sum.unwrap_or_default()))
}

/// Makes policies due that have settings of these definitions, as far as their options were called otherwise at this moment:
/// values are found by these names. They stay searchable meanwhile. Of every tenant, since the catalogue is that of all.
///
/// # Errors
/// When the database fails.
pub async fn mark_renamed(tx: &mut Tx, definitions: &[String], at: Timestamp) -> Result<u64, StoreError> {
    let mut due = 0;
    // What is written at this moment under the names of before is seen by this transaction, or sees it.
    dialect::lock_names_of_settings(tx, dialect::Lock::Alone).await?;
    for ids in definitions.chunks(AT_ONCE) {
        let ids: Vec<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        let mut statement = Statement::new("SELECT id AS value FROM setting_definitions");
        statement.push(" WHERE options_at = $1", args![at]).push_in(" AND id", &ids);
        let renamed: Vec<String> = tx.values(statement.text(), statement.values()).await?;
        if renamed.is_empty() {
            continue;
        }
        let keys: Vec<i64> = renamed.iter().map(|id| keys::key_id(id).0).collect();
        let mut statement = Statement::new("UPDATE setting_documents");
        statement
            .push(
                " SET due_at = $1 WHERE due_at IS NULL AND id IN (SELECT l.line / 65536 FROM setting_lines l WHERE",
                args![at],
            )
            .push_in(" l.key_id", &keys)
            .push(")", []);
        due += tx.run(&statement).await?;
    }
    Ok(due)
}

/// Deletes the next piece of what was searched of a tenant that was removed. Answers whether there was any.
pub(crate) async fn purge_piece(tx: &mut Tx, tenant: TenantId) -> Result<bool, StoreError> {
    for text in [
        "DELETE FROM setting_words WHERE tenant_id = $1 AND line IN (
             SELECT line FROM setting_words WHERE tenant_id = $1 LIMIT $2)",
        "DELETE FROM setting_lines WHERE tenant_id = $1 AND line IN (
             SELECT line FROM setting_lines WHERE tenant_id = $1 LIMIT $2)",
        "DELETE FROM setting_documents WHERE tenant_id = $1 AND id IN (
             SELECT id FROM setting_documents WHERE tenant_id = $1 LIMIT $2)",
    ] {
        if tx.execute(text, &args![tenant, PIECE]).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
