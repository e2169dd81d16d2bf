//! The root key takes the place of another while others work, is killed, and goes on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tenantatlas_domain::endpoint::{EndpointKind, Wanted};
use tenantatlas_domain::ids::{EndpointId, TenantId, UserId};
use tenantatlas_store::audit::{self, Verification};
use tenantatlas_store::key_rotation::{self, Begun, Rotated, Rotation};
use tenantatlas_store::policies::TenantKey;
use tenantatlas_store::tenants::{self, TenantCredential};
use tenantatlas_store::testing::{TestDatabase, on_both_engines, postgres_migrations, sealed_columns};
use tenantatlas_store::{
    Db, StoreError, Vault, database_check, endpoints, facts, pending_certificates, pending_sign_ins, second_factors,
};
use uuid::Uuid;

use crate::audit_world::{disarm, entry, execute, rearm};
use crate::policies::Capturing;
use crate::setting_search::index;
use crate::world::{at, tenant, user};

/// Columns of bytes that the vault does not seal: hashes, and what is sealed under the key of a tenant.
const OTHERS: &[&str] = &[
    "api_answers.key_hash",
    "api_answers.request_hash",
    "api_tokens.token_hash",
    "audit_chain.last_hash",
    "audit_chain.plain_hash",
    "audit_chain.plain_seal",
    "audit_chain.seal",
    "audit_logs.hash",
    "audit_logs.previous_hash",
    "findings.accepted_value",
    "findings.current_value",
    "findings.fingerprint",
    "inventory_item_versions.content_hash",
    "inventory_items.content_hash",
    "inventory_items.detail_hash",
    "inventory_items.observation_hash",
    "invitations.token_hash",
    "known_browsers.token_hash",
    "one_time_links.token_hash",
    "pending_sign_ins.token_hash",
    "policy_blobs.address",
    "policy_blobs.sealed",
    "policy_heads.item_hash",
    "policy_version_items.item_hash",
    "policy_version_slots.address",
    "policy_version_slots.content_hash",
    "policy_versions.content_hash",
    "recovery_codes.code_hash",
    "setting_lines.held",
    "setting_lines.sealed",
    "setting_lines.value",
    "setting_words.word",
    "sign_in_attempts.subject",
    "web_sessions.token_hash",
];

/// More than are sealed anew in one transaction.
const TENANTS: usize = 105;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A database with a secret of every kind.
pub struct Secrets {
    pub db: Db,
    pub address: String,
    pub capturing: Capturing,
    pub vault: Vault,
    pub key_file: PathBuf,
    tenants: Vec<TenantId>,
    ada: UserId,
    bob: UserId,
    endpoint: EndpointId,
}

