//! The audit log cannot be changed, and tampering shows.

use serde_json::json;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_store::Db;
use tenantatlas_store::audit::{self, Entry, Filter, NewEntry, Outcome, Verification};
use tenantatlas_store::testing::on_both_engines;
use uuid::Uuid;

use crate::world::at;

fn entry(tenant: Option<TenantId>, actor: Option<UserId>, action: &str) -> NewEntry {
    NewEntry {
        id: Uuid::now_v7(),
        tenant_id: tenant,
        actor_id: actor,
        actor_kind: "person".to_owned(),
        actor_name: "Ada \u{0}\"quoted\" \u{1F600}".to_owned(),
        actor_email: "ada@example.com".to_owned(),
        action: action.to_owned(),
        resource_type: "sync_run".to_owned(),
        resource_id: "1".to_owned(),
        outcome: Outcome::Success,
        context: json!({"zeta": [1, 2.5, true, null, "x\u{0}y"], "alpha": {"ü": "\n", "big": 9_007_199_254_740_993_i64}}),
    }
}

async fn append(db: &Db, new: &NewEntry, time: i64) -> Entry {
    let mut tx = db.write().await.unwrap();
    let entry = audit::append(&mut tx, new, at(time)).await.unwrap();
    tx.commit().await.unwrap();
    entry
}

async fn try_execute(db: &Db, text: &'static str) -> Result<u64, sqlx::Error> {
    match db {
        Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(|result| result.rows_affected()),
        Db::Postgres { pool } => sqlx::query(text).execute(pool).await.map(|result| result.rows_affected()),
    }
}

/// What somebody can do who owns the database: take the triggers away first.
async fn tamper(db: &Db, text: &'static str) {
    let triggers: &[&'static str] = match db {
        Db::Sqlite { .. } => {
            &["DROP TRIGGER IF EXISTS audit_logs_refuse_update", "DROP TRIGGER IF EXISTS audit_logs_refuse_delete"]
        }
        Db::Postgres { .. } => &["ALTER TABLE audit_logs DISABLE TRIGGER ALL"],
    };
    for trigger in triggers {
        try_execute(db, trigger).await.unwrap();
    }
    assert_eq!(try_execute(db, text).await.unwrap(), 1);
}

