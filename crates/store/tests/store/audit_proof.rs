//! Whoever owns the database and not the key cannot make it look as if nothing had been.

use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{self, Anchor, Verification, Witnessed, witness_path};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db};

use crate::audit_world::{Log, disarm, entry, execute, rearm};
use crate::world::at;

/// Keeps the end of the log as it is in a table of its own, seals and all.
const KEEP_END: &str = "CREATE TABLE kept AS SELECT * FROM audit_chain";
/// Puts it back.
const PUT_END_BACK: &str = "UPDATE audit_chain SET last_seq = (SELECT last_seq FROM kept), \
                            last_hash = (SELECT last_hash FROM kept), seal = (SELECT seal FROM kept)";

async fn anchor(log: &Log) -> Anchor {
    audit::anchor(&log.db, &log.vault.audit_keys(), at(7)).await.unwrap().expect("sealed")
}

async fn check(log: &Log, anchor: &Anchor) -> Option<String> {
    anchor.check(&log.db, &log.vault.audit_keys()).await.unwrap().map(|problem| problem.sentence())
}

/// What a database of version 12 holds: entries whose hashes have no key.
async fn old_log(backend: Backend, count: i64) -> TestDatabase {
    let test = TestDatabase::of_version(backend, 12).await;
    for time in 0..count {
        let mut tx = test.db.write().await.unwrap();
        audit::append_without_key(&mut tx, &entry(None, None, "x.y"), at(time)).await.unwrap();
        tx.commit().await.unwrap();
    }
    test
}