impl Secrets {
    pub async fn of(test: &TestDatabase) -> Self {
        let capturing = Capturing::of(test).await;
        let (db, vault) = (test.db.clone(), capturing.vault.clone());
        capturing.versions("policy", &["one", "two"]).await;
        assert!(index(&capturing, "policy", 1, &[("key", "value", "called")]).await);
        let ada = user(&db, "Ada", false).await;
        let bob = user(&db, "Bob", false).await;
        let mut tenants = vec![capturing.tenant];
        for number in 0..TENANTS {
            tenants.push(tenant(&db, &format!("Tenant {number}")).await);
        }
        let endpoint = EndpointId::from_uuid(Uuid::now_v7());
        let mut tx = db.write().await.unwrap();
        for tenant in &tenants {
            let credential = TenantCredential::ClientSecret(secret(&tenant.to_string()));
            assert!(tenants::set_credential(&mut tx, &vault, *tenant, &credential, at(1)).await.unwrap());
        }
        let session = Uuid::from_u128(1);
        let codes = secret("code");
        assert!(second_factors::begin(&mut tx, &vault, ada, session, &secret("totp"), &codes, at(1)).await.unwrap());
        for number in 0..3 {
            let sealed = pending_sign_ins::SetUpOfSignIn::seal(&mut tx, &vault, bob, &secret("set-up"), &codes).await;
            let new = pending_sign_ins::NewPendingSignIn {
                token_hash: [number; 32],
                user_id: bob,
                expires_at: at(1_000),
                address: "192.0.2.1".to_owned(),
                user_agent: "a browser".to_owned(),
                set_up: Some(sealed.unwrap()),
            };
            pending_sign_ins::create(&mut tx, &new, at(1)).await.unwrap();
        }
        let new = endpoints::NewEndpoint {
            id: endpoint,
            kind: EndpointKind::Webhook,
            name: "Hook".to_owned(),
            wanted: Wanted::default(),
            digest: false,
            address: secret("https://example.com/hook"),
            address_shown: "example.com".to_owned(),
            secret: Some(secret("first")),
            created_by_name: "Ada".to_owned(),
        };
        endpoints::create(&mut tx, &vault, capturing.tenant, &new, at(1)).await.unwrap();
        let second = secret("second");
        endpoints::rotate(&mut tx, &vault, capturing.tenant, endpoint, &second, at(1_000), at(2)).await.unwrap();
        for number in 1..=3 {
            let new = pending_certificates::PendingCertificate {
                id: Uuid::from_u128(number),
                certificate: "public".to_owned(),
                created_at: at(1),
                expires_at: at(1_000),
            };
            pending_certificates::create(&mut tx, &vault, bob, &new, &secret("private")).await.unwrap();
        }
        audit::append(&mut tx, &vault, &entry(None, None, "x.y"), at(2)).await.unwrap();
        tx.commit().await.unwrap();
        let (address, key_file) = (test.address.clone(), vault.path().to_owned());
        Self { db, address, capturing, vault, key_file, tenants, ada, bob, endpoint }
    }

    /// Everything opens and is what it was.
    async fn assert_opens(&self, vault: &Vault) {
        let db = &self.db;
        for tenant in &self.tenants {
            let credential = tenants::credential(db, vault, *tenant).await.unwrap().unwrap();
            let TenantCredential::ClientSecret(text) = credential else { panic!("another kind") };
            assert_eq!(text.expose_secret(), tenant.to_string());
        }
        let factor = second_factors::get(db, self.ada).await.unwrap().unwrap();
        assert_eq!(factor.secret(vault).unwrap().expose_secret(), "totp");
        assert_eq!(factor.new_recovery_codes(vault).unwrap().unwrap().expose_secret(), "code");
        for number in 0..3 {
            let set_up = pending_sign_ins::set_up(db, &[number; 32], at(3)).await.unwrap().unwrap();
            assert_eq!(set_up.secret(vault).unwrap().expose_secret(), "set-up");
            assert_eq!(set_up.recovery_codes(vault).unwrap().expose_secret(), "code");
        }
        for one in pending_certificates::list(db, self.bob, at(3)).await.unwrap() {
            // What is taken comes back with the transaction.
            let mut tx = db.write().await.unwrap();
            let taken = pending_certificates::take(&mut tx, vault, self.bob, one.id, at(3)).await.unwrap();
            let Some(TenantCredential::Certificate { private_key_pem, .. }) = taken else { panic!("it waits") };
            assert_eq!(private_key_pem.expose_secret(), "private");
        }
        let opened = endpoints::open(db, vault, self.tenants[0], self.endpoint, at(3)).await.unwrap().unwrap();
        assert_eq!(opened.address.expose_secret(), "https://example.com/hook");
        let secrets: Vec<&str> = opened.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["second", "first"]);
        let key = TenantKey::open(db, vault, self.tenants[0]).await.unwrap().unwrap();
        assert_eq!(key.address(b"x"), self.capturing.key.address(b"x"));
        let reader = Db::connect_to_read(&self.address).await.unwrap();
        let report = database_check::check(&reader, vault.path()).await.unwrap();
        let not_opened: u64 = report.sealed.unwrap().iter().map(|kind| kind.not_opened).sum();
        assert_eq!(not_opened, 0);
    }

    async fn begin(&self) -> Rotation {
        begin(&self.db, &self.vault).await
    }
}

