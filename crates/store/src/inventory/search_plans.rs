//! The hot lists use an index in the order of the page, on both databases.

use std::collections::BTreeMap;

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::{Cursor, ItemFilter, Search, StateFilter};
use crate::inventory::Sort;
use crate::inventory::assignments::assigned_groups_statement;
use crate::inventory::{KnownType, ScopeView, TypeState};
use crate::scopes::ScopeId;
use crate::sql::args;
use crate::sync_runs::{SyncRun, TypeRun};
use crate::testing::{on_both_engines, plan};
use crate::{Backend, Db};

const TYPES: [&str; 3] = ["alpha", "beta", "gamma"];
const ITEMS: u64 = 30_000;

/// A view in which every type has items that were seen, and some that were not.
fn view(tenant: TenantId) -> ScopeView {
    let at = Timestamp::from_millis(1);
    let type_state = |outcome| TypeState {
        run: Some(TypeRun {
            policy_type: String::new(),
            outcome: Some(outcome),
            items: ITEMS / 3 - 5,
            inserted: 0,
            newly_missing: 0,
            changed: 10,
            pages: 0,
            requests: 0,
            retries: 0,
            throttled: 0,
            bytes: 0,
            unsteady: false,
            reason_code: None,
            message: None,
            started_at: at,
            finished_at: Some(at),
            previous_seq: None,
            carried_from: None,
            read_seq: 7,
            read_floor_seq: 6,
            read_no: 1,
        }),
        known: KnownType { items: ITEMS / 3, platforms: BTreeMap::from([("windows".to_owned(), ITEMS / 3)]) },
        last_full_read: None,
        baseline: Some(1),
        read_elsewhere: None,
    };
    let selection = tenantatlas_domain::selection::Selection::default();
    let run = SyncRun {
        id: Uuid::nil().into(),
        tenant_id: tenant,
        seq: 7,
        floor_seq: 6,
        scope_id: ScopeId(1),
        operation_run_id: Uuid::nil().into(),
        user_id: None,
        selection_hash: selection.hash(),
        selection_payload: selection,
        status: SyncRunStatus::Partial,
        had_errors: true,
        error_codes: Vec::new(),
        error_context: serde_json::Value::Null,
        correlation_id: Uuid::nil().into(),
        started_at: at,
        finished_at: Some(at),
        items_observed_count: 0,
        items_upserted_count: 0,
        errors_count: 0,
        stopped: None,
        continues: None,
    };
    let outcomes = [TypeOutcome::Succeeded, TypeOutcome::Succeeded, TypeOutcome::Failed];
    let types = TYPES.iter().zip(outcomes).map(|(key, outcome)| ((*key).to_owned(), type_state(outcome))).collect();
    ScopeView { tenant_id: tenant, scope: None, run: Some(run), types }
}

