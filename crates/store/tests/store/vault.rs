//! The vault and its key file.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{StoreError, Vault};
use uuid::Uuid;

fn a_tenant() -> TenantId {
    TenantId::from_uuid(Uuid::new_v4())
}

on_both_engines! {
    async fn the_key_file_is_made_once_private_and_opens_what_it_sealed_after_a_restart(test: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let (one, other) = (a_tenant(), a_tenant());
        let vault = Vault::open(&test.db, &path).await.unwrap();
        let sealed = vault.seal_for_test(one, "tenants.credential", &SecretString::from("hunter2"));
        assert_ne!(sealed, vault.seal_for_test(one, "tenants.credential", &SecretString::from("hunter2")));
        assert!(!format!("{vault:?} {:?}", vault.fingerprint_key(one)).contains("[")); // no bytes
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let again = Vault::open(&test.db, &path).await.unwrap();
        let opened = again.unseal_for_test(one, "tenants.credential", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "hunter2");
        for (tenant, column) in [(other, "tenants.credential"), (one, "another.column")] {
            assert!(matches!(again.unseal_for_test(tenant, column, &sealed), Err(StoreError::Sealed)));
        }
        assert_eq!(again.fingerprint_key(one).expose(), vault.fingerprint_key(one).expose());
        assert_ne!(again.fingerprint_key(one).expose(), again.fingerprint_key(other).expose());
        assert_ne!(again.keyed_hash("account", "a"), again.keyed_hash("address", "a"));
    }

    async fn a_key_file_that_does_not_fit_the_data_is_named(test: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::open(&test.db, &path).await.unwrap();
        let elsewhere = TestDatabase::sqlite().await;
        let other = folder.path().join("other");
        Vault::open(&elsewhere.db, &other).await.unwrap();
        let error = Vault::open(&test.db, &other).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyMismatch { .. }), "{error:?}");
        assert!(error.to_string().contains("other"), "{error}");
    }

    async fn a_lost_key_file_is_not_replaced_by_a_new_one(test: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::open(&test.db, &path).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = Vault::open(&test.db, &path).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyFile { .. }), "{error:?}");
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_key_file_that_others_can_read_or_that_holds_no_key_is_refused() {
    let test = TestDatabase::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    Vault::open(&test.db, &path).await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::open(&test.db, &path).await.unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::write(&path, "not a key").unwrap();
    let error = Vault::open(&test.db, &path).await.unwrap_err();
    assert!(error.to_string().contains("holds no key"), "{error}");
    let error = Vault::open(&test.db, Path::new("/proc/nowhere/key")).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyFile { .. } | StoreError::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn of_two_starts_at_once_both_use_the_same_key() {
    let test = TestDatabase::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let starts = (0..8).map(|_| Vault::open(&test.db, &path));
    let vaults = futures::future::join_all(starts).await;
    let tenant = a_tenant();
    let first = vaults[0].as_ref().unwrap().fingerprint_key(tenant);
    for vault in &vaults {
        assert_eq!(vault.as_ref().unwrap().fingerprint_key(tenant).expose(), first.expose());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