async fn begin(db: &Db, vault: &Vault) -> Rotation {
    let told = entry(None, None, "key.rotation_began");
    match key_rotation::begin(db, vault, &told, at(5)).await.unwrap() {
        Begun::Going(rotation) => rotation,
        other => panic!("{other:?}"),
    }
}

async fn finish(rotation: Rotation) -> Rotated {
    rotation.finish(&entry(None, None, "key.rotated"), at(6)).await.unwrap()
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

async fn assert_log_intact(db: &Db, vault: &Vault) {
    let found = audit::verify(db, vault).await.unwrap();
    assert!(matches!(found, Verification::Intact { .. }), "{found:?}");
}

async fn set_credential(db: &Db, vault: &Vault, tenant: TenantId, text: &str) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let credential = TenantCredential::ClientSecret(secret(text));
    tenants::set_credential(&mut tx, vault, tenant, &credential, at(4)).await?;
    audit::append(&mut tx, vault, &entry(Some(tenant), None, "tenant.credential_rotated"), at(4)).await?;
    tx.commit().await
}

on_both_engines! {
    async fn a_rotation_that_is_killed_goes_on_and_afterwards_nothing_opens_with_the_old_key(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let former = secrets.vault.key_name();
        let (passwords, codes) = (secrets.vault.named_hash("password", "p"), secrets.vault.keyed_hash("code", "c"));
        let fingerprints = secrets.vault.fingerprint_key(secrets.tenants[0]);
        let old_check = facts::get(&secrets.db, "vault_key_check").await.unwrap().unwrap();
        let anchor = audit::anchor(&secrets.db, &secrets.vault.audit_keys(), at(3)).await.unwrap().unwrap();
        let mut rotation = secrets.begin().await;
        assert!(rotation.batch().await.unwrap());
        drop(rotation);
        // One batch: a part of the credentials is sealed with the new key, everything else with the old one.
        let again = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        secrets.assert_opens(&secrets.vault).await;
        secrets.assert_opens(&again).await;
        assert_eq!(lines(&secrets.key_file), 2);
        assert_log_intact(&secrets.db, &again).await;

        let rotation = begin(&secrets.db, &again).await;
        assert!(rotation.is_resumed());
        let rotated = finish(rotation).await;
        assert_eq!((rotated.turn.former.as_str(), rotated.not_opened), (former.as_str(), 0));
        assert_eq!(rotated.sealed["tenant_credentials"] + 100, TENANTS as u64 + 1);
        assert_eq!((rotated.sealed["second_factors"], rotated.sealed["endpoint_secrets"]), (8, 2));
        assert_eq!(lines(&secrets.key_file), 1);
        let fresh = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        assert_eq!(fresh.key_name(), rotated.turn.key);
        for vault in [&secrets.vault, &again, &fresh] {
            secrets.assert_opens(vault).await;
            assert_log_intact(&secrets.db, vault).await;
            assert_eq!(anchor.check(&secrets.db, &vault.audit_keys()).await.unwrap(), None, "an anchor of before");
        }
        assert_eq!(fresh.hash_named(passwords.key.as_deref(), "password", "p"), passwords.hash);
        assert_ne!(fresh.named_hash("password", "p").hash, passwords.hash, "new hashes are under the new key");
        assert!(fresh.keyed_hashes("code", "c").contains(&codes));
        assert_eq!(fresh.fingerprint_key(secrets.tenants[0]).expose(), fingerprints.expose());

        // Whoever has the old key and makes the database take it for the present one opens nothing.
        let error = Vault::open(&secrets.db, &rotated.kept).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyMismatch { .. }), "{error:?}");
        execute(&secrets.db, format!("UPDATE schema_facts SET value = '{old_check}' WHERE name = 'vault_key_check'"))
            .await
            .unwrap();
        let reader = Db::connect_to_read(&test.address).await.unwrap();
        let report = database_check::check(&reader, &rotated.kept).await.unwrap();
        for kind in report.sealed.unwrap() {
            assert_eq!(kind.count, kind.not_opened, "{kind:?}");
            assert!(kind.count > 0, "{kind:?}");
        }
    }

    async fn processes_that_run_find_the_new_key_and_none_of_their_writes_is_lost(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        // Two other processes of the same machine.
        let one = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        let other = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        let mut rotation = secrets.begin().await;
        rotation.batch().await.unwrap();
        let (first, last) = (secrets.tenants[0], secrets.tenants[TENANTS]);
        set_credential(&secrets.db, &one, first, "by one").await.unwrap();
        set_credential(&secrets.db, &one, last, "by one").await.unwrap();
        finish(rotation).await;
        set_credential(&secrets.db, &other, first, "by the other").await.unwrap();
        for vault in [&one, &other, &secrets.vault] {
            for (tenant, expected) in [(first, "by the other"), (last, "by one")] {
                let found = tenants::credential(&secrets.db, vault, tenant).await.unwrap().unwrap();
                assert!(matches!(found, TenantCredential::ClientSecret(text) if text.expose_secret() == expected));
            }
            assert_log_intact(&secrets.db, vault).await;
        }
        // And once more: a process that slept through two rotations still reads what both left behind.
        let hash = secrets.vault.named_hash("password", "p");
        finish(secrets.begin().await).await;
        other.refresh(&secrets.db).await.unwrap();
        assert_eq!(other.hash_named(hash.key.as_deref(), "password", "p"), hash.hash);
        let fresh = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        assert_eq!(fresh.hash_named(hash.key.as_deref(), "password", "p"), hash.hash);
        assert_log_intact(&secrets.db, &fresh).await;
    }

    async fn a_machine_without_the_new_key_is_refused_and_breaks_nothing(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("key");
        std::fs::copy(&secrets.key_file, &copy).unwrap();
        let without = Vault::open(&secrets.db, &copy).await.unwrap();
        finish(secrets.begin().await).await;
        let error = set_credential(&secrets.db, &without, secrets.tenants[0], "lost").await.unwrap_err();
        assert!(matches!(error, StoreError::KeyReplaced { .. }), "{error:?}");
        assert!(error.to_string().contains("copy the key file"), "{error}");
        let mut tx = secrets.db.write().await.unwrap();
        let error = audit::append(&mut tx, &without, &entry(None, None, "x.y"), at(7)).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyReplaced { .. }), "{error:?}");
        drop(tx);
        assert_log_intact(&secrets.db, &secrets.vault).await;
        secrets.assert_opens(&secrets.vault).await;
        // With the key file copied it works on without a new start.
        std::fs::copy(&secrets.key_file, &copy).unwrap();
        set_credential(&secrets.db, &without, secrets.tenants[0], "kept").await.unwrap();
        assert_log_intact(&secrets.db, &without).await;
    }

    async fn a_key_is_prepared_once_and_used_only_when_it_is_asked_for(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let former = secrets.vault.key_name();
        let prepared = key_rotation::prepare(&secrets.db, &secrets.vault).await.unwrap().unwrap();
        assert_eq!(key_rotation::prepare(&secrets.db, &secrets.vault).await.unwrap().unwrap(), prepared);
        assert_eq!((lines(&secrets.key_file), lines(&prepared.kept)), (2, 1));
        let fresh = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        assert_eq!((fresh.key_name(), &prepared.former), (former.clone(), &former));
        set_credential(&secrets.db, &fresh, secrets.tenants[1], "x").await.unwrap();
        let rotation = begin(&secrets.db, &fresh).await;
        assert_eq!(key_rotation::prepare(&secrets.db, &fresh).await.unwrap(), None, "one is under way");
        assert_eq!(finish(rotation).await.turn.key, prepared.key);
        #[cfg(unix)]
        for path in [&secrets.key_file, &prepared.kept] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    async fn a_rotation_that_was_killed_before_the_key_file_was_in_order_is_tidied_up_and_not_begun_anew(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let rotation = secrets.begin().await;
        let both = std::fs::read(&secrets.key_file).unwrap();
        let rotated = finish(rotation).await;
        std::fs::write(&secrets.key_file, both).unwrap();
        let again = Vault::open(&secrets.db, &secrets.key_file).await.unwrap();
        let told = entry(None, None, "key.rotation_began");
        let begun = key_rotation::begin(&secrets.db, &again, &told, at(9)).await.unwrap();
        assert!(matches!(begun, Begun::TidiedUp(turn) if turn.key == rotated.turn.key));
        assert_eq!((lines(&secrets.key_file), again.key_name()), (1, rotated.turn.key));
    }

    async fn a_log_that_was_tampered_with_is_not_covered_up_by_a_new_key(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let former = secrets.vault.key_name();
        let guards = disarm(&secrets.db).await;
        execute(&secrets.db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 1").await.unwrap();
        rearm(&secrets.db, guards).await;
        let told = entry(None, None, "key.rotation_began");
        let begun = key_rotation::begin(&secrets.db, &secrets.vault, &told, at(9)).await.unwrap();
        assert!(matches!(begun, Begun::Refused(_)));
        assert_eq!(secrets.vault.key_name(), former);
        assert!(key_rotation::last(&secrets.db).await.unwrap().is_none());
    }

    async fn entries_of_before_a_rotation_cannot_be_changed_unseen_and_the_log_tells_of_it(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let rotated = finish(secrets.begin().await).await;
        let filter = audit::Filter { action: Some("key.".to_owned()), limit: 9, ..Default::default() };
        let told = audit::list(&secrets.db, &filter).await.unwrap();
        assert_eq!(told.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["key.rotated", "key.rotation_began"]);
        assert_eq!(told[1].context, json!({"former": rotated.turn.former, "key": rotated.turn.key}));
        let guards = disarm(&secrets.db).await;
        execute(&secrets.db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 1").await.unwrap();
        rearm(&secrets.db, guards).await;
        let found = audit::verify(&secrets.db, &secrets.vault).await.unwrap();
        assert!(matches!(found, Verification::Broken { .. }), "{found:?}");
    }

    async fn a_damaged_value_is_left_as_it_is_and_told(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        execute(&secrets.db, "UPDATE second_factors SET secret = new_recovery_codes").await.unwrap();
        let rotated = finish(secrets.begin().await).await;
        assert_eq!((rotated.not_opened, rotated.sealed["second_factors"]), (1, 7));
    }
}

/// A column that is sealed and that a rotation does not know would become unreadable with the key that is thrown away.
#[test]
fn every_column_of_bytes_is_one_that_a_rotation_seals_anew_or_is_known_not_to_be_sealed() {
    let (mut found, mut table) = (BTreeSet::new(), String::new());
    for line in postgres_migrations().flat_map(str::lines) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [_, "TABLE", name, ..] = words.as_slice() {
            table = (*name).to_owned();
        }
        if let Some(at) = words.iter().position(|word| word.trim_matches([',', ';']) == "BYTEA") {
            found.insert(format!("{table}.{}", words[at - 1]));
        }
    }
    let known: BTreeSet<String> = sealed_columns().chain(OTHERS.iter().map(|other| (*other).to_owned())).collect();
    let left_out: Vec<_> = found.difference(&known).collect();
    assert!(left_out.is_empty(), "put these into `places!` when the vault seals them, else here: {left_out:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "these columns do not exist: {gone:?}");
}
