//! The end of the chain and its seals: the one row of `audit_chain`.

use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::normalise::ContentHash;
use uuid::Uuid;

use super::key::{AuditKey, Point};
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;
use crate::{Db, StoreError, Tx, dialect};

/// The end of the chain, as the database holds it.
pub(super) struct End {
    pub point: Point,
    pub seal: Option<ContentHash>,
    pub boundary: Option<Boundary>,
}

/// Where the entries without a key end. It also names the installation.
pub(super) struct Boundary {
    pub installation: Uuid,
    pub plain: Point,
    pub seal: ContentHash,
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
                Some(Boundary { installation, plain: Point { seq, hash }, seal })
            }
            _ => return Err(StoreError::corrupt("audit_chain")),
        };
        Ok(End { point: Point { seq: row.last_seq, hash: row.last_hash }, seal: row.seal, boundary })
    }
}

impl End {
    /// The installation, when both seals are those that the key makes for this end.
    pub(super) fn sound(&self, key: &AuditKey) -> Option<Uuid> {
        let installation = self.installation(key)?;
        (self.seal == Some(key.end(installation, self.point))).then_some(installation)
    }

    /// The installation, when the boundary is sealed.
    pub(super) fn installation(&self, key: &AuditKey) -> Option<Uuid> {
        let boundary = self.boundary.as_ref()?;
        (key.boundary(boundary.installation, boundary.plain) == boundary.seal).then_some(boundary.installation)
    }

    /// The last place of the chain that has no key.
    pub(super) fn plain(&self) -> Point {
        self.boundary.as_ref().map_or(Point::START, |boundary| boundary.plain)
    }

    /// The seal of the end that follows this one. An end that is not sealed is followed by ends that are not.
    pub(super) fn next_seal(&self, key: &AuditKey, next: Point) -> ContentHash {
        match self.sound(key) {
            Some(installation) => key.end(installation, next),
            None => key.broken_end(next),
        }
    }
}

/// Takes the number of the next entry and answers the end before it. The row stays locked until the transaction ends,
/// which puts those who append in one order.
pub(super) async fn advance(tx: &mut Tx) -> Result<End, StoreError> {
    let mut end =
        Row::end(tx.row("UPDATE audit_chain SET last_seq = last_seq + 1 WHERE one = 1 RETURNING *", &[]).await?)?;
    end.point.seq -= 1;
    Ok(end)
}

/// The end as it is now.
pub(super) async fn read(mut on: impl Access) -> Result<End, StoreError> {
    Row::end(on.row("SELECT * FROM audit_chain WHERE one = 1", &[]).await?)
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
pub(crate) async fn begin(db: &Db, key: &AuditKey) -> Result<(), StoreError> {
    let untouched = |end: &End| end.boundary.is_none() && end.seal.is_none();
    if !untouched(&read(db).await?) {
        return Ok(());
    }
    let mut tx = db.write().await?;
    let text = format!("SELECT * FROM audit_chain WHERE one = 1{}", dialect::for_update(tx.backend()));
    let end = Row::end(tx.row(AssertSqlSafe(text), &[]).await?)?;
    if untouched(&end) {
        let installation = Uuid::new_v4();
        tx.execute(
            "UPDATE audit_chain
             SET installation_id = $1, plain_seq = $2, plain_hash = $3, plain_seal = $4, seal = $5
             WHERE one = 1",
            &args![
                installation,
                end.point.seq,
                end.point.hash,
                key.boundary(installation, end.point),
                key.end(installation, end.point)
            ],
        )
        .await?;
    }
    tx.commit().await
}