on_both_engines! {
    async fn entries_cut_off_at_the_end_show_though_the_end_was_set_back(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(5).await;
        log.tamper(&[
            "DELETE FROM audit_logs WHERE seq > 3",
            "UPDATE audit_chain SET last_seq = 3, last_hash = (SELECT hash FROM audit_logs WHERE seq = 3)",
        ])
        .await;
        log.assert_broken("cut off at the end").await;
    }

    async fn a_log_that_was_emptied_shows(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(3).await;
        let zeros = match &log.db {
            Db::Sqlite { .. } => "UPDATE audit_chain SET last_seq = 0, last_hash = zeroblob(32)",
            Db::Postgres { .. } => "UPDATE audit_chain SET last_seq = 0, last_hash = decode(repeat('00', 32), 'hex')",
        };
        log.tamper(&["DELETE FROM audit_logs", zeros]).await;
        log.assert_broken("cut off at the end").await;
    }

    async fn what_is_written_afterwards_does_not_cover_up_what_was_cut_off(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(5).await;
        log.tamper(&[
            "DELETE FROM audit_logs WHERE seq > 3",
            "UPDATE audit_chain SET last_seq = 3, last_hash = (SELECT hash FROM audit_logs WHERE seq = 3)",
        ])
        .await;
        log.grow(4).await;
        log.start_again().await;
        log.assert_broken("cut off at the end").await;
        assert!(audit::anchor(&log.db, &log.vault.audit_keys(), at(0)).await.unwrap().is_none(), "nothing to anchor");
    }

    async fn a_log_that_was_made_anew_without_the_key_shows_whatever_it_claims_to_be(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(4).await;
        let guards = disarm(&log.db).await;
        execute(&log.db, "DELETE FROM audit_logs").await.unwrap();
        let start = match &log.db {
            Db::Sqlite { .. } => "UPDATE audit_chain SET last_seq = 0, last_hash = zeroblob(32)",
            Db::Postgres { .. } => "UPDATE audit_chain SET last_seq = 0, last_hash = decode(repeat('00', 32), 'hex')",
        };
        execute(&log.db, start).await.unwrap();
        for time in 0..4 {
            let mut tx = log.db.write().await.unwrap();
            audit::append_without_key(&mut tx, &entry(None, None, "forged"), at(time)).await.unwrap();
            tx.commit().await.unwrap();
        }
        rearm(&log.db, guards).await;
        let problems = log.assert_broken("entry 1 was changed").await;
        assert_eq!(problems.iter().find_map(audit::Problem::seq), Some(1));
        // It says that all of it is of an earlier version.
        log.tamper(&["UPDATE audit_chain SET plain_seq = last_seq, plain_hash = last_hash"]).await;
        log.assert_broken("entries of earlier versions").await;
        log.start_again().await;
        log.assert_broken("entries of earlier versions").await;
    }

    async fn a_seal_that_was_taken_away_is_made_anew_at_the_next_start_but_this_machine_knows_better(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(4).await;
        assert_eq!(log.remember().await, Witnessed::UpToDate);
        let removed = "UPDATE audit_chain SET installation_id = NULL, plain_seq = NULL, plain_hash = NULL, \
                       plain_seal = NULL, seal = NULL";
        log.tamper(&[removed]).await;
        log.assert_broken("was not made with this key").await;
        log.start_again().await;
        log.assert_broken("that of another database").await;
        assert!(matches!(log.remember().await, Witnessed::Contradicted(_)));
    }

    async fn an_end_that_was_sealed_once_shows_against_what_this_machine_has_seen_and_against_an_anchor(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(3).await;
        execute(&log.db, KEEP_END).await.unwrap();
        log.grow(3).await;
        assert_eq!(log.remember().await, Witnessed::UpToDate);
        let anchored = anchor(&log).await;
        assert_eq!(check(&log, &anchored).await, None);
        log.tamper(&["DELETE FROM audit_logs WHERE seq > 3", PUT_END_BACK]).await;

        let problems = log.assert_broken("older than what this machine has seen: entries 4 to 6 are gone").await;
        assert_eq!(problems.len(), 1, "in itself it is intact: {problems:?}");
        assert!(check(&log, &anchored).await.unwrap().contains("up to the anchored entry 6 are gone"));
        // Others are written in their place: the witness stays as it was, since it is the proof.
        log.grow(5).await;
        assert!(matches!(log.remember().await, Witnessed::Contradicted(_)));
        log.assert_broken("entry 6 is not the one that this machine has seen").await;
        assert!(check(&log, &anchored).await.unwrap().contains("is not the one that was anchored"));
        // Without that file only the anchor tells.
        std::fs::remove_file(witness_path(&log.vault)).unwrap();
        log.assert_intact(8).await;
        assert!(check(&log, &anchored).await.is_some());
    }

    async fn a_backup_that_was_restored_on_purpose_is_accepted_once_and_told_in_the_log(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(3).await;
        execute(&log.db, KEEP_END).await.unwrap();
        log.grow(2).await;
        log.remember().await;
        log.tamper(&["DELETE FROM audit_logs WHERE seq > 3", PUT_END_BACK]).await;
        log.assert_broken("--accept-restored").await;
        let told = entry(None, None, "audit.restored");
        assert_eq!(audit::accept_restored(&log.db, &log.vault, &told, at(10)).await.unwrap(), []);
        log.assert_intact(4).await;
        let filter = audit::Filter { action: Some("audit.restored".to_owned()), limit: 9, ..Default::default() };
        let entries = audit::list(&log.db, &filter).await.unwrap();
        assert_eq!((&entries[0].context["seen"]["seq"], &entries[0].context["found"]["seq"]), (&5.into(), &3.into()));
        assert_eq!(audit::accept_restored(&log.db, &log.vault, &told, at(11)).await.unwrap(), []);
        log.assert_intact(4).await;
        // What is broken in itself is not accepted.
        log.tamper(&["UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 2"]).await;
        assert!(!audit::accept_restored(&log.db, &log.vault, &told, at(12)).await.unwrap().is_empty());
        log.assert_broken("entry 2 was changed").await;
    }

    async fn what_this_machine_has_seen_cannot_be_made_up_without_the_key(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(2).await;
        log.remember().await;
        let path = witness_path(&log.vault);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let line = std::fs::read_to_string(&path).unwrap();
        for other in [line.replace("\"seq\":2", "\"seq\":1"), "not a line".to_owned(), String::new()] {
            std::fs::write(&path, other).unwrap();
            log.assert_broken("was changed or is damaged").await;
            assert!(matches!(log.remember().await, Witnessed::Contradicted(_)));
        }
        std::fs::write(&path, &line).unwrap();
        log.assert_intact(2).await;
        let mut anchored = anchor(&log).await;
        anchored.at = Timestamp::from_millis(1);
        assert!(check(&log, &anchored).await.unwrap().contains("was changed, or made with another key"));
    }

    async fn the_log_of_an_earlier_version_goes_on_with_a_key_and_its_old_entries_cannot_change(test: TestDatabase) {
        let old = old_log(test.db.backend(), 5).await;
        let report = old.db.migrate().await.unwrap();
        assert_eq!((report.applied, report.version), (usize::try_from(Db::known_version() - 12).unwrap(), Db::known_version()));
        // A process of the earlier version that still runs can write nothing that would break the chain.
        let mut tx = old.db.write().await.unwrap();
        assert!(audit::append_without_key(&mut tx, &entry(None, None, "late"), at(6)).await.is_err());
        drop(tx);
        let mut log = Log::new(&old).await;
        log.assert_intact(5).await;
        log.grow(3).await;
        log.start_again().await;
        log.assert_intact(8).await;
        log.tamper(&["UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 2"]).await;
        let problems = log.assert_broken("entry 2 was changed").await;
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    async fn entries_of_an_earlier_version_cannot_be_made_anew(test: TestDatabase) {
        let old = old_log(test.db.backend(), 3).await;
        old.db.migrate().await.unwrap();
        let log = Log::new(&old).await;
        let guards = disarm(&log.db).await;
        execute(&log.db, "DELETE FROM audit_logs WHERE seq = 3").await.unwrap();
        execute(&log.db, "UPDATE audit_chain SET last_seq = 2, last_hash = (SELECT hash FROM audit_logs WHERE seq = 2)").await.unwrap();
        let mut tx = log.db.write().await.unwrap();
        audit::append_without_key(&mut tx, &entry(None, None, "forged"), at(3)).await.unwrap();
        tx.commit().await.unwrap();
        rearm(&log.db, guards).await;
        log.assert_broken("entry 3 is not the last one of earlier versions that was sealed").await;
    }

    async fn an_entry_beyond_the_end_or_before_the_first_shows(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(2).await;
        let id = match &log.db {
            Db::Sqlite { .. } => "randomblob(16)",
            Db::Postgres { .. } => "gen_random_uuid()",
        };
        for (seq, words) in [(3, "entry 3 lies beyond the end"), (0, "an entry before the first one")] {
            let text = format!(
                "INSERT INTO audit_logs SELECT {seq}, {id}, at, tenant_id, actor_id, actor_kind, actor_name, actor_email, \
                 action, resource_type, resource_id, outcome, context, previous_hash, hash FROM audit_logs WHERE seq = 2"
            );
            execute(&log.db, text).await.unwrap();
            log.assert_broken(words).await;
        }
    }

    async fn a_trigger_that_is_missing_is_named(test: TestDatabase) {
        let log = Log::new(&test).await;
        log.grow(1).await;
        let (text, named) = match &log.db {
            Db::Sqlite { .. } => ("DROP TRIGGER audit_logs_refuse_delete", "the trigger audit_logs_refuse_delete"),
            Db::Postgres { .. } => ("DROP TRIGGER audit_logs_refuse_truncate ON audit_logs", "the trigger audit_logs_refuse_truncate"),
        };
        execute(&log.db, text).await.unwrap();
        let problems = log.assert_broken(named).await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].sentence().ends_with("is missing"), "{problems:?}");
    }

    async fn a_trigger_that_was_replaced_by_one_that_does_nothing_is_named(test: TestDatabase) {
        let log = Log::new(&test).await;
        let texts: &[&str] = match &log.db {
            Db::Sqlite { .. } => &[
                "DROP TRIGGER audit_logs_refuse_update",
                "CREATE TRIGGER audit_logs_refuse_update BEFORE UPDATE ON audit_logs BEGIN SELECT 1; END",
            ],
            Db::Postgres { .. } => &[
                "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$",
            ],
        };
        for text in texts {
            execute(&log.db, text).await.unwrap();
        }
        let named = match &log.db {
            Db::Sqlite { .. } => "the trigger audit_logs_refuse_update of the database was altered",
            Db::Postgres { .. } => "the trigger audit_logs_refuse_change of the database was altered",
        };
        log.assert_broken(named).await;
    }

    async fn a_constraint_that_was_taken_away_and_a_trigger_that_swallows_entries_are_named(test: TestDatabase) {
        let log = Log::new(&test).await;
        let (texts, named): (&[&str], &[&str]) = match &log.db {
            Db::Sqlite { .. } => (
                &["CREATE TRIGGER swallow BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(IGNORE); END"],
                &["the trigger swallow of the database was not made by TenantAtlas"],
            ),
            Db::Postgres { .. } => (
                &[
                    "ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_id_key",
                    "CREATE RULE swallow AS ON INSERT TO audit_logs DO INSTEAD NOTHING",
                    "ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_refuse_change",
                    "ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY",
                ],
                &[
                    "the constraint audit_logs_id_key of the database is missing",
                    "the rule swallow of the database was not made by TenantAtlas",
                    "the trigger audit_logs_refuse_change of the database was altered or switched off",
                    "the row security audit_logs of the database was not made by TenantAtlas",
                ],
            ),
        };
        for text in texts {
            execute(&log.db, text).await.unwrap();
        }
        for words in named {
            log.assert_broken(words).await;
        }
    }
}

#[tokio::test]
async fn a_new_log_is_intact_and_what_is_seen_of_it_grows_with_it() {
    let test = TestDatabase::sqlite().await;
    let log = Log::new(&test).await;
    log.assert_intact(0).await;
    for count in 1..=3 {
        log.grow(1).await;
        assert_eq!(log.remember().await, Witnessed::UpToDate);
        let line = std::fs::read_to_string(witness_path(&log.vault)).unwrap();
        assert!(line.contains(&format!("\"seq\":{count}")), "{line}");
        assert!(matches!(log.verify().await, Verification::Intact { .. }));
    }
    assert_eq!(std::fs::read_dir(log.keys.path()).unwrap().count(), 2, "the key and what was seen");
}
