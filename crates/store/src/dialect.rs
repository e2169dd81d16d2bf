//! Every difference between the two databases, by name.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::bulk::WithList;
use crate::database::{Access, Connection};
use crate::sql::{Statement, args};
use crate::{Backend, StoreError, Tx};

/// The channel of `NOTIFY`.
pub(crate) const CHANNEL: &str = "tenantatlas";

/// What serialises claims on PostgreSQL, so that limits counted by one claim hold for the next.
const CLAIM_LOCK: i64 = 0x7461_636c_6169_6d00;

/// What serialises the making of the first administrator and of the link for it on PostgreSQL.
const FIRST_ADMINISTRATOR_LOCK: i64 = 0x7461_6669_7273_7400;

/// What keeps the names of settings that are being written on PostgreSQL.
const NAMES_OF_SETTINGS_LOCK: i64 = 0x7461_7365_7474_6b00;

/// Milliseconds since 1970 by the clock of the database, as a term of a query.
pub(crate) const fn now(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        // Not now(): that is when the transaction began.
        Backend::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
}

/// The same as a number.
pub(crate) async fn now_millis(mut on: impl Access) -> Result<i64, StoreError> {
    let mut connection = on.connection().await?;
    let text = format!("SELECT {}", now(connection.backend()));
    let number: Option<(i64,)> = connection.row(AssertSqlSafe(text).into_sql_str(), &[]).await?;
    Ok(number.map_or(0, |(number,)| number))
}

/// When a lease that starts now ends, by the clock of the database.
pub(crate) async fn lease_end(tx: &mut Tx, lease: Duration) -> Result<i64, StoreError> {
    Ok(now_millis(&mut *tx).await?.saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)))
}

/// The end of a query that locks what it read against change until the transaction ends. SQLite has one writer.
pub(crate) const fn for_update(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE",
    }
}

/// The same for rows that carry a right: nobody can change or remove them until the transaction ends, while records that
/// refer to them can still be written (PostgreSQL, "Explicit Locking", row-level locks).
pub(crate) const fn for_no_key_update(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR NO KEY UPDATE",
    }
}

/// The same as [`for_update`], leaving out rows that another transaction locked.
pub(crate) const fn for_update_skip_locked(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// The same against change, while others may lock it in this way too.
pub(crate) const fn for_share(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR SHARE",
    }
}

/// The end of a query that keeps rows from being removed until the transaction ends.
pub(crate) const fn for_key_share(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR KEY SHARE",
    }
}

/// Lets only one transaction at a time claim a run.
pub(crate) async fn lock_claims(tx: &mut Tx) -> Result<(), StoreError> {
    lock(tx, CLAIM_LOCK).await
}

/// Lets only one transaction at a time make the first administrator and of the link for it.
pub(crate) async fn lock_first_administrator(tx: &mut Tx) -> Result<(), StoreError> {
    lock(tx, FIRST_ADMINISTRATOR_LOCK).await
}

/// Lets only one transaction at a time write items of one type of one tenant, so that what it looked up stays true and
/// two runs of different selections cannot block each other row by row.
pub(crate) async fn lock_type(tx: &mut Tx, tenant: uuid::Uuid, policy_type: &str) -> Result<(), StoreError> {
    let mut hash = tenant.as_u64_pair().0 ^ tenant.as_u64_pair().1;
    for byte in policy_type.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    lock(tx, hash.cast_signed()).await
}

/// With whom a lock is held.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    /// With others that share it.
    Shared,
    /// With nobody.
    Alone,
}

/// Keeps names of settings from being forgotten while lines are written that have them.
pub(crate) async fn lock_names_of_settings(tx: &mut Tx, lock: Lock) -> Result<(), StoreError> {
    let text = match (tx.backend(), lock) {
        // One transaction writes at a time.
        (Backend::Sqlite, _) => return Ok(()),
        (Backend::Postgres, Lock::Shared) => "SELECT pg_advisory_xact_lock_shared($1)",
        (Backend::Postgres, Lock::Alone) => "SELECT pg_advisory_xact_lock($1)",
    };
    tx.execute(text, &args![NAMES_OF_SETTINGS_LOCK]).await.map(|_| ())
}

async fn lock(tx: &mut Tx, key: i64) -> Result<(), StoreError> {
    if tx.backend() == Backend::Postgres {
        tx.execute("SELECT pg_advisory_xact_lock($1)", &args![key]).await?;
    }
    Ok(())
}

