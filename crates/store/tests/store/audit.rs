//! The audit log cannot be changed, and tampering shows.

use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_store::Db;
use tenantatlas_store::audit::{self, Filter};
use tenantatlas_store::testing::on_both_engines;
use uuid::Uuid;

use crate::audit_world::{Log, entry, execute};
use crate::world::at;

on_both_engines! {
    async fn the_database_refuses_to_change_delete_replace_or_empty_the_log(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.append(&entry(None, None, "tenant.added"), 1).await;
        let mut texts = vec![
            "UPDATE audit_logs SET actor_name = 'Eve'",
            "DELETE FROM audit_logs",
            "DELETE FROM audit_chain",
            "UPDATE audit_chain SET last_seq = 0",
            "UPDATE audit_chain SET last_seq = last_seq + 2",
            "UPDATE audit_chain SET last_hash = plain_hash",
            "UPDATE audit_chain SET seal = NULL",
            "UPDATE audit_chain SET plain_seq = last_seq",
            "UPDATE audit_chain SET plain_seal = NULL",
            "UPDATE audit_chain SET one = 1, installation_id = NULL",
        ];
        match &log.db {
            Db::Sqlite { .. } => texts.extend([
                "INSERT OR REPLACE INTO audit_logs SELECT * FROM audit_logs",
                "INSERT OR REPLACE INTO audit_chain SELECT * FROM audit_chain",
                "UPDATE OR REPLACE audit_logs SET seq = 1",
            ]),
            Db::Postgres { .. } => texts.extend(["TRUNCATE audit_logs", "TRUNCATE audit_chain"]),
        }
        for text in texts {
            assert!(execute(&log.db, text).await.is_err(), "{text}");
        }
        log.assert_intact(1).await;
    }

    async fn entries_written_at_once_form_one_chain_without_gaps(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.assert_intact(0).await;
        let entries: Vec<_> = (0..25).map(|_| entry(None, None, "x.y")).collect();
        let written =
            futures::future::join_all(entries.iter().enumerate().map(|(time, new)| log.append(new, time as i64))).await;
        let mut seqs: Vec<_> = written.iter().map(|entry| entry.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
        let mut tx = log.db.write().await.unwrap();
        audit::append(&mut tx, &log.vault, &entry(None, None, "rolled.back"), at(99)).await.unwrap();
        tx.rollback().await.unwrap();
        log.append(&entry(None, None, "x.z"), 100).await;
        log.assert_intact(26).await;
    }

    async fn a_changed_entry_is_named(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(5).await;
        log.tamper(&["UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 3"]).await;
        let problems = log.assert_broken("entry 3 was changed").await;
        assert_eq!(problems.iter().map(audit::Problem::seq).collect::<Vec<_>>(), [Some(3)]);
    }

    async fn a_removed_entry_is_named_in_the_middle_and_at_the_end(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(5).await;
        log.tamper(&["DELETE FROM audit_logs WHERE seq = 5"]).await;
        log.assert_broken("entry 5 is missing").await;
        log.tamper(&["DELETE FROM audit_logs WHERE seq = 2"]).await;
        log.assert_broken("entry 2 is missing").await;
        log.tamper(&["DELETE FROM audit_logs"]).await;
        log.assert_broken("entry 1 is missing").await;
    }

    async fn the_beginning_of_an_action_is_found_whatever_the_collation(test: TestDatabase) {
        let log = Log::new(&test).await;
        let db = &log.db;
        log.append(&entry(None, None, "inventory.sync.dispatched"), 1).await;
        log.append(&entry(None, None, "inventory.synced"), 2).await;
        if matches!(db, Db::Postgres { .. }) {
            // An order of words in which punctuation counts for nothing, as in dictionaries.
            for text in [
                "CREATE COLLATION words (provider = icu, locale = 'und-u-ka-shifted')",
                "ALTER TABLE audit_logs ALTER COLUMN action TYPE TEXT COLLATE words",
            ] {
                execute(db, text).await.unwrap();
            }
        }
        let filter = Filter { action: Some("inventory.sync.".to_owned()), limit: 50, ..Filter::default() };
        let found: Vec<_> = audit::list(db, &filter).await.unwrap().into_iter().map(|entry| entry.action).collect();
        assert_eq!(found, ["inventory.sync.dispatched"]);
    }

    async fn entries_are_listed_newest_first_by_what_is_asked_for(test: TestDatabase) {
        let log = Log::new(&test).await;
        let db = &log.db;
        let (contoso, ada) = (TenantId::from_uuid(Uuid::now_v7()), UserId::from_uuid(Uuid::now_v7()));
        let first = log.append(&entry(Some(contoso), Some(ada), "inventory.sync.dispatched"), 1).await;
        log.append(&entry(Some(contoso), None, "inventory.sync.completed"), 2).await;
        log.append(&entry(None, Some(ada), "user.added"), 3).await;
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
