//! The end of the chain and its seals: the one row of `audit_chain`.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::normalise::ContentHash;
use uuid::Uuid;

use super::key::{AuditKey, AuditKeys, Point};
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;
use crate::{Db, StoreError, Tx, dialect, facts};

/// The fact that holds the boundary which was sealed after the root key had been replaced. The columns of `audit_chain` hold
/// the first one for ever.
const RESEALED: &str = "audit_boundary";

/// The end of the chain, as the database holds it.
pub(super) struct End {
    pub point: Point,
    pub seal: Option<ContentHash>,
    pub boundary: Option<Boundary>,
    /// The key that sealed the boundary, when one of those at hand did.
    pub key: Option<AuditKey>,
}

/// Where the entries end whose hashes were not made with this key. It also names the installation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boundary {
    pub installation: Uuid,
    /// The last of those entries.
    pub plain: Point,
    /// A hash over all of them, where they were made with a key that was replaced; without it they were made with none.
    pub former: Option<ContentHash>,
    pub seal: ContentHash,
}

impl Boundary {
    fn is_sealed(&self, key: &AuditKey) -> bool {
        key.boundary(self.installation, self.plain, self.former) == self.seal
    }
}

/// The row of `audit_chain`.
#[derive(FromRow)]
struct Row {
    last_seq: i64,
    #[sqlx(try_from = "Vec<u8>")]
    last_hash: ContentHash,
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    seal: Option<ContentHash>,
    installation_id: Option<Uuid>,
    plain_seq: Option<i64>,
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    plain_hash: Option<ContentHash>,
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    plain_seal: Option<ContentHash>,
}

impl Row {
    /// What the row says. A row without, or half a boundary, is not understood.
    fn end(row: Option<Self>) -> Result<End, StoreError> {
        let row = row.ok_or_else(|| StoreError::corrupt("audit_chain"))?;
        let boundary = match (row.plain_seal, row.installation_id, row.plain_seq, row.plain_hash) {
            (None, ..) => None,
            (Some(seal), Some(installation), Some(seq), Some(hash)) => {
                Some(Boundary { installation, plain: Point { seq, hash }, former: None, seal })
            }
            _ => return Err(StoreError::corrupt("audit_chain")),
        };
        Ok(End { point: Point { seq: row.last_seq, hash: row.last_hash }, seal: row.seal, boundary, key: None })
    }
}

impl End {
    /// The installation, when both seals are those that one key makes for this end.
    pub(super) fn sound(&self) -> Option<Uuid> {
        let installation = self.installation()?;
        let key = self.key.as_ref()?;
        (self.seal == Some(key.end(installation, self.point))).then_some(installation)
    }

    /// The installation, when the boundary is sealed with one of the keys at hand.
    pub(super) fn installation(&self) -> Option<Uuid> {
        self.key.as_ref()?;
        self.boundary.as_ref().map(|boundary| boundary.installation)
    }

    /// The same end with the boundary that the newest of the keys sealed: the first one, or the one that was sealed when a
    /// key had been replaced.
    pub(super) async fn under(mut self, on: impl Access, keys: &AuditKeys) -> Result<Self, StoreError> {
        let Some(first) = &self.boundary else { return Ok(self) };
        let newest = keys.file.first().filter(|key| first.is_sealed(key));
        if let Some(newest) = newest {
            self.key = Some(newest.clone());
            return Ok(self);
        }
        let fact = facts::get(on, RESEALED).await?;
        // What cannot be read is sealed by nobody; that the first one does not fit is told.
        let resealed = fact.and_then(|text| serde_json::from_str::<Boundary>(&text).ok());
        for key in &keys.file {
            let found =
                [resealed.as_ref(), self.boundary.as_ref()].into_iter().flatten().find(|one| one.is_sealed(key));
            if let Some(found) = found.cloned() {
                (self.boundary, self.key) = (Some(found), Some(key.clone()));
                break;
            }
        }
        Ok(self)
    }

