//! Certificates that wait for a tenant.

use secrecy::SecretString;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::pending_certificates::{self as pending, PendingCertificate};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, Vault};
use uuid::Uuid;

use crate::world::{at, user};

async fn make(db: &Db, vault: &Vault, of: UserId, number: u64) -> Uuid {
    let id = Uuid::from_u128(u128::from(number));
    let made = at(i64::try_from(number).unwrap());
    let new = PendingCertificate { id, certificate: "public".to_owned(), created_at: made, expires_at: at(100) };
    let mut tx = db.write().await.unwrap();
    pending::create(&mut tx, vault, of, &new, &SecretString::from("private")).await.unwrap();
    tx.commit().await.unwrap();
    id
}

on_both_engines! {
    async fn no_person_keeps_more_certificates_waiting_than_they_may_and_each_ends(test: TestDatabase) {
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&test.db, &keys.path().join("key")).await.unwrap();
        let ada = user(&test.db, "Ada", true).await;
        let bob = user(&test.db, "Bob", true).await;
        make(&test.db, &vault, bob, 99).await;
        for number in 1..=7 {
            make(&test.db, &vault, ada, number).await;
        }
        let waiting = pending::list(&test.db, ada, at(10)).await.unwrap();
        let numbers: Vec<u128> = waiting.iter().map(|one| one.id.as_u128()).collect();
        assert_eq!(numbers, [7, 6, 5, 4, 3], "the newest first");
        assert_eq!(pending::list(&test.db, bob, at(10)).await.unwrap().len(), 1, "of another person");
        assert!(pending::list(&test.db, ada, at(100)).await.unwrap().is_empty(), "ended");
        let mut tx = test.db.write().await.unwrap();
        assert!(pending::take(&mut tx, &vault, ada, waiting[0].id, at(100)).await.unwrap().is_none(), "ended");
        assert!(pending::take(&mut tx, &vault, bob, waiting[0].id, at(10)).await.unwrap().is_none(), "not his");
        assert!(pending::take(&mut tx, &vault, ada, waiting[0].id, at(10)).await.unwrap().is_some());
        assert!(pending::take(&mut tx, &vault, ada, waiting[0].id, at(10)).await.unwrap().is_none(), "once");
        assert_eq!(pending::remove_ended(&mut tx, at(99)).await.unwrap(), 0);
        assert_eq!(pending::remove_ended(&mut tx, at(100)).await.unwrap(), 5);
        tx.commit().await.unwrap();
    }
}
