//! The root key was replaced: the log goes on, and what was there before stays as it is.

use tenantatlas_store::audit::{self, Resealed};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{StoreError, Vault};

use crate::audit_world::{Log, entry, execute};
use crate::world::at;

/// Replaces the root key as docs/security.md says. Answers where the old one lies.
async fn replace_key(log: &mut Log) -> std::path::PathBuf {
    let (key, former) = (log.vault.path().to_owned(), log.keys.path().join("former.key"));
    std::fs::rename(&key, &former).unwrap();
    let _ = std::fs::remove_file(audit::witness_path(&log.vault));
    execute(&log.db, "DELETE FROM schema_facts WHERE name = 'vault_key_check'").await.unwrap();
    log.start_again().await;
    former
}

async fn reseal(log: &Log, former: Option<&std::path::Path>) -> Resealed {
    let former = former.map(|path| Vault::former_audit_keys(path).unwrap());
    audit::reseal(&log.db, &log.vault, former.as_ref(), &entry(None, None, "audit.resealed"), at(20)).await.unwrap()
}

/// The sentences of what stood in the way.
fn refused(resealed: Resealed) -> String {
    let Resealed::Refused(problems) = resealed else { panic!("sealed: {resealed:?}") };
    problems.iter().map(audit::Problem::sentence).collect::<Vec<_>>().join("; ")
}

on_both_engines! {
    async fn a_replaced_root_key_does_not_break_the_log_for_ever(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(4).await;
        let former = replace_key(&mut log).await;
        log.assert_broken("audit reseal").await;
        assert_eq!(reseal(&log, Some(&former)).await, Resealed::Done { entries: 5 });
        log.assert_intact(5).await;
        log.grow(3).await;
        log.start_again().await;
        log.assert_intact(8).await;
        let anchored = audit::anchor(&log.db, &log.vault.audit_keys(), at(21)).await.unwrap().expect("sealed");
        assert_eq!(anchored.check(&log.db, &log.vault.audit_keys()).await.unwrap(), None);
        let filter = audit::Filter { action: Some("audit.resealed".to_owned()), limit: 9, ..Default::default() };
        let told = audit::list(&log.db, &filter).await.unwrap().remove(0).context;
        assert_eq!((&told["seq"], &told["verified"]), (&4.into(), &true.into()), "{told}");
        assert_eq!(reseal(&log, Some(&former)).await, Resealed::NotNeeded);
        // And again.
        let former = replace_key(&mut log).await;
        assert_eq!(reseal(&log, Some(&former)).await, Resealed::Done { entries: 9 });
        log.assert_intact(9).await;
    }

    async fn entries_of_a_replaced_key_cannot_be_changed_unseen(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(4).await;
        let former = replace_key(&mut log).await;
        reseal(&log, Some(&former)).await;
        log.grow(2).await;
        log.tamper(&["UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 2"]).await;
        log.assert_broken("entries 1 to 4 are not those that were there when the root key was replaced").await;
    }

    async fn a_boundary_that_was_taken_away_or_made_without_the_key_shows(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(2).await;
        let former = replace_key(&mut log).await;
        reseal(&log, Some(&former)).await;
        for other in [
            "UPDATE schema_facts SET value = replace(value, '\"seq\":2', '\"seq\":3') WHERE name = 'audit_boundary'",
            "UPDATE schema_facts SET value = '{}' WHERE name = 'audit_boundary'",
            "DELETE FROM schema_facts WHERE name = 'audit_boundary'",
        ] {
            execute(&log.db, other).await.unwrap();
            log.assert_broken("was not made with this key").await;
        }
    }

    async fn a_replaced_key_does_not_cover_up_what_was_done_to_the_log_before(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(4).await;
        // With the present key in place there is nothing to seal anew, whatever is wrong.
        log.tamper(&["UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 2"]).await;
        assert!(refused(reseal(&log, None).await).contains("entry 2 was changed"));
        let former = replace_key(&mut log).await;
        assert!(refused(reseal(&log, Some(&former)).await).contains("entry 2 was changed"));
        log.tamper(&["DELETE FROM audit_logs WHERE seq = 3"]).await;
        assert!(refused(reseal(&log, None).await).contains("entry 3 is missing"));
    }

    async fn without_the_former_key_or_with_entries_in_between_the_log_is_taken_as_it_is_and_says_so(test: TestDatabase) {
        let mut log = Log::new(&test).await;
        log.grow(3).await;
        let former = replace_key(&mut log).await;
        log.grow(2).await;
        assert!(refused(reseal(&log, Some(&former)).await).contains("entry 4 was changed"));
        assert_eq!(reseal(&log, None).await, Resealed::Done { entries: 6 });
        log.assert_intact(6).await;
        let filter = audit::Filter { action: Some("audit.resealed".to_owned()), limit: 9, ..Default::default() };
        assert_eq!(audit::list(&log.db, &filter).await.unwrap()[0].context["verified"], false);
        std::fs::remove_file(&former).unwrap();
        assert!(matches!(Vault::former_audit_keys(&former), Err(StoreError::KeyFile { .. })));
    }
}