async fn fill(db: &Db, tenant: TenantId) {
    let (id, meta) = match db.backend() {
        Backend::Sqlite => ("randomblob(16)", "'{}'"),
        Backend::Postgres => ("gen_random_uuid()", "CAST('{}' AS JSONB)"),
    };
    let mut tx = db.write().await.unwrap();
    let items = format!(
        "WITH RECURSIVE n (x) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT x + 1 FROM n WHERE x < $2)
         INSERT INTO inventory_items (id, tenant_id, policy_type, external_id, display_name, name_key, category, platform,
             meta, content_hash, observation_hash, normaliser_version, row_digest, links_digest, first_seen_at,
             first_seen_seq, changed_at, changed_seq)
         SELECT {id}, $1, CASE x % 3 WHEN 0 THEN 'alpha' WHEN 1 THEN 'beta' ELSE 'gamma' END, CAST(x AS TEXT),
             'Name ' || x, 'name ' || (x * 7919 % 100000), 'configuration', 'windows', {meta}, $3, $3, 1, x, 0, 1, 1, 1, 1
         FROM n"
    );
    tx.execute(sqlx::AssertSqlSafe(items), &args![tenant, ITEMS, &[0_u8; 32]]).await.unwrap();
    tx.execute(
        "INSERT INTO inventory_sightings (item_id, scope_id, since_seq, last_seq, last_seen_at)
         SELECT id, 1, 1, 7, 1
         FROM inventory_items",
        &[],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    if let Db::Postgres { pool, .. } = db {
        sqlx::query("ANALYZE").execute(pool).await.unwrap();
    }
}

on_both_engines! {
    async fn hot_lists_walk_an_index_in_the_order_of_the_page(test: TestDatabase) {
        let db = &test.db;
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        fill(db, tenant).await;
        let view = view(tenant);
        let cursor = Cursor { part: String::new(), key: "name 5".to_owned(), id: Uuid::nil() };
        let with_search = ItemFilter { search: Some("me 77".to_owned()), ..ItemFilter::default() };
        let types = |count: usize| TYPES[..count].iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let plain = ItemFilter::default();
        for (what, filter, types, state) in [
            ("everything", &plain, types(3), None),
            ("a search", &with_search, types(3), None),
            ("one type", &plain, types(1), None),
            ("two types", &plain, types(2), None),
            ("what is present", &plain, types(3), Some(StateFilter::Present)),
            ("what is present of one type", &plain, types(1), Some(StateFilter::Present)),
        ] {
            for (after, descending) in [(None, false), (Some(&cursor), false), (None, true), (Some(&cursor), true)] {
                let mut search = Search::prepare(db, &view, filter, 51).await.unwrap();
                search.descending = descending;
                let statement = search.by_name_statement(&types, state, after).unwrap();
                let plan = plan(db, &statement).await;
                let index = if types.len() == 3 { "inventory_items_by_name" } else { "inventory_items_by_type" };
                assert!(plan.contains(index), "{what}:\n{plan}");
                assert!(!plan.contains("Seq Scan on inventory_items"), "{what}:\n{plan}");
                assert!(!plan.contains("SCAN i"), "{what}:\n{plan}");
                if types.len() != 2 {
                    assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{what}:\n{plan}");
                }
            }
        }
    }

    async fn the_first_groups_by_name_are_found_without_a_look_at_all_of_them(test: TestDatabase) {
        let db = &test.db;
        let plan = plan(db, &assigned_groups_statement(TenantId::from_uuid(Uuid::from_u128(7)), 50)).await;
        // PostgreSQL reads a table without rows as it is.
        if db.backend() == Backend::Sqlite {
            assert!(plan.contains("directory_names_by_name") && !plan.contains("TEMP B-TREE"), "{plan}");
            assert!(!plan.contains("EXISTS"), "no join that goes through all objects of a group:\n{plan}");
        }
    }

    async fn what_changed_is_sorted_by_when_without_a_look_at_what_did_not(test: TestDatabase) {
        let db = &test.db;
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        fill(db, tenant).await;
        let mut tx = db.write().await.unwrap();
        let changed = "UPDATE inventory_items SET changed_seq = 5, changed_at = 5 WHERE tenant_id = $1 AND external_id IN ('3', '6')";
        tx.execute(changed, &args![tenant]).await.unwrap();
        tx.commit().await.unwrap();
        if let Db::Postgres { pool, .. } = db {
            sqlx::query("ANALYZE").execute(pool).await.unwrap();
        }
        let view = view(tenant);
        let filter = ItemFilter { changed_since: Some(Timestamp::from_millis(2)), ..ItemFilter::default() };
        let mut search = Search::prepare(db, &view, &filter, 51).await.unwrap();
        search.changed.as_mut().unwrap().from_seq = 2;
        search.descending = true;
        for part in search.parts(Sort::Changed) {
            let plan = plan(db, &search.by_value(&part, None).unwrap()).await;
            assert!(plan.contains("inventory_items_by_change"), "{plan}");
            assert!(!plan.contains("Seq Scan on inventory_items") && !plan.contains("SCAN i"), "{plan}");
        }
    }

    async fn what_is_missing_or_changed_is_found_without_a_walk_over_everything(test: TestDatabase) {
        let db = &test.db;
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        fill(db, tenant).await;
        let view = view(tenant);
        let filter = ItemFilter::default();
        let search = Search::prepare(db, &view, &filter, 51).await.unwrap();
        for state in [StateFilter::Missing, StateFilter::Changed] {
            let statement = search.by_name_statement(&search.types(Some(state)), Some(state), None).unwrap();
            let plan = plan(db, &statement).await;
            assert!(plan.contains("inventory_items_by_change"), "{state:?}:\n{plan}");
            assert!(!plan.contains("Seq Scan on inventory_items"), "{state:?}:\n{plan}");
            assert!(!plan.contains("inventory_items_by_name"), "{state:?}:\n{plan}");
            // PostgreSQL reads a table without rows as it is.
            let absences = if db.backend() == Backend::Sqlite { "inventory_absences_by_name" } else { "inventory_absences" };
            assert!(plan.contains(absences) || state == StateFilter::Changed, "{state:?}:\n{plan}");
        }
    }
}
