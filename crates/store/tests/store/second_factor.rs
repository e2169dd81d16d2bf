//! Sign-ins that wait for a second factor, second factors, known browsers.

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{StoreError, Vault, known_browsers, pending_sign_ins, second_factors, users};
use uuid::Uuid;

use crate::world::{at, user};

const SESSION: Uuid = Uuid::from_u128(7);

fn waiting(token: u8, user: UserId, until: i64) -> pending_sign_ins::NewPendingSignIn {
    pending_sign_ins::NewPendingSignIn {
        token_hash: [token; 32],
        user_id: user,
        expires_at: at(until),
        address: format!("192.0.2.{token}"),
        user_agent: "a\0browser".to_owned(),
        set_up: None,
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

on_both_engines! {
    async fn a_sign_in_that_waits_ends_in_time_works_once_and_never_for_a_disabled_person(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        let mut tx = db.write().await.unwrap();
        pending_sign_ins::create(&mut tx, &waiting(1, ada, 10), at(0)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pending_sign_ins::find(db, &[1; 32], at(9)).await.unwrap().map(|user| user.id), Some(ada));
        assert!(pending_sign_ins::find(db, &[1; 32], at(10)).await.unwrap().is_none());
        assert!(tenantatlas_store::sessions::find(db, &[1; 32], at(1)).await.unwrap().is_none(), "it is no session");
        let mut tx = db.write().await.unwrap();
        users::set_disabled(&mut tx, ada, Some(at(1)), at(1)).await.unwrap();
        assert!(pending_sign_ins::find(&mut tx, &[1; 32], at(2)).await.unwrap().is_none());
        assert!(!pending_sign_ins::take(&mut tx, &[1; 32], at(10)).await.unwrap());
        assert!(pending_sign_ins::take(&mut tx, &[1; 32], at(9)).await.unwrap());
        assert!(!pending_sign_ins::take(&mut tx, &[1; 32], at(9)).await.unwrap());
        let mut ended = Vec::new();
        for token in 0..30 {
            let new = waiting(token, ada, 1_000);
            ended.extend(pending_sign_ins::create(&mut tx, &new, at(i64::from(token))).await.unwrap());
            assert!(token % 2 == 0 || pending_sign_ins::tell(&mut tx, &[token; 32]).await.unwrap());
        }
        let addresses: Vec<&str> = ended.iter().map(|one| one.address.as_str()).collect();
        let expected: Vec<String> = (0..20).step_by(2).map(|token| format!("192.0.2.{token}")).collect();
        assert_eq!(addresses, expected, "whoever had to go, and the person was not told of it");
        assert_eq!(pending_sign_ins::remove_all(&mut tx, ada).await.unwrap(), 10, "no more than ten wait");
        pending_sign_ins::create(&mut tx, &waiting(1, ada, 10), at(0)).await.unwrap();
        assert!(!pending_sign_ins::has_ended(&mut tx, at(9)).await.unwrap());
        assert!(pending_sign_ins::has_ended(&mut tx, at(10)).await.unwrap());
        let ended = pending_sign_ins::remove_ended(&mut tx, at(10)).await.unwrap();
        assert_eq!(ended.iter().map(|one| (one.user_id, one.user_agent.as_str())).collect::<Vec<_>>(), [(ada, "abrowser")]);
        assert!(!pending_sign_ins::has_ended(&mut tx, at(10)).await.unwrap());
    }

    async fn what_one_sign_in_sets_up_is_seen_by_no_other_of_the_same_person(test: TestDatabase) {
        let db = &test.db;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
        let ada = user(db, "Ada", false).await;
        let mut tx = db.write().await.unwrap();
        for (token, text) in [(1, "one"), (2, "two")] {
            let sealed = pending_sign_ins::SetUpOfSignIn::seal(&mut tx, &vault, ada, &secret(text), &secret("a b")).await;
            let set_up = sealed.unwrap();
            let new = pending_sign_ins::NewPendingSignIn { set_up: Some(set_up), ..waiting(token, ada, 10) };
            pending_sign_ins::create(&mut tx, &new, at(0)).await.unwrap();
        }
        pending_sign_ins::create(&mut tx, &waiting(3, ada, 10), at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let found = pending_sign_ins::set_up(db, &[1; 32], at(9)).await.unwrap().unwrap();
        assert_eq!(found.secret(&vault).unwrap().expose_secret(), "one");
        assert_eq!(found.recovery_codes(&vault).unwrap().expose_secret(), "a b");
        for (token, now) in [(3, 9), (4, 9), (1, 10)] {
            assert!(pending_sign_ins::set_up(db, &[token; 32], at(now)).await.unwrap().is_none());
        }
        let mut tx = db.write().await.unwrap();
        assert!(second_factors::enrol(&mut tx, &vault, ada, &secret("one"), 5, at(1)).await.unwrap());
        assert!(!second_factors::enrol(&mut tx, &vault, ada, &secret("two"), 5, at(1)).await.unwrap(), "one is in force");
        let others = pending_sign_ins::remove_others(&mut tx, ada, &[1; 32]).await.unwrap();
        assert_eq!(others.len(), 2);
        let factor = second_factors::get(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!((factor.secret(&vault).unwrap().expose_secret(), factor.last_step), ("one", 5));
    }

    async fn a_second_factor_in_force_is_replaced_by_no_other_and_opens_only_for_its_person(test: TestDatabase) {
        let db = &test.db;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        assert!(second_factors::begin(&mut tx, &vault, ada, SESSION, &secret("one"), &secret("a b"), at(1)).await.unwrap());
        assert!(second_factors::begin(&mut tx, &vault, ada, SESSION, &secret("two"), &secret("c d"), at(2)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!second_factors::is_active(db, ada).await.unwrap());
        let mut tx = db.write().await.unwrap();
        assert!(second_factors::confirm(&mut tx, ada, 5, at(3)).await.unwrap());
        assert!(!second_factors::confirm(&mut tx, ada, 6, at(3)).await.unwrap());
        assert!(!second_factors::begin(&mut tx, &vault, ada, SESSION, &secret("three"), &secret("e"), at(4)).await.unwrap());
        tx.commit().await.unwrap();
        let mut found = second_factors::get(db, ada).await.unwrap().unwrap();
        assert_eq!(found.secret(&vault).unwrap().expose_secret(), "two");
        assert_eq!(found.new_recovery_codes(&vault).unwrap().unwrap().expose_secret(), "c d");
        found.user_id = bob;
        assert!(matches!(found.secret(&vault), Err(StoreError::Sealed)), "moved to another person it does not open");
        assert_eq!(second_factors::active(db).await.unwrap(), [ada]);
        let mut tx = db.write().await.unwrap();
        assert_eq!(second_factors::lock(&mut tx, ada).await.unwrap().unwrap().last_step, 5);
        assert!(!second_factors::use_step(&mut tx, ada, 5, 7).await.unwrap(), "a code works once");
        assert!(second_factors::use_step(&mut tx, ada, 6, 7).await.unwrap());
        assert!(!second_factors::use_step(&mut tx, ada, 4, 7).await.unwrap(), "nor does one before it");
        assert!(second_factors::use_step(&mut tx, ada, 4, 5).await.unwrap(), "a clock that was ahead locks nobody out");
        assert!(!second_factors::use_step(&mut tx, ada, 4, 5).await.unwrap());
    }

    async fn a_recovery_code_works_once_and_new_ones_replace_the_old(test: TestDatabase) {
        let db = &test.db;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        second_factors::begin(&mut tx, &vault, ada, SESSION, &secret("one"), &secret("a b"), at(1)).await.unwrap();
        assert!(!second_factors::show_recovery_codes(&mut tx, &vault, ada, SESSION, &secret("x")).await.unwrap());
        second_factors::confirm(&mut tx, ada, 5, at(3)).await.unwrap();
        second_factors::set_recovery_codes(&mut tx, ada, &[[1; 32], [2; 32]], at(3)).await.unwrap();
        assert!(second_factors::get(&mut tx, ada).await.unwrap().unwrap().new_recovery_codes(&vault).unwrap().is_none());
        assert!(!second_factors::use_recovery_code(&mut tx, bob, &[1; 32]).await.unwrap());
        assert!(second_factors::use_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
        assert!(!second_factors::use_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
        assert_eq!(second_factors::recovery_codes_left(&mut tx, ada).await.unwrap(), 1);
        assert!(second_factors::show_recovery_codes(&mut tx, &vault, ada, SESSION, &secret("x")).await.unwrap());
        second_factors::set_recovery_codes(&mut tx, ada, &[[3; 32]], at(4)).await.unwrap();
        assert!(!second_factors::use_recovery_code(&mut tx, ada, &[2; 32]).await.unwrap());
        assert!(second_factors::remove(&mut tx, ada).await.unwrap());
        assert!(!second_factors::remove(&mut tx, ada).await.unwrap());
        assert_eq!(second_factors::recovery_codes_left(&mut tx, ada).await.unwrap(), 0);
        second_factors::begin(&mut tx, &vault, bob, SESSION, &secret("one"), &secret("a"), at(1)).await.unwrap();
        assert_eq!(second_factors::remove_unconfirmed(&mut tx, at(1)).await.unwrap(), 0);
        assert_eq!(second_factors::remove_unconfirmed(&mut tx, at(2)).await.unwrap(), 1);
    }

    async fn ten_browsers_of_a_person_are_remembered_and_none_of_another_person(test: TestDatabase) {
        let db = &test.db;
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        for token in 1..=12_u8 {
            known_browsers::remember(&mut tx, ada, &[token; 32], at(i64::from(token))).await.unwrap();
        }
        known_browsers::remember(&mut tx, ada, &[3; 32], at(50)).await.unwrap();
        tx.commit().await.unwrap();
        let known = async |token: u8| known_browsers::is_known(db, ada, &[token; 32]).await.unwrap();
        assert_eq!([known(1).await, known(2).await, known(3).await, known(12).await], [false, false, true, true]);
        assert!(!known_browsers::is_known(db, bob, &[12; 32]).await.unwrap());
        let mut tx = db.write().await.unwrap();
        assert_eq!(known_browsers::remove_old(&mut tx, at(5)).await.unwrap(), 1);
        assert_eq!(known_browsers::forget_all(&mut tx, ada, Some(&[12; 32])).await.unwrap(), 8);
        assert_eq!(known_browsers::forget_all(&mut tx, ada, None).await.unwrap(), 1);
    }
}