    /// The seal of the end that follows this one. An end that is not sealed is followed by ends that are not.
    pub(super) fn next_seal(&self, key: &AuditKey, next: Point) -> ContentHash {
        match self.sound() {
            Some(installation) => key.end(installation, next),
            None => key.broken_end(next),
        }
    }
}

/// Takes the number of the next entry and answers the end before it. The row stays locked until the transaction ends,
/// which puts those who append in one order.
pub(super) async fn advance(tx: &mut Tx, keys: &AuditKeys) -> Result<End, StoreError> {
    let mut end =
        Row::end(tx.row("UPDATE audit_chain SET last_seq = last_seq + 1 WHERE one = 1 RETURNING *", &[]).await?)?;
    end.point.seq -= 1;
    end.under(tx, keys).await
}

/// The end as it is now.
pub(super) async fn read(db: &Db, keys: &AuditKeys) -> Result<End, StoreError> {
    let mut on = db;
    Row::end(on.row("SELECT * FROM audit_chain WHERE one = 1", &[]).await?)?.under(db, keys).await
}

/// The end as it is now, locked until the transaction ends.
async fn lock(tx: &mut Tx) -> Result<End, StoreError> {
    let text = format!("SELECT * FROM audit_chain WHERE one = 1{}", dialect::for_update(tx.backend()));
    Row::end(tx.row(AssertSqlSafe(text), &[]).await?)
}

/// The same with the boundary that one of the keys sealed.
pub(super) async fn lock_under(tx: &mut Tx, keys: &AuditKeys) -> Result<End, StoreError> {
    lock(tx).await?.under(tx, keys).await
}

/// Seals the end with a key that is new, as a boundary: `former` is a hash over all entries up to it, so that they stay as
/// they are although this key made none of them. The end is locked.
///
/// # Errors
/// When the database fails.
pub(super) async fn reseal(
    tx: &mut Tx,
    key: &AuditKey,
    installation: Uuid,
    point: Point,
    former: ContentHash,
) -> Result<(), StoreError> {
    let former = Some(former);
    let seal = key.boundary(installation, point, former);
    let boundary = Boundary { installation, plain: point, former, seal };
    let text = serde_json::to_string(&boundary).map_err(|_| StoreError::corrupt("audit_boundary"))?;
    facts::set(tx, RESEALED, &text).await?;
    tx.execute("UPDATE audit_chain SET seal = $1 WHERE one = 1", &args![key.end(installation, point)]).await?;
    Ok(())
}

/// Whether the chain holds an entry with this number and this hash.
pub(super) async fn holds(mut on: impl Access, point: Point) -> Result<bool, StoreError> {
    if point.seq == 0 {
        return Ok(point == Point::START);
    }
    let found: Option<Vec<u8>> = on.value("SELECT hash FROM audit_logs WHERE seq = $1", &args![point.seq]).await?;
    Ok(found.is_some_and(|hash| hash == point.hash.0))
}

/// Gives the installation its id and seals what is there: the entries of earlier versions as they stand, and the end.
/// Done once, at the first start of this version; never where a seal was there before.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin(db: &Db, keys: &AuditKeys) -> Result<(), StoreError> {
    let untouched = |end: &End| end.boundary.is_none() && end.seal.is_none();
    if !untouched(&read(db, keys).await?) {
        return Ok(());
    }
    let mut tx = db.write().await?;
    let end = lock(&mut tx).await?;
    if untouched(&end) {
        let (installation, key) = (Uuid::new_v4(), &keys.current);
        tx.execute(
            "UPDATE audit_chain
             SET installation_id = $1, plain_seq = $2, plain_hash = $3, plain_seal = $4, seal = $5
             WHERE one = 1",
            &args![
                installation,
                end.point.seq,
                end.point.hash,
                key.boundary(installation, end.point, None),
                key.end(installation, end.point)
            ],
        )
        .await?;
    }
    tx.commit().await
}
