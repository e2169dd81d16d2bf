//! Reading versions and their bodies.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value as Json;
use sqlx::FromRow;
use tenantatlas_domain::body::{Completeness, Lack};
use tenantatlas_domain::ids::{CaptureId, ItemId, TenantId, VersionId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::key::{Sealed, TenantKey};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args};

/// The longest list of versions that is answered at once.
const MOST: u32 = 500;

/// A version of a policy, without its body.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow)]
pub struct Version {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: VersionId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The key of the type.
    pub policy_type: String,
    /// The id Microsoft gave the object.
    pub external_id: String,
    /// Its place among the versions of the object, from 1.
    #[sqlx(try_from = "i64")]
    pub number: u64,
    /// The name that the object had.
    pub display_name: String,
    /// The version of Graph that it was read from.
    pub api_version: String,
    /// The collection that it was read from, below the version.
    pub collection: String,
    /// The own `@odata.type` of the object, without `#microsoft.graph.`; `None` where the collection holds one kind only.
    pub odata_type: Option<String>,
    /// Whether all of the object is in it.
    #[sqlx(try_from = "String")]
    pub completeness: Completeness,
    /// What is lacking.
    #[sqlx(json)]
    pub lacks: Vec<Lack>,
    /// The hash of its normalised content.
    #[sqlx(try_from = "Vec<u8>")]
    pub content_hash: ContentHash,
    /// The version of the normaliser that made it.
    #[sqlx(try_from = "i64")]
    pub normaliser_version: u32,
    /// How many settings it has at its first level, where it is a policy of settings.
    #[sqlx(try_from = "Nullable<i64>")]
    pub settings: Option<u64>,
    /// How many values of it are told by a fingerprint only.
    #[sqlx(try_from = "i64")]
    pub withheld: u64,
    /// When the object was read.
    #[sqlx(try_from = "i64")]
    pub read_at: Timestamp,
    /// The capture that read it.
    #[sqlx(try_from = "Uuid")]
    pub capture_id: CaptureId,
}

/// The latest version of an object, with what the inventory knew of the object when it was last read.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Head {
    /// The id Microsoft gave the object.
    pub external_id: String,
    /// The version.
    #[sqlx(try_from = "Uuid")]
    pub version_id: VersionId,
    /// Its number.
    #[sqlx(try_from = "i64")]
    pub number: u64,
    /// The content hash that the inventory had of the object.
    #[sqlx(try_from = "Vec<u8>")]
    pub item_hash: ContentHash,
    /// The version of the normaliser that made that.
    #[sqlx(try_from = "i64")]
    pub item_normaliser: u32,
    /// When the object was last read.
    #[sqlx(try_from = "i64")]
    pub checked_at: Timestamp,
    /// The capture that read it last, whether or not it made a version.
    #[sqlx(try_from = "Uuid")]
    pub capture_id: CaptureId,
}

/// A version, as far as a new body is compared with it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The version.
    pub version: Version,
    /// Its slots with the hashes of their normalised content.
    pub slots: Vec<(String, ContentHash)>,
}

/// A slot of a version, opened.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSlot {
    /// Its name; empty for the object itself.
    pub name: String,
    /// Its content.
    pub value: Json,
}

/// The objects of a type that the inventory knows, by our ids and in the order of their names. Sixteen bytes each: all of
/// them are answered at once, so that none is left out because its name changes meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn items_of_type(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
) -> Result<Vec<ItemId>, StoreError> {
    let ids: Vec<Uuid> = on
        .values(
            "SELECT id FROM inventory_items WHERE tenant_id = $1 AND policy_type = $2 ORDER BY name_key, id",
            &args![tenant, policy_type],
        )
        .await?;
    Ok(ids.into_iter().map(ItemId::from_uuid).collect())
}

/// Those of the picked objects of a type that the inventory knows, by the ids Microsoft gave them.
///
/// # Errors
/// When the database fails.
pub async fn items_by_id(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_ids: &[String],
) -> Result<Vec<ItemId>, StoreError> {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT id AS value FROM inventory_items WHERE tenant_id = $1 AND policy_type = $2",
            args![tenant, policy_type.to_owned()],
        )
        .push_in(" AND external_id", external_ids);
    let ids: Vec<Uuid> = on.values(statement.text(), statement.values()).await?;
    Ok(ids.into_iter().map(ItemId::from_uuid).collect())
}

