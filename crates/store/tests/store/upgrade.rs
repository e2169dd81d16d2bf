//! What a database of an earlier version holds, told by the rules of this one.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::inventory::{ItemQuery, ScopeView, list};
use tenantatlas_store::scopes::ScopeId;
use tenantatlas_store::sync_runs::{self, SyncRun};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db, scopes};
use uuid::Uuid;

use crate::audit_world::execute;
use crate::world::{Sync, at, item, selection};

/// Literals of a database.
struct Literals(Backend);

impl Literals {
    fn id(&self, number: u128) -> String {
        match self.0 {
            Backend::Sqlite => format!("x'{number:032x}'"),
            Backend::Postgres => format!("CAST('{}' AS UUID)", Uuid::from_u128(number)),
        }
    }

    fn bytes(&self) -> String {
        match self.0 {
            Backend::Sqlite => "zeroblob(32)".to_owned(),
            Backend::Postgres => "decode(repeat('00', 32), 'hex')".to_owned(),
        }
    }
}

const TENANT: u128 = 7;
const ITEM: u128 = 8;

/// A database of version 18 with one scope and three runs of it: the first read both types, the second came to its end
/// with one that failed, the third was cancelled and so, by the rules of then, tells of the scope.
async fn of_before(backend: Backend) -> TestDatabase {
    let test = TestDatabase::of_version(backend, 18).await;
    let write = Literals(backend);
    let (tenant, bytes) = (write.id(TENANT), write.bytes());
    let chosen = selection(&["alpha", "beta"]);
    let (hash, payload) = (chosen.hash().to_string(), serde_json::to_string(&chosen).unwrap());
    let scope = if backend == Backend::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
    let mut texts = vec![
        format!(
            "INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, environment, client_id, last_run_seq,
                 created_at, updated_at)
             VALUES ({tenant}, 'Contoso', 'contoso', 'e', 'global', 'prod', 'c', 3, 1, 1)"
        ),
        format!(
            "INSERT INTO inventory_scopes (id, tenant_id, selection_hash, selection_payload, latest_run_id,
                 latest_run_seq, latest_finished_at){scope}
             VALUES (1, {tenant}, '{hash}', '{payload}', {}, 3, 30)",
            write.id(103)
        ),
        format!(
            "INSERT INTO inventory_items (id, tenant_id, policy_type, external_id, display_name, name_key, category,
                 platform, meta, content_hash, observation_hash, normaliser_version, row_digest, links_digest,
                 first_seen_at, first_seen_seq, changed_at, changed_seq)
             VALUES ({}, {tenant}, 'beta', 'x', 'X', 'x', 'configuration', 'windows', '{{}}', {bytes}, {bytes}, 1, 1, 0,
                 10, 1, 10, 1)",
            write.id(ITEM)
        ),
        format!("INSERT INTO inventory_counts VALUES ({tenant}, 'beta', 'windows', 1)"),
        format!("INSERT INTO inventory_sightings VALUES ({}, 1, 1, 2, 20)", write.id(ITEM)),
    ];
    for (seq, status, ended, reason) in [
        (1, "success", "completed", "NULL"),
        (2, "partial", "completed_with_errors", "NULL"),
        (3, "failed", "aborted", "'cancelled'"),
    ] {
        let (run, operation) = (write.id(100 + seq), write.id(200 + seq));
        texts.push(format!(
            "INSERT INTO bulk_operation_runs (id, tenant_id, initiator, resource, action, idempotency_key,
                 correlation_id, payload, status, total_items, item_ids, failures, reason_code, progress, created_at,
                 updated_at, finished_at)
             VALUES ({operation}, {tenant}, 'Test', 'inventory', 'sync', 'k', {operation}, '{{}}', '{ended}', 2, '[]',
                 '[]', {reason}, '{{}}', {seq}0, {seq}0, {seq}0)"
        ));
        texts.push(format!(
            "INSERT INTO inventory_sync_runs (id, tenant_id, seq, floor_seq, scope_id, operation_run_id, selection_hash,
                 selection_payload, status, error_codes, error_context, correlation_id, started_at, finished_at)
             VALUES ({run}, {tenant}, {seq}, {seq}, 1, {operation}, '{hash}', '{payload}', '{status}', '[]', '{{}}',
                 {operation}, {seq}0, {seq}0)"
        ));
    }
    for (run, policy_type, outcome, items) in [
        (1, "alpha", "succeeded", 0),
        (1, "beta", "succeeded", 1),
        (2, "alpha", "failed", 0),
        (2, "beta", "succeeded", 1),
        (3, "alpha", "succeeded", 0),
    ] {
        texts.push(format!(
            "INSERT INTO inventory_sync_run_types (run_id, policy_type, tenant_id, scope_id, seq, outcome, items,
                 started_at, finished_at)
             VALUES ({}, '{policy_type}', {tenant}, 1, {run}, '{outcome}', {items}, {run}0, {run}0)",
            write.id(100 + run)
        ));
    }
    for text in texts {
        execute(&test.db, &text).await.unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    test.db.migrate().await.unwrap();
    test
}

