//! Events of Microsoft's audit logs: kept once, found by object and time, removed with age and with their tenant.

use tenantatlas_domain::audit_event::{Actor, AuditFacts, AuditObject, AuditSource, ReadWindow, Span};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::audit_events::{self, EventFilter, SourceEnd};
use tenantatlas_store::operation_runs::Fence;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, StoreError, tenants};

use crate::world::{LEASE, NO_LIMITS, at, claim, dispatch, tenant};

const INTUNE: AuditSource = AuditSource::Intune;

fn event(id: &str, time: i64, object: &str) -> AuditFacts {
    AuditFacts {
        source: INTUNE,
        event_id: id.to_owned(),
        at: at(time),
        activity: "Patch DeviceConfiguration".to_owned(),
        operation: "Patch".to_owned(),
        correlation_id: Some("c".to_owned()),
        actor: Actor { user_name: Some("kim@contoso.example".to_owned()), ..Actor::default() },
        objects: vec![AuditObject { id: object.to_owned(), kind: None }],
        changed: vec!["Description".to_owned()],
    }
}

async fn reading(db: &Db, tenant: TenantId) -> (Fence, OperationRunId) {
    dispatch(db, tenant, "logs", &["intune", "entra"], at(0)).await;
    let run = claim(db, "worker", LEASE, NO_LIMITS).await.unwrap();
    (run.fence().unwrap(), run.id)
}

async fn record(db: &Db, fence: &Fence, tenant: TenantId, events: &[AuditFacts]) -> u64 {
    let mut tx = db.write().await.unwrap();
    let new = audit_events::record(&mut tx, fence, tenant, events).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn all(db: &Db, tenant: TenantId) -> Vec<String> {
    let filter = EventFilter { limit: 5_000, ..EventFilter::default() };
    audit_events::list(db, tenant, &filter).await.unwrap().into_iter().map(|event| event.event_id).collect()
}

on_both_engines! {
    async fn an_event_is_kept_once_and_found_by_its_object_and_time_in_its_tenant_alone(test: TestDatabase) {
        let db = &test.db;
        let (own, other) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let (fence, _) = reading(db, own).await;
        let events = [event("a", 10, "object"), event("b", 20, "object"), event("c", 20, "another")];
        assert_eq!(record(db, &fence, own, &events).await, 3);
        let late = [event("d", 15, "object"), event("b", 20, "object"), event("d", 15, "object")];
        assert_eq!(record(db, &fence, own, &late).await, 1);
        let found = async |tenant, from, to| {
            let span = Span { from: at(from), to: at(to) };
            let found = audit_events::of_object(db, tenant, "OBJECT", span).await.unwrap();
            found.into_iter().map(|event| event.event_id).collect::<Vec<_>>()
        };
        assert_eq!(found(own, 0, 100).await, ["b", "d", "a"]);
        assert_eq!(found(own, 10, 15).await, ["d"], "without its beginning and with its end");
        assert_eq!(found(other, 0, 100).await, Vec::<String>::new());
        let filter = EventFilter { object_id: Some("object".to_owned()), since: Some(at(10)), limit: 1, ..Default::default() };
        let listed = audit_events::list(db, own, &filter).await.unwrap();
        assert_eq!(listed, [event("b", 20, "object")]);
        assert_eq!(all(db, own).await, ["b", "c", "d", "a"]);
    }

    async fn what_is_known_of_a_log_survives_a_reading_that_fails(test: TestDatabase) {
        let db = &test.db;
        let own = tenant(db, "Contoso").await;
        let (fence, run) = reading(db, own).await;
        let place = (own, run);
        let window = ReadWindow { from: at(5), to: at(50) };
        let mut tx = db.write().await.unwrap();
        assert_eq!(audit_events::begin_source(&mut tx, &fence, place, INTUNE, at(3)).await.unwrap(), at(3));
        assert_eq!(audit_events::begin_source(&mut tx, &fence, place, INTUNE, at(9)).await.unwrap(), at(3));
        audit_events::count_events(&mut tx, place, INTUNE, (7, 2)).await.unwrap();
        audit_events::set_window(&mut tx, &fence, own, INTUNE, window, at(60)).await.unwrap();
        let reason = Some((ReasonCode::GraphTimeout, "No answer.".to_owned()));
        let end = SourceEnd { outcome: TypeOutcome::Failed, reason, requests: 4, retries: 3 };
        assert!(audit_events::finish_source(&mut tx, &fence, place, INTUNE, &end, at(70)).await.unwrap());
        assert!(!audit_events::finish_source(&mut tx, &fence, place, INTUNE, &end, at(71)).await.unwrap());
        tx.commit().await.unwrap();
        let known = audit_events::source(db, own, INTUNE).await.unwrap().unwrap();
        assert_eq!((known.window(), known.reason_code), (Some(window), Some(ReasonCode::GraphTimeout)));
        let read = audit_events::reads_of(db, own, run).await.unwrap().remove(0);
        assert_eq!((read.events, read.kept, read.requests, read.outcome), (7, 2, 4, Some(TypeOutcome::Failed)));
        assert_eq!(audit_events::source(db, own, AuditSource::Entra).await.unwrap(), None);
    }

    async fn who_lost_its_lease_writes_nothing(test: TestDatabase) {
        let db = &test.db;
        let own = tenant(db, "Contoso").await;
        let (fence, _) = reading(db, own).await;
        let lost = Fence { attempt: fence.attempt + 1, ..fence };
        let mut tx = db.write().await.unwrap();
        let refused = audit_events::record(&mut tx, &lost, own, &[event("a", 1, "o")]).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    }

    async fn events_go_with_age_in_pieces_and_with_their_tenant(test: TestDatabase) {
        let db = &test.db;
        let (own, other) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let (fence, _) = reading(db, own).await;
        let events: Vec<_> = (0..1_300).map(|nth| event(&format!("e{nth:04}"), nth, "o")).collect();
        assert_eq!(record(db, &fence, own, &events).await, 1_300);
        let mut pieces = 0;
        loop {
            let mut tx = db.write().await.unwrap();
            let more = audit_events::remove_old(&mut tx, &fence, own, at(1_200)).await.unwrap();
            tx.commit().await.unwrap();
            if !more {
                break;
            }
            pieces += 1;
        }
        assert_eq!(pieces, 6, "three of objects, three of events");
        assert_eq!(all(db, own).await.len(), 100);
        let mut tx = db.write().await.unwrap();
        assert!(tenants::retire(&mut tx, own, at(2_000)).await.unwrap());
        while tenants::purge_piece(&mut tx, own).await.unwrap() {}
        tx.commit().await.unwrap();
        for table in ["audit_events", "audit_event_objects", "audit_event_sources", "audit_event_reads"] {
            let text = format!("SELECT COUNT(*) FROM {table}");
            let rows: i64 = match db {
                Db::Sqlite { writer, .. } => sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(writer).await,
                Db::Postgres { pool, .. } => sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(pool).await,
            }
            .unwrap();
            assert_eq!(rows, 0, "{table}");
        }
        assert!(tenants::get(db, other).await.unwrap().is_some());
    }
}