/// The versions of an object, newest first: those before a number, 500 at most.
///
/// # Errors
/// When the database fails.
pub async fn versions_of(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Version>, StoreError> {
    let before = before.unwrap_or(i64::MAX.unsigned_abs());
    on.rows(
        "SELECT * FROM policy_versions
         WHERE tenant_id = $1 AND policy_type = $2 AND external_id = $3 AND number < $4
         ORDER BY number DESC LIMIT $5",
        &args![tenant, policy_type, external_id, before, limit.min(MOST)],
    )
    .await
}

/// One version of an object by its number.
///
/// # Errors
/// When the database fails.
pub async fn find_version(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
    number: u64,
) -> Result<Option<Version>, StoreError> {
    on.row(
        "SELECT * FROM policy_versions WHERE tenant_id = $1 AND policy_type = $2 AND external_id = $3 AND number = $4",
        &args![tenant, policy_type, external_id, number],
    )
    .await
}

/// The latest version of an object.
///
/// # Errors
/// When the database fails.
pub async fn latest_of(
    on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
) -> Result<Option<Version>, StoreError> {
    Ok(versions_of(on, tenant, policy_type, external_id, None, 1).await?.into_iter().next())
}

/// The latest versions of objects of a type, by the ids Microsoft gave them. Ask for some hundred at once.
///
/// # Errors
/// When the database fails.
pub async fn heads(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_ids: &[String],
) -> Result<HashMap<String, Head>, StoreError> {
    if external_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT * FROM policy_heads WHERE tenant_id = $1 AND policy_type = $2",
            args![tenant, policy_type.to_owned()],
        )
        .push_in(" AND external_id", external_ids);
    let heads: Vec<Head> = on.query(&statement).await?;
    Ok(heads.into_iter().map(|head| (head.external_id.clone(), head)).collect())
}

#[derive(FromRow)]
struct SlotHash {
    version_id: Uuid,
    slot: String,
    #[sqlx(try_from = "Vec<u8>")]
    content_hash: ContentHash,
}

/// The latest versions of objects of a type with the hashes of their slots, by the ids Microsoft gave the objects.
///
/// # Errors
/// When the database fails.
pub async fn known_of(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_ids: &[String],
) -> Result<HashMap<String, Known>, StoreError> {
    if external_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::new(
        "SELECT v.* FROM policy_heads h JOIN policy_versions v ON v.id = h.version_id AND v.tenant_id = h.tenant_id",
    );
    statement
        .push(" WHERE h.tenant_id = $1 AND h.policy_type = $2", args![tenant, policy_type.to_owned()])
        .push_in(" AND h.external_id", external_ids);
    let versions: Vec<Version> = on.query(&statement).await?;
    let ids: Vec<Uuid> = versions.iter().map(|version| version.id.as_uuid()).collect();
    let mut statement = Statement::default();
    statement
        .push("SELECT version_id, slot, content_hash FROM policy_version_slots WHERE tenant_id = $1", args![tenant])
        .push_in(" AND version_id", &ids);
    let slots: Vec<SlotHash> = if ids.is_empty() { Vec::new() } else { on.query(&statement).await? };
    let mut by_version: HashMap<Uuid, Vec<(String, ContentHash)>> = HashMap::new();
    for SlotHash { version_id, slot, content_hash } in slots {
        by_version.entry(version_id).or_default().push((slot, content_hash));
    }
    let known = versions.into_iter().map(|version| {
        let slots = by_version.remove(&version.id.as_uuid()).unwrap_or_default();
        (version.external_id.clone(), Known { version, slots })
    });
    Ok(known.collect())
}

#[derive(FromRow)]
struct SealedRow {
    slot: String,
    address: Vec<u8>,
    codec: i64,
    dictionary: i64,
    plain_length: i64,
    sealed: Vec<u8>,
}

/// Opens the slots of a version, the object itself first.
///
/// # Errors
/// [`StoreError::Sealed`] when a body does not open, or the database fails.
pub async fn open_slots(
    mut on: impl Access,
    key: &TenantKey,
    tenant: TenantId,
    version: VersionId,
) -> Result<Vec<OpenSlot>, StoreError> {
    let rows: Vec<SealedRow> = on
        .rows(
            "SELECT s.slot, b.address, b.codec, b.dictionary, b.plain_length, b.sealed
             FROM policy_version_slots s
             JOIN policy_blobs b ON b.tenant_id = s.tenant_id AND b.address = s.address
             WHERE s.tenant_id = $1 AND s.version_id = $2
             ORDER BY s.slot",
            &args![tenant, version],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let sealed = Sealed {
                address: row.address.try_into().map_err(|_| StoreError::Sealed)?,
                codec: row.codec,
                dictionary: row.dictionary,
                plain_length: row.plain_length,
                bytes: row.sealed,
            };
            let plain = key.unpack(&sealed)?;
            let value = serde_json::from_slice(&plain).map_err(|_| StoreError::corrupt("a body"))?;
            Ok(OpenSlot { name: row.slot, value })
        })
        .collect()
}