async fn run_of(db: &Db, tenant: TenantId, number: u128) -> SyncRun {
    sync_runs::get(db, tenant, Uuid::from_u128(100 + number).into()).await.unwrap().unwrap()
}

on_both_engines! {
    async fn a_run_that_was_cancelled_before_the_upgrade_no_longer_tells_of_its_scope(test: TestDatabase) {
        let old = of_before(test.db.backend()).await;
        let db = &old.db;
        let tenant = TenantId::from_uuid(Uuid::from_u128(TENANT));
        assert_eq!(run_of(db, tenant, 3).await.stopped, Some(ReasonCode::Cancelled));
        assert!(run_of(db, tenant, 2).await.is_completed());
        let scope = scopes::get(db, tenant, ScopeId(1)).await.unwrap().unwrap();
        assert_eq!(scope.latest.map(|latest| (latest.seq, latest.finished_at.as_millis())), Some((2, 20)));
        let view = ScopeView::load(db, tenant, None).await.unwrap();
        assert_eq!(view.seq(), Some(2));
        let rows = list(db, &view, &ItemQuery { limit: 10, ..ItemQuery::default() }).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.presence.as_str()).collect::<Vec<_>>(), ["present"]);
    }

    async fn a_run_of_before_the_upgrade_can_be_continued(test: TestDatabase) {
        let old = of_before(test.db.backend()).await;
        let db = &old.db;
        let tenant = TenantId::from_uuid(Uuid::from_u128(TENANT));
        let partial = run_of(db, tenant, 2).await;
        let all = || vec!["alpha".to_owned(), "beta".to_owned()];
        let unread = sync_runs::unread_since(db, &partial, all()).await.unwrap();
        assert!(unread.is_empty(), "the cancelled run read what the one before it did not: {unread:?}");
        let cancelled = run_of(db, tenant, 3).await;
        assert_eq!(sync_runs::unread_since(db, &cancelled, all()).await.unwrap(), ["beta"]);
        let sync = Sync::go_on(db, &partial, &["alpha"], at(0)).await;
        sync.read("alpha", &[item("a", "A", "a")], at(0)).await;
        sync.finish(at(1)).await;
        let view = ScopeView::load(db, tenant, None).await.unwrap();
        let beta = view.types["beta"].run.as_ref().unwrap();
        assert_eq!((view.seq(), beta.read_seq, beta.carried_from), (Some(4), 2, Some(partial.id)));
        let rows = list(db, &view, &ItemQuery { limit: 10, ..ItemQuery::default() }).await.unwrap().rows;
        assert!(rows.iter().all(|row| row.presence.as_str() == "present"), "{rows:?}");
    }
}
