//! Opens everything that is sealed, and counts.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::AssertSqlSafe;
use tenantatlas_domain::ids::{TenantId, VersionId};
use uuid::Uuid;

use crate::database::Run as _;
use crate::policies::{SealedBlob, TenantKey};
use crate::record::Record;
use crate::sql::args;
use crate::vault::FORMER_FACT;
use crate::vault::sealed::{ALL, Place, RowKey, SealedSecret};
use crate::{Db, StoreError, Vault, facts};

/// Small values that are read at once.
const PAGE: usize = 500;
/// Bodies that are read at once.
const BODIES: usize = 32;

/// What is sealed of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// The kind, as a stable name.
    pub kind: &'static str,
    /// How many values there are.
    pub count: u64,
    /// How many of them do not open.
    pub not_opened: u64,
}

const BODY: &str = "policy_bodies";
const LINES: &str = "setting_lines";
const FORMER: &str = "former_keys";

impl Sealed {
    /// The kind in words.
    pub(super) fn what(&self) -> String {
        self.kind.replace('_', " ")
    }

    /// What is to be done where one does not open.
    pub(super) fn advice(&self) -> &'static str {
        match self.kind {
            "tenant_credentials" => "enter the credentials of those tenants again, or restore another backup",
            "second_factors" => {
                "restore another backup, or take the second factors away with `tenantatlas user` commands"
            }
            "endpoint_addresses" | "endpoint_secrets" => "remove those endpoints and add them again",
            "setting_lines" => "capture the policies again, or restore another backup",
            _ => "restore another backup: nothing else brings back what they hold",
        }
    }
}

#[derive(Default)]
struct Counts(BTreeMap<&'static str, Sealed>);

impl Counts {
    fn add(&mut self, kind: &'static str, opened: bool) {
        let of_kind = self.of(kind);
        of_kind.count += 1;
        of_kind.not_opened += u64::from(!opened);
    }

    fn of(&mut self, kind: &'static str) -> &mut Sealed {
        self.0.entry(kind).or_insert(Sealed { kind, count: 0, not_opened: 0 })
    }
}

pub(super) async fn open_all(db: &Db, vault: &Vault) -> Result<Vec<Sealed>, StoreError> {
    let mut counts = Counts::default();
    for place in ALL {
        counts.of(place.kind);
        if place.key_is_id {
            places::<Uuid>(db, vault, place, Uuid::nil(), &mut counts).await?;
        } else {
            places::<Vec<u8>>(db, vault, place, Vec::new(), &mut counts).await?;
        }
    }
    if let Some(fact) = facts::get(db, FORMER_FACT).await? {
        counts.add(FORMER, vault.ring().former_of(&fact).is_ok());
    }
    counts.of(BODY);
    counts.of(LINES);
    bodies(db, vault, &mut counts).await?;
    lines(db, vault, &mut counts).await?;
    Ok(counts.0.into_values().collect())
}

async fn places<K: RowKey>(
    db: &Db,
    vault: &Vault,
    place: &Place,
    mut after: K,
    counts: &mut Counts,
) -> Result<(), StoreError>
where
    (Uuid, K, Vec<u8>): Record,
{
    let mut on = db;
    let Place { table, column, key, owner_column, .. } = place;
    let text = format!(
        "SELECT {owner_column}, {key}, {column} FROM {table}
         WHERE {column} IS NOT NULL AND {key} > $1 ORDER BY {key} LIMIT {PAGE}"
    );
    loop {
        let rows: Vec<(Uuid, K, Vec<u8>)> = on.rows(AssertSqlSafe(text.clone()), &[after.value()]).await?;
        let is_last = rows.len() < PAGE;
        for (owner, key, sealed) in rows {
            counts.add(place.kind, vault.unseal(place, key.at(owner), &SealedSecret(sealed)).is_ok());
            after = key;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// The keys of tenants, one at a time: rows come in the order of their tenants.
struct Keys<'a> {
    db: &'a Db,
    vault: &'a Vault,
    last: Option<(Uuid, Option<TenantKey>)>,
}

impl Keys<'_> {
    /// `None` where there is none, or it does not open.
    async fn of(&mut self, tenant: Uuid) -> Result<Option<TenantKey>, StoreError> {
        if let Some((_, key)) = self.last.as_ref().filter(|(last, _)| *last == tenant) {
            return Ok(key.clone());
        }
        let key = match TenantKey::open(self.db, self.vault, TenantId::from_uuid(tenant)).await {
            Ok(key) => key,
            Err(StoreError::Sealed) => None,
            Err(error) => return Err(error),
        };
        self.last = Some((tenant, key.clone()));
        Ok(key)
    }
}

async fn bodies(db: &Db, vault: &Vault, counts: &mut Counts) -> Result<(), StoreError> {
    let mut on = db;
    let mut keys = Keys { db, vault, last: None };
    let text = format!(
        "SELECT tenant_id, address, codec, dictionary, plain_length, sealed FROM policy_blobs
         WHERE (tenant_id, address) > ($1, $2) ORDER BY tenant_id, address LIMIT {BODIES}"
    );
    let (mut tenant, mut address) = (Uuid::nil(), Vec::new());
    loop {
        let values = args![tenant, address.clone()];
        let rows: Vec<SealedBlob> = on.rows(AssertSqlSafe(text.clone()), &values).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        (tenant, address) = (last.tenant_id, last.address.clone());
        let is_last = rows.len() < BODIES;
        for row in rows {
            let opened = match keys.of(row.tenant_id).await? {
                None => false,
                // Opening takes the processor for as long as a body is large.
                Some(key) => tokio::task::spawn_blocking(move || row.opens_with(&key)).await.unwrap_or(false),
            };
            counts.add(BODY, opened);
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn lines(db: &Db, vault: &Vault, counts: &mut Counts) -> Result<(), StoreError> {
    let mut on = db;
    let mut keys = Keys { db, vault, last: None };
    let text = format!(
        "SELECT l.tenant_id, l.line, d.indexed_id, l.sealed FROM setting_lines l
         LEFT JOIN setting_documents d ON d.id = l.line / 65536 AND d.tenant_id = l.tenant_id
         WHERE (l.tenant_id, l.line) > ($1, $2) ORDER BY l.tenant_id, l.line LIMIT {PAGE}"
    );
    let (mut tenant, mut line) = (Uuid::nil(), i64::MIN);
    loop {
        let values = args![tenant, line];
        let rows: Vec<(Uuid, i64, Option<Uuid>, Vec<u8>)> = on.rows(AssertSqlSafe(text.clone()), &values).await?;
        let is_last = rows.len() < PAGE;
        for (owner, number, version, sealed) in rows {
            let key = keys.of(owner).await?;
            let version = version.map(VersionId::from_uuid);
            let opened = key.zip(version).is_some_and(|(key, version)| key.open_line(version, &sealed).is_ok());
            counts.add(LINES, opened);
            (tenant, line) = (owner, number);
        }
        if is_last {
            return Ok(());
        }
    }
}
