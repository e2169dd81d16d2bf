//! Tenants, their credentials and permissions.

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::inventory::write_batch;
use tenantatlas_store::permissions::{self, Permission};
use tenantatlas_store::tenants::{self, Cloud, ConnectionCheck, ConnectionStatus, Licence, TenantCredential};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, StoreError, Vault, operation_runs};
use uuid::Uuid;

use crate::world::{Sync, at, details, item, items, new_operation_run, tenant};

/// Deletes all that is left of a tenant that was taken away.
async fn purge(db: &Db, id: TenantId) {
    loop {
        let mut tx = db.write().await.unwrap();
        let more = tenants::purge_piece(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        if !more {
            return;
        }
    }
}

on_both_engines! {
    async fn a_tenant_is_found_by_name_in_any_case_by_id_and_by_entra_id(test: TestDatabase) {
        let db = &test.db;
        let id = tenant(db, "Contoso Ltd").await;
        let stored = tenants::get(db, id).await.unwrap().unwrap();
        assert_eq!(stored.connection_status, ConnectionStatus::Unchecked);
        for text in ["contoso LTD", &id.to_string(), &stored.entra_tenant_id.to_uppercase()] {
            let found = tenants::find(db, text).await.unwrap();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0], stored);
        }
        assert!(tenants::find(db, "Contoso").await.unwrap().is_empty());
        assert_eq!(tenants::list(db).await.unwrap(), [stored]);
    }

    async fn a_second_tenant_of_the_same_name_is_a_conflict_and_writes_nothing(test: TestDatabase) {
        let db = &test.db;
        tenant(db, "Contoso").await;
        let mut tx = db.write().await.unwrap();
        let again = TenantId::from_uuid(Uuid::now_v7());
        let error = tenants::create(&mut tx, again, &details(" CONTOSO "), at(1)).await.unwrap_err();
        assert!(error.is_conflict(), "{error:?}");
        drop(tx);
        assert_eq!(tenants::list(db).await.unwrap().len(), 1);
    }

    async fn a_credential_is_sealed_at_rest_and_bound_to_its_tenant(test: TestDatabase) {
        let db = &test.db;
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(db, &folder.path().join("key")).await.unwrap();
        let (one, other) = (tenant(db, "One").await, tenant(db, "Other").await);
        assert!(tenants::credential(db, &vault, one).await.unwrap().is_none());
        let mut tx = db.write().await.unwrap();
        let secret = TenantCredential::ClientSecret(SecretString::from("s3cret~value"));
        assert!(tenants::set_credential(&mut tx, &vault, one, &secret, at(1)).await.unwrap());
        let certificate = TenantCredential::Certificate {
            certificate_pem: "CERTIFICATE".to_owned(),
            private_key_pem: SecretString::from("PRIVATE"),
        };
        assert!(tenants::set_credential(&mut tx, &vault, other, &certificate, at(1)).await.unwrap());
        tx.commit().await.unwrap();
        match tenants::credential(db, &vault, one).await.unwrap().unwrap() {
            TenantCredential::ClientSecret(secret) => assert_eq!(secret.expose_secret(), "s3cret~value"),
            TenantCredential::Certificate { .. } => panic!("another kind"),
        }
        match tenants::credential(db, &vault, other).await.unwrap().unwrap() {
            TenantCredential::Certificate { certificate_pem, private_key_pem } => {
                assert_eq!((certificate_pem.as_str(), private_key_pem.expose_secret()), ("CERTIFICATE", "PRIVATE"));
            }
            TenantCredential::ClientSecret(_) => panic!("another kind"),
        }
        if let Some(folder) = test.folder() {
            for file in std::fs::read_dir(folder).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                assert!(!bytes.windows(12).any(|window| window == b"s3cret~value"));
            }
        }
    }

    async fn an_edit_or_a_new_credential_makes_the_connection_unchecked(test: TestDatabase) {
        let db = &test.db;
        let id = tenant(db, "Contoso").await;
        let check = ConnectionCheck {
            status: ConnectionStatus::Failed,
            reason: Some(ReasonCode::AuthFailed),
            message: Some("refused".to_owned()),
            organization: None,
            licence: Licence::Unknown,
            at: at(5),
        };
        let mut tx = db.write().await.unwrap();
        let edited = tenants::get(&mut tx, id).await.unwrap().unwrap().updated_at;
        assert!(!tenants::record_check(&mut tx, id, at(999), &check).await.unwrap(), "of a connection of another time");
        assert!(tenants::record_check(&mut tx, id, edited, &check).await.unwrap());
        tx.commit().await.unwrap();
        let stored = tenants::get(db, id).await.unwrap().unwrap();
        assert_eq!((stored.connection_status, stored.connection_reason), (check.status, check.reason));
        let mut changed = details("Fabrikam");
        changed.cloud = Cloud::Custom;
        changed.login_url = Some("http://127.0.0.1:1/login".to_owned());
        changed.graph_url = Some("http://127.0.0.1:1/graph".to_owned());
        let mut tx = db.write().await.unwrap();
        assert!(tenants::update(&mut tx, id, &changed, at(9)).await.unwrap());
        tx.commit().await.unwrap();
        let stored = tenants::get(db, id).await.unwrap().unwrap();
        assert_eq!((stored.name.as_str(), stored.cloud), ("Fabrikam", Cloud::Custom));
        assert_eq!((stored.connection_status, stored.connection_reason), (ConnectionStatus::Unchecked, None));
    }

    async fn permissions_are_replaced_as_a_whole_and_missing_ones_come_first(test: TestDatabase) {
        let db = &test.db;
        let id = tenant(db, "Contoso").await;
        let permission = |name: &str, granted| Permission {
            permission: name.to_owned(),
            required_by: vec!["alpha".to_owned(), "beta".to_owned()],
            granted,
        };
        for list in [vec![permission("Old", true)], vec![permission("A", true), permission("B", false)]] {
            let mut tx = db.write().await.unwrap();
            permissions::replace(&mut tx, id, &list, at(3)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let stored = permissions::list(db, id).await.unwrap();
        assert_eq!(stored, [permission("B", false), permission("A", true)]);
    }

    async fn removing_a_tenant_removes_everything_that_was_read_from_it_and_nothing_else(test: TestDatabase) {
        let db = &test.db;
        let (gone, stays) = (tenant(db, "Gone").await, tenant(db, "Stays").await);
        for (id, count) in [(gone, 20), (stays, 3)] {
            for content in ["a", "b"] {
                let sync = Sync::start(db, id, &["alpha"], at(0)).await;
                let mut all = items(count, content);
                all.push(item("linked", "Linked", content));
                sync.read("alpha", &all, at(0)).await;
                sync.finish(at(1)).await;
            }
        }
        let mut tx = db.write().await.unwrap();
        assert!(tenants::retire(&mut tx, gone, at(2)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(tenants::get(db, gone).await.unwrap().is_none(), "it is gone before its rows are");
        assert_eq!(tenants::list(db).await.unwrap().len(), 1);
        let again = tenant(db, "Gone").await;
        assert_ne!(again, gone, "its name is free at once");
        assert_eq!(tenants::retired(db).await.unwrap(), Some(gone));
        purge(db, gone).await;
        assert_eq!(tenants::retired(db).await.unwrap(), None);
        let view = tenantatlas_store::inventory::ScopeView::load(db, gone, None).await.unwrap();
        assert!(view.types.is_empty());
        let view = tenantatlas_store::inventory::ScopeView::load(db, stays, None).await.unwrap();
        assert_eq!(view.counts(&[]).present, 4);
        let mut tx = db.write().await.unwrap();
        assert!(!tenants::retire(&mut tx, gone, at(3)).await.unwrap());
    }

    async fn what_comes_while_a_tenant_is_removed_leaves_nothing_behind(test: TestDatabase) {
        let db = &test.db;
        let gone = tenant(db, "Gone").await;
        let sync = Sync::start(db, gone, &["alpha"], at(0)).await;
        let type_run = sync.begin("alpha", at(0)).await;
        let mut writing = db.write().await.unwrap();
        write_batch(&mut writing, &sync.fence, &sync.run, &type_run, &items(3, "a"), at(1)).await.unwrap();
        let removing = tokio::spawn({
            let db = db.clone();
            async move {
                let mut tx = db.write().await.unwrap();
                let removed = tenants::retire(&mut tx, gone, at(2)).await.unwrap();
                tx.commit().await.unwrap();
                purge(&db, gone).await;
                removed
            }
        });
        test.until_waiting(1).await;
        let mut dispatching = tokio::spawn({
            let db = db.clone();
            async move {
                let mut tx = db.write().await?;
                operation_runs::create(&mut tx, &new_operation_run(gone, "late", &["alpha"]), at(2)).await?;
                tx.commit().await
            }
        });
        // It waits as well, or was in time to be removed.
        let dispatched = tokio::select! {
            dispatched = &mut dispatching => Some(dispatched),
            () = test.until_waiting(2) => None,
        };
        assert!(!removing.is_finished());
        writing.commit().await.unwrap();
        assert!(removing.await.unwrap());
        // Refused, or in time.
        if dispatched.is_none() {
            drop(dispatching.await.unwrap());
        }
        let late = sync.write(&type_run, &items(5, "b"), at(3)).await.unwrap_err();
        assert!(matches!(late, StoreError::LeaseLost), "{late:?}");
        for count in ["SELECT COUNT(*) FROM inventory_items", "SELECT COUNT(*) FROM bulk_operation_runs"] {
            let left: i64 = match db {
                Db::Sqlite { writer, .. } => sqlx::query_scalar(count).fetch_one(writer).await.unwrap(),
                Db::Postgres { pool, .. } => sqlx::query_scalar(count).fetch_one(pool).await.unwrap(),
            };
            assert_eq!(left, 0, "{count}");
        }
    }

    async fn a_write_that_is_not_committed_leaves_nothing(test: TestDatabase) {
        let db = &test.db;
        let mut tx = db.write().await.unwrap();
        tenants::create(&mut tx, TenantId::from_uuid(Uuid::now_v7()), &details("Lost"), at(0)).await.unwrap();
        assert_eq!(tenants::list(&mut tx).await.unwrap().len(), 1);
        tx.rollback().await.unwrap();
        assert!(tenants::list(db).await.unwrap().is_empty());
        let mut tx = db.write().await.unwrap();
        let absent = TenantId::from_uuid(Uuid::now_v7());
        assert!(!tenants::update(&mut tx, absent, &details("Nobody"), at(0)).await.unwrap());
        let error = permissions::replace(
            &mut tx,
            absent,
            &[Permission { permission: "A".to_owned(), required_by: Vec::new(), granted: true }],
            at(0),
        )
        .await
        .unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
    }
}