/// Looks up items of a type by the ids Microsoft gave them, one by one along the unique index, and when a scope last saw
/// them. Each database is told the order of the join in its own way. Left to choose, with the statistics of a table that
/// was small a moment ago, PostgreSQL walks the whole type for each batch or even for each id; so it is not shown that
/// an index on the type would do.
pub(crate) const fn find_items(backend: Backend) -> &'static WithList {
    const SQLITE: WithList = WithList {
        text: "WITH wanted (external_id) AS (VALUES #)
               SELECT i.external_id, i.id, i.row_digest,
                   (SELECT s.last_seq FROM inventory_sightings s WHERE s.item_id = i.id AND s.scope_id = $3) AS last_seq
               FROM wanted w
               CROSS JOIN inventory_items i
               WHERE i.tenant_id = $1 AND i.policy_type = $2 AND i.external_id = w.external_id",
    };
    const POSTGRES: WithList = WithList {
        text: "WITH wanted (external_id) AS (VALUES #)
               SELECT i.external_id, i.id, i.row_digest,
                   (SELECT s.last_seq FROM inventory_sightings s WHERE s.item_id = i.id AND s.scope_id = $3) AS last_seq
               FROM wanted w
               CROSS JOIN LATERAL (
                   SELECT f.external_id, f.id, f.row_digest
                   FROM inventory_items f
                   WHERE f.tenant_id = $1 AND f.external_id = w.external_id AND f.policy_type || '' = $2
                   LIMIT 1) i",
    };
    match backend {
        Backend::Sqlite => &SQLITE,
        Backend::Postgres => &POSTGRES,
    }
}

/// Whether rows are locked against change until the transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Not,
    ForUpdate,
}

/// Joins what stands before it with those rows of a table that a condition tells, which names both: they are looked up for each
/// row of what stands before, one after the other. More conditions may follow with `AND`. Left to choose, with the statistics of
/// a table that has just been filled, PostgreSQL reads all rows of a tenant for each instead; it does not look into a query
/// that locks or leaves out rows.
pub(crate) fn probe(backend: Backend, (table, alias): (&str, &str), condition: Statement, held: Held) -> Statement {
    let mut statement = Statement::default();
    match backend {
        Backend::Sqlite => {
            statement.push(&format!(" CROSS JOIN {table} {alias} WHERE "), []).push_statement(condition);
        }
        Backend::Postgres => {
            let end = if held == Held::Not { "OFFSET 0" } else { "FOR UPDATE" };
            statement
                .push(&format!(" CROSS JOIN LATERAL (SELECT * FROM {table} {alias} WHERE "), [])
                .push_statement(condition)
                .push(&format!(" {end}) {alias} WHERE TRUE"), []);
        }
    }
    statement
}

/// Makes the rest of the transaction look rows up by index. In a table that has just grown, PostgreSQL's statistics
/// speak of a smaller one, and it would read all of it for each batch; and a plan kept from when the table was empty
/// may have taken any index for as good as the right one. SQLite follows the order of a `CROSS JOIN`.
pub(crate) async fn prefer_indexes(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.backend() == Backend::Postgres {
        tx.execute(
            "SELECT set_config('enable_seqscan', 'off', TRUE),
                 set_config('plan_cache_mode', 'force_custom_plan', TRUE)",
            &[],
        )
        .await?;
    }
    Ok(())
}

/// Takes fresh statistics of the tables that a sync fills.
pub(crate) async fn analyse_inventory(tx: &mut Tx) -> Result<(), StoreError> {
    let limit = match tx.backend() {
        Backend::Sqlite => "PRAGMA analysis_limit = 1000",
        Backend::Postgres => "SELECT 1",
    };
    tx.execute(limit, &[]).await?;
    for statement in [
        "ANALYZE inventory_items",
        "ANALYZE inventory_sightings",
        "ANALYZE inventory_links",
        "ANALYZE inventory_absences",
    ] {
        tx.execute(statement, &[]).await?;
    }
    Ok(())
}

/// Tells every process that listens. On SQLite there is only one, which tells itself.
pub(crate) async fn notify(mut on: impl Access, payload: &str) -> Result<(), StoreError> {
    let mut connection = on.connection().await?;
    if matches!(connection, Connection::Postgres(_)) {
        connection.execute("SELECT pg_notify($1, $2)", &args![CHANNEL, payload]).await?;
    }
    Ok(())
}