on_both_engines! {
    async fn the_database_refuses_to_change_delete_replace_or_empty_the_log(test: TestDatabase) {
        let db = &test.db;
        append(db, &entry(None, None, "tenant.added"), 1).await;
        let mut texts = vec![
            "UPDATE audit_logs SET actor_name = 'Eve'",
            "DELETE FROM audit_logs",
            "DELETE FROM audit_chain",
        ];
        match db {
            Db::Sqlite { .. } => texts.push("INSERT OR REPLACE INTO audit_logs SELECT * FROM audit_logs"),
            Db::Postgres { .. } => texts.extend(["TRUNCATE audit_logs", "TRUNCATE audit_chain"]),
        }
        for text in texts {
            assert!(try_execute(db, text).await.is_err(), "{text}");
        }
        assert!(matches!(audit::verify(db).await.unwrap(), Verification::Intact { entries: 1, .. }));
    }

    async fn entries_written_at_once_form_one_chain_without_gaps(test: TestDatabase) {
        let db = &test.db;
        assert!(matches!(audit::verify(db).await.unwrap(), Verification::Intact { entries: 0, .. }));
        let entries: Vec<_> = (0..25).map(|_| entry(None, None, "x.y")).collect();
        let written =
            futures::future::join_all(entries.iter().enumerate().map(|(time, new)| append(db, new, time as i64))).await;
        let mut seqs: Vec<_> = written.iter().map(|entry| entry.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
        let mut tx = db.write().await.unwrap();
        audit::append(&mut tx, &entry(None, None, "rolled.back"), at(99)).await.unwrap();
        tx.rollback().await.unwrap();
        append(db, &entry(None, None, "x.z"), 100).await;
        assert!(matches!(audit::verify(db).await.unwrap(), Verification::Intact { entries: 26, .. }));
    }

    async fn a_changed_entry_is_named(test: TestDatabase) {
        let db = &test.db;
        for time in 0..5 {
            append(db, &entry(None, None, "x.y"), time).await;
        }
        tamper(db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 3").await;
        let broken = Verification::Broken { seq: 3, problem: "was changed".to_owned() };
        assert_eq!(audit::verify(db).await.unwrap(), broken);
    }

    async fn a_removed_entry_is_named_in_the_middle_and_at_the_end(test: TestDatabase) {
        let db = &test.db;
        for time in 0..5 {
            append(db, &entry(None, None, "x.y"), time).await;
        }
        tamper(db, "DELETE FROM audit_logs WHERE seq = 5").await;
        let broken = |seq| Verification::Broken { seq, problem: "is missing".to_owned() };
        assert_eq!(audit::verify(db).await.unwrap(), broken(5));
        tamper(db, "DELETE FROM audit_logs WHERE seq = 2").await;
        assert_eq!(audit::verify(db).await.unwrap(), broken(2));
    }

    async fn the_beginning_of_an_action_is_found_whatever_the_collation(test: TestDatabase) {
        let db = &test.db;
        append(db, &entry(None, None, "inventory.sync.dispatched"), 1).await;
        append(db, &entry(None, None, "inventory.synced"), 2).await;
        if matches!(db, Db::Postgres { .. }) {
            // An order of words in which punctuation counts for nothing, as in dictionaries.
            for text in [
                "CREATE COLLATION words (provider = icu, locale = 'und-u-ka-shifted')",
                "ALTER TABLE audit_logs ALTER COLUMN action TYPE TEXT COLLATE words",
            ] {
                try_execute(db, text).await.unwrap();
            }
        }
        let filter = Filter { action: Some("inventory.sync.".to_owned()), limit: 50, ..Filter::default() };
        let found: Vec<_> = audit::list(db, &filter).await.unwrap().into_iter().map(|entry| entry.action).collect();
        assert_eq!(found, ["inventory.sync.dispatched"]);
    }

    async fn entries_are_listed_newest_first_by_what_is_asked_for(test: TestDatabase) {
        let db = &test.db;
        let (contoso, ada) = (TenantId::from_uuid(Uuid::now_v7()), UserId::from_uuid(Uuid::now_v7()));
        let first = append(db, &entry(Some(contoso), Some(ada), "inventory.sync.dispatched"), 1).await;
        append(db, &entry(Some(contoso), None, "inventory.sync.completed"), 2).await;
        append(db, &entry(None, Some(ada), "user.added"), 3).await;
        let count = |filter: Filter| async move { audit::list(db, &Filter { limit: 50, ..filter }).await.unwrap().len() };
        assert_eq!(count(Filter::default()).await, 3);
        assert_eq!(count(Filter { tenant_id: Some(contoso), ..Filter::default() }).await, 2);
        assert_eq!(count(Filter { actor_id: Some(ada), ..Filter::default() }).await, 2);
        assert_eq!(count(Filter { action: Some("inventory.sync.".to_owned()), ..Filter::default() }).await, 2);
        assert_eq!(count(Filter { action: Some("inventory.sync".to_owned()), ..Filter::default() }).await, 0);
        assert_eq!(count(Filter { action: Some("user.added".to_owned()), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { from: Some(at(2)), until: Some(at(3)), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { resource_type: Some("tenant".to_owned()), ..Filter::default() }).await, 0);
        assert_eq!(count(Filter { resource_id: Some("1".to_owned()), before_seq: Some(2), ..Filter::default() }).await, 1);
        assert_eq!(audit::get(db, Some(contoso), first.id).await.unwrap().unwrap(), first);
        let other = TenantId::from_uuid(Uuid::now_v7());
        assert!(audit::get(db, Some(other), first.id).await.unwrap().is_none());
    }
}
