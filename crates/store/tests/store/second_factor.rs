//! Sign-ins that wait for a second factor, second factors, known browsers.

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{StoreError, Vault, known_browsers, pending_sign_ins, second_factors, users};

use crate::world::{at, user};

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

on_both_engines! {
    async fn a_sign_in_that_waits_ends_in_time_works_once_and_never_for_a_disabled_person(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        let mut tx = db.write().await.unwrap();
        pending_sign_ins::create(&mut tx, &[1; 32], ada, at(0), at(10)).await.unwrap();
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
        for token in 0..30 {
            pending_sign_ins::create(&mut tx, &[token; 32], ada, at(i64::from(token)), at(1_000)).await.unwrap();
        }
        assert_eq!(pending_sign_ins::remove_all(&mut tx, ada).await.unwrap(), 10, "no more than ten wait");
        pending_sign_ins::create(&mut tx, &[1; 32], ada, at(0), at(10)).await.unwrap();
        assert_eq!(pending_sign_ins::remove_ended(&mut tx, at(10)).await.unwrap(), 1);
    }

    async fn a_second_factor_in_force_is_replaced_by_no_other_and_opens_only_for_its_person(test: TestDatabase) {
        let db = &test.db;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        assert!(second_factors::begin(&mut tx, &vault, ada, &secret("one"), &secret("a b"), at(1)).await.unwrap());
        assert!(second_factors::begin(&mut tx, &vault, ada, &secret("two"), &secret("c d"), at(2)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!second_factors::is_active(db, ada).await.unwrap());
        let mut tx = db.write().await.unwrap();
        assert!(second_factors::confirm(&mut tx, ada, 5, at(3)).await.unwrap());
        assert!(!second_factors::confirm(&mut tx, ada, 6, at(3)).await.unwrap());
        assert!(!second_factors::begin(&mut tx, &vault, ada, &secret("three"), &secret("e"), at(4)).await.unwrap());
        tx.commit().await.unwrap();
        let mut found = second_factors::get(db, ada).await.unwrap().unwrap();
        assert_eq!(found.secret(&vault).unwrap().expose_secret(), "two");
        assert_eq!(found.new_recovery_codes(&vault).unwrap().unwrap().expose_secret(), "c d");
        found.user_id = bob;
        assert!(matches!(found.secret(&vault), Err(StoreError::Sealed)), "moved to another person it does not open");
        assert_eq!(second_factors::active(db).await.unwrap(), [ada]);
        let mut tx = db.write().await.unwrap();
        assert_eq!(second_factors::lock(&mut tx, ada).await.unwrap().unwrap().last_step, 5);
        assert!(!second_factors::use_step(&mut tx, ada, 5).await.unwrap(), "a code works once");
        assert!(second_factors::use_step(&mut tx, ada, 6).await.unwrap());
        assert!(!second_factors::use_step(&mut tx, ada, 4).await.unwrap(), "nor does one before it");
    }

    async fn a_recovery_code_works_once_and_new_ones_replace_the_old(test: TestDatabase) {
        let db = &test.db;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        second_factors::begin(&mut tx, &vault, ada, &secret("one"), &secret("a b"), at(1)).await.unwrap();
        assert!(!second_factors::show_recovery_codes(&mut tx, &vault, ada, &secret("x")).await.unwrap());
        second_factors::confirm(&mut tx, ada, 5, at(3)).await.unwrap();
        second_factors::set_recovery_codes(&mut tx, ada, &[[1; 32], [2; 32]], at(3)).await.unwrap();
        assert!(second_factors::get(&mut tx, ada).await.unwrap().unwrap().new_recovery_codes(&vault).unwrap().is_none());
        assert!(!second_factors::use_recovery_code(&mut tx, bob, &[1; 32]).await.unwrap());
        assert!(second_factors::use_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
        assert!(!second_factors::use_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
        assert_eq!(second_factors::recovery_codes_left(&mut tx, ada).await.unwrap(), 1);
        assert!(second_factors::show_recovery_codes(&mut tx, &vault, ada, &secret("x")).await.unwrap());
        second_factors::set_recovery_codes(&mut tx, ada, &[[3; 32]], at(4)).await.unwrap();
        assert!(!second_factors::use_recovery_code(&mut tx, ada, &[2; 32]).await.unwrap());
        assert!(second_factors::remove(&mut tx, ada).await.unwrap());
        assert!(!second_factors::remove(&mut tx, ada).await.unwrap());
        assert_eq!(second_factors::recovery_codes_left(&mut tx, ada).await.unwrap(), 0);
        second_factors::begin(&mut tx, &vault, bob, &secret("one"), &secret("a"), at(1)).await.unwrap();
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
