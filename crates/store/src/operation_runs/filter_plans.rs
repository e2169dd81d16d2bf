//! What few of very many runs are is found by an index that holds these alone, on both databases.

use sqlx::AssertSqlSafe;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::reason::ReasonCode;
use uuid::Uuid;

use super::counts::among_the_newest;
use super::filter::{Filter, list, list_statement};
use crate::sql::args;
use crate::testing::{on_both_engines, plan};
use crate::{Backend, Db};

const RUNS: i64 = 20_000;
const TENANTS: i64 = 20;

/// Runs of twenty tenants, of which one in two thousand was started with a token, and as many did not do all for a reason.
async fn fill(db: &Db) {
    let (id, of_number, empty) = match db.backend() {
        Backend::Sqlite => ("randomblob(16)", "CAST(printf('%016d', {}) AS BLOB)", "'{}'"),
        Backend::Postgres => {
            ("gen_random_uuid()", "CAST(lpad(CAST({} AS TEXT), 32, '0') AS UUID)", "CAST('{}' AS JSONB)")
        }
    };
    let list = empty.replace("{}", "[]");
    let [tenant, of_run] = [of_number.replace("{}", "x"), of_number.replace("{}", &format!("1 + x % {TENANTS}"))];
    let mut tx = db.write().await.unwrap();
    let numbers = "WITH RECURSIVE n (x) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT x + 1 FROM n WHERE x < $1)";
    let text = format!(
        "{numbers} INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, environment, client_id, created_at, updated_at)
         SELECT {tenant}, 'T' || x, 't' || x, 'e' || x, 'global', 'dev', 'c', 1, 1 FROM n"
    );
    tx.execute(AssertSqlSafe(text), &args![TENANTS]).await.unwrap();
    let text = format!(
        "{numbers} INSERT INTO bulk_operation_runs (id, tenant_id, initiator, resource, action, idempotency_key, correlation_id, payload,
             status, total_items, item_ids, failures, progress, created_at, updated_at, finished_at, token_id, reasons)
         SELECT {id}, {of_run}, 'x', 'inventory', 'sync', 'k' || x, {id}, {empty}, 'completed', 0, {list}, {list}, {empty}, x, x, x,
             CASE WHEN x % 2000 = 7 THEN {id} END, CASE WHEN x % 2000 = 9 THEN ',graph_throttled,' ELSE '' END
         FROM n"
    );
    tx.execute(AssertSqlSafe(text), &args![RUNS]).await.unwrap();
    tx.commit().await.unwrap();
    if let Db::Postgres { pool, .. } = db {
        sqlx::query("ANALYZE").execute(pool).await.unwrap();
    }
}

on_both_engines! {
    async fn few_runs_of_very_many_are_found_without_a_look_at_the_others(test: TestDatabase) {
        let db = &test.db;
        fill(db).await;
        let of_tokens = Filter { by_token: true, limit: 51, ..Filter::default() };
        let of_reason = Filter { reason: Some(ReasonCode::GraphThrottled), limit: 51, ..Filter::default() };
        // Of the two that hold these alone, either will do for one tenant.
        for (filter, index) in [(of_tokens, "runs_by_token"), (of_reason, "with_reasons")] {
            let one = match db.backend() {
                Backend::Sqlite => Uuid::from_bytes(*b"0000000000000008"),
                Backend::Postgres => Uuid::from_u128(8),
            };
            let one = Filter { tenant_id: Some(TenantId::from_uuid(one)), ..filter.clone() };
            let seen = Filter { seen_by: Some(UserId::from_uuid(Uuid::from_u128(1))), ..filter.clone() };
            for (whose, filter) in [("one tenant", one), ("the tenants of a person", seen), ("all tenants", filter.clone())]
            {
                for (what, statement) in [("list", list_statement(&filter)), ("count", among_the_newest(&filter))] {
                    let plan = plan(db, &statement).await;
                    assert!(plan.contains(index), "{what} of {whose}:\n{plan}");
                    let all = ["Seq Scan on bulk_operation_runs", "runs_by_age", "runs_by_tenant"];
                    assert!(!all.iter().any(|way| plan.contains(way)), "{what} of {whose}:\n{plan}");
                }
            }
            let found = list(db, &Filter { limit: 100, ..filter }).await.unwrap();
            assert_eq!(i64::try_from(found.len()).unwrap(), RUNS / 2_000);
        }
    }
}
