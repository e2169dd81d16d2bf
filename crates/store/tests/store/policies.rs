//! Versions of policies: numbered, sealed, never changed, and gone with their tenant.

use serde_json::{Value, json};
use tenantatlas_domain::body::{Completeness, Lack, OBJECT_SLOT};
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::ids::{CaptureId, TenantId, VersionId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_store::operation_runs::Fence;
use tenantatlas_store::policies::{
    self, Capture, CaptureTypeEnd, Checked, CountedItems, NewCapture, NewVersion, SealedSlot, TenantKey,
};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db, StoreError, Vault, tenants};
use uuid::Uuid;

use crate::audit_world::execute;
use crate::world::{LEASE, NO_LIMITS, at, claim, dispatch, hash, tenant};

pub const TYPE: &str = "deviceConfiguration";
/// A text that no database holds by chance.
const PLAIN: &str = "the-words-of-a-policy-that-nobody-may-read";

/// A capture under way.
pub struct Capturing {
    pub db: Db,
    pub tenant: TenantId,
    fence: Fence,
    capture: Capture,
    pub key: TenantKey,
    pub vault: Vault,
    pub keys: tempfile::TempDir,
}

impl Capturing {
    pub async fn of(test: &TestDatabase) -> Self {
        let db = test.db.clone();
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&db, &keys.path().join("key")).await.unwrap();
        Self::in_tenant(db.clone(), tenant(&db, "Contoso").await, vault, keys).await
    }

    pub async fn in_tenant(db: Db, tenant: TenantId, vault: Vault, keys: tempfile::TempDir) -> Self {
        dispatch(&db, tenant, "capture", &[TYPE], at(0)).await;
        let run = claim(&db, "worker", LEASE, NO_LIMITS).await.unwrap();
        let fence = run.fence().unwrap();
        let new = NewCapture {
            id: CaptureId::from_uuid(Uuid::now_v7()),
            tenant_id: tenant,
            operation_run_id: run.id,
            user_id: None,
        };
        let mut tx = db.write().await.unwrap();
        let capture = policies::begin(&mut tx, &fence, &new, at(1)).await.unwrap();
        policies::begin_type(&mut tx, &fence, &capture, TYPE, at(1)).await.unwrap();
        let key = TenantKey::open_or_make(&mut tx, &vault, tenant, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        Self { db, tenant, fence, capture, key, vault, keys }
    }

    /// A version of an object with this content, and assignments that all objects have.
    fn version(&self, content: &str) -> NewVersion {
        let seal = |name: &str, value: &Value| {
            let text = to_canonical_string(value);
            let sealed = self.key.seal(text.as_bytes()).unwrap();
            SealedSlot { name: name.to_owned(), content_hash: hash(&text), sealed }
        };
        NewVersion {
            id: VersionId::from_uuid(Uuid::now_v7()),
            display_name: "A policy".to_owned(),
            api_version: "beta",
            collection: "deviceManagement/deviceConfigurations".to_owned(),
            odata_type: None,
            completeness: Completeness::Partial,
            lacks: vec![Lack::SettingsCount { stated: 3, came: 2 }],
            content_hash: hash(content),
            normaliser_version: 2,
            settings: Some(2),
            withheld: 1,
            slots: vec![seal(OBJECT_SLOT, &json!({ "note": content })), seal("assignments", &json!([]))],
        }
    }

    async fn record(&self, id: &str, compared: Option<VersionId>, version: Option<NewVersion>, time: i64) -> bool {
        let checked = [Checked {
            external_id: id.to_owned(),
            item: (hash("item"), 2),
            read_at: at(time),
            compared_with: compared,
            version,
        }];
        let counted = CountedItems { asked: 1, captured: 1, created: 1, ..CountedItems::default() };
        let mut tx = self.db.write().await.unwrap();
        let recorded = policies::record(&mut tx, &self.fence, &self.capture, TYPE, &checked, &counted, at(time));
        let recorded = recorded.await.unwrap();
        tx.commit().await.unwrap();
        recorded
    }

    /// Makes versions of one object, one after the other.
    pub async fn versions(&self, id: &str, contents: &[&str]) -> Vec<VersionId> {
        let mut made = Vec::new();
        for (nth, content) in (0..).zip(contents) {
            let version = self.version(content);
            let new = version.id;
            assert!(self.record(id, made.last().copied(), Some(version), nth).await);
            made.push(new);
        }
        made
    }

    pub async fn count(&self, table: &str) -> i64 {
        let text = format!("SELECT COUNT(*) FROM {table}");
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(writer).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(pool).await.unwrap(),
        }
    }

    async fn open(&self, version: VersionId) -> Result<Vec<policies::OpenSlot>, StoreError> {
        policies::open_slots(&self.db, &self.key, self.tenant, version).await
    }
}

fn id(db: &Db, version: VersionId) -> String {
    match db.backend() {
        Backend::Sqlite => format!("x'{}'", version.as_uuid().simple()),
        Backend::Postgres => format!("CAST('{version}' AS UUID)"),
    }
}

on_both_engines! {
    async fn versions_of_an_object_are_numbered_and_open_as_they_were_made(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &["one", "two", "three"]).await;
        capturing.versions("b", &["one"]).await;
        let (db, tenant) = (&capturing.db, capturing.tenant);
        let listed = policies::versions_of(db, tenant, TYPE, "a", None, 10).await.unwrap();
        assert_eq!(listed.iter().map(|version| version.number).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(listed[0].lacks, [Lack::SettingsCount { stated: 3, came: 2 }]);
        assert_eq!((listed[0].settings, listed[0].withheld, listed[0].read_at), (Some(2), 1, at(2)));
        let before = policies::versions_of(db, tenant, TYPE, "a", Some(3), 1).await.unwrap();
        assert_eq!(before[0].number, 2);
        let found = policies::find_version(db, tenant, TYPE, "a", 1).await.unwrap().unwrap();
        assert_eq!(found.id, made[0]);
        assert_eq!(policies::latest_of(db, tenant, TYPE, "a").await.unwrap().unwrap().id, made[2]);
        let slots = capturing.open(made[1]).await.unwrap();
        let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, [OBJECT_SLOT, "assignments"]);
        assert_eq!((&slots[0].value, &slots[1].value), (&json!({"note": "two"}), &json!([])));
        let other = TenantId::from_uuid(Uuid::now_v7());
        assert!(policies::versions_of(db, other, TYPE, "a", None, 10).await.unwrap().is_empty());
        assert!(policies::open_slots(db, &capturing.key, other, made[1]).await.unwrap().is_empty());
    }

    async fn equal_content_is_kept_once_per_tenant_and_at_another_address_in_another(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one", "two", "one"]).await;
        capturing.versions("b", &["two"]).await;
        assert_eq!(capturing.count("policy_blobs").await, 3, "two objects and no assignments");
        assert_eq!(capturing.count("policy_version_slots").await, 8);
        let other = tenant(&capturing.db, "Fabrikam").await;
        let mut tx = capturing.db.write().await.unwrap();
        let key = TenantKey::open_or_make(&mut tx, &capturing.vault, other, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(key.address(b"[]"), capturing.key.address(b"[]"));
        let again = TenantKey::open(&capturing.db, &capturing.vault, capturing.tenant).await.unwrap().unwrap();
        assert_eq!(again.address(b"[]"), capturing.key.address(b"[]"));
        let sealed = capturing.key.seal(&b"x".repeat(100_000)).unwrap();
        assert!(sealed.size() < 1_000, "{} bytes", sealed.size());
        assert!(matches!(key.unpack(&sealed), Err(StoreError::Sealed)), "of another tenant");
    }

    async fn what_was_recorded_meanwhile_is_compared_anew(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &["one"]).await;
        assert!(!capturing.record("a", None, Some(capturing.version("two")), 5).await);
        assert_eq!(capturing.count("policy_versions").await, 1);
        assert!(capturing.record("a", made.first().copied(), None, 7).await);
        let heads = policies::heads(&capturing.db, capturing.tenant, TYPE, &["a".to_owned()]).await.unwrap();
        assert_eq!((heads["a"].number, heads["a"].checked_at), (1, at(7)), "it was looked at, and is the same");
        let known = policies::known_of(&capturing.db, capturing.tenant, TYPE, &["a".to_owned()]).await.unwrap();
        let mut slots: Vec<(String, ContentHash)> = known["a"].slots.clone();
        slots.sort();
        assert_eq!(slots, [(String::new(), hash(r#"{"note":"one"}"#)), ("assignments".to_owned(), hash("[]"))]);
    }

    async fn the_database_refuses_to_change_or_remove_a_version(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &["one", "two"]).await;
        let (old, latest) = (id(&capturing.db, made[0]), id(&capturing.db, made[1]));
        let mut statements = vec![
            "UPDATE policy_versions SET display_name = 'x'".to_owned(),
            "UPDATE policy_version_slots SET slot = 'x'".to_owned(),
            "UPDATE policy_blobs SET created_at = 0".to_owned(),
            "DELETE FROM policy_version_slots".to_owned(),
            "DELETE FROM policy_versions".to_owned(),
            "DELETE FROM policy_blobs".to_owned(),
            format!("INSERT INTO policy_retirements (version_id, tenant_id, at) SELECT {latest}, tenant_id, 1 FROM policy_keys"),
        ];
        if capturing.db.backend() == Backend::Postgres {
            statements.push("TRUNCATE policy_versions CASCADE".to_owned());
            statements.push("TRUNCATE policy_blobs CASCADE".to_owned());
        } else {
            let columns = "id, tenant_id, policy_type, external_id, number, 'x', api_version, collection, odata_type,
                completeness, lacks, content_hash, normaliser_version, settings, withheld, read_at, capture_id";
            statements.push(format!(
                "INSERT OR REPLACE INTO policy_versions SELECT {columns} FROM policy_versions WHERE id = {old}"
            ));
        }
        for text in statements {
            assert!(execute(&capturing.db, &text).await.is_err(), "{text}");
        }
        let slots = capturing.open(made[0]).await.unwrap();
        assert_eq!(slots[0].value, json!({"note": "one"}));
    }

    async fn retention_removes_old_versions_and_never_the_latest_of_an_object(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &["one", "two", "three"]).await;
        let (db, tenant) = (&capturing.db, capturing.tenant);
        let remove = async |before: i64| {
            let mut tx = db.write().await.unwrap();
            let removed = policies::remove_versions(&mut tx, tenant, at(before), 100, at(9)).await.unwrap();
            tx.commit().await.unwrap();
            removed
        };
        assert_eq!(remove(1).await, 1, "read before then");
        assert_eq!(remove(1_000_000).await, 1);
        assert_eq!(remove(1_000_000).await, 0);
        let left = policies::versions_of(db, tenant, TYPE, "a", None, 10).await.unwrap();
        assert_eq!(left.iter().map(|version| version.number).collect::<Vec<_>>(), [3]);
        assert_eq!(capturing.count("policy_retirements").await, 0);
        let sweep = async |time: i64| {
            let mut tx = db.write().await.unwrap();
            let swept = policies::sweep_blobs(&mut tx, tenant, at(time)).await.unwrap();
            tx.commit().await.unwrap();
            swept
        };
        assert_eq!(sweep(60_000).await, 0, "not within a day");
        assert_eq!(sweep(2 * 86_400_000).await, 2);
        assert_eq!(capturing.open(made[2]).await.unwrap().len(), 2, "what is needed stays");
        // The next one goes on counting.
        assert!(capturing.record("a", Some(made[2]), Some(capturing.version("four")), 20).await);
        assert_eq!(policies::latest_of(db, tenant, TYPE, "a").await.unwrap().unwrap().number, 4);
    }

    async fn removing_a_tenant_destroys_its_key_at_once_and_its_versions_soon(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one", "two"]).await;
        let (db, tenant) = (&capturing.db, capturing.tenant);
        let mut tx = db.write().await.unwrap();
        assert!(tenants::retire(&mut tx, tenant, at(5)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(TenantKey::open(db, &capturing.vault, tenant).await.unwrap().is_none());
        let mut tx = db.write().await.unwrap();
        let made = TenantKey::open_or_make(&mut tx, &capturing.vault, tenant, at(6)).await;
        assert!(made.is_err(), "it gets no other key");
        tx.rollback().await.unwrap();
        loop {
            let mut tx = db.write().await.unwrap();
            let more = tenants::purge_piece(&mut tx, tenant).await.unwrap();
            tx.commit().await.unwrap();
            if !more {
                break;
            }
        }
        for table in [
            "policy_keys", "policy_blobs", "policy_versions", "policy_version_slots", "policy_heads",
            "policy_captures", "policy_capture_types", "policy_retirements",
        ] {
            assert_eq!(capturing.count(table).await, 0, "{table}");
        }
    }

    async fn no_body_is_readable_in_the_database(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &[PLAIN]).await;
        assert_eq!(capturing.open(made[0]).await.unwrap()[0].value["note"], PLAIN);
        match &capturing.db {
            Db::Sqlite { .. } => {
                let folder = test.folder().unwrap();
                let mut bytes = Vec::new();
                for entry in std::fs::read_dir(folder).unwrap() {
                    bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
                }
                assert!(bytes.windows(8).any(|window| window == b"A policy"), "the files were looked at");
                assert!(!bytes.windows(PLAIN.len()).any(|window| window == PLAIN.as_bytes()));
            }
            Db::Postgres { pool, .. } => {
                let tables: Vec<String> = sqlx::query_scalar(
                    "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
                )
                .fetch_all(pool)
                .await
                .unwrap();
                assert!(tables.iter().any(|table| table == "policy_blobs"));
                let as_hex = hex::encode(PLAIN);
                for table in tables {
                    let text = format!(
                        "SELECT COUNT(*) FROM \"{table}\" t WHERE t::text LIKE '%{PLAIN}%' OR t::text LIKE '%{as_hex}%'"
                    );
                    let found: i64 =
                        sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(pool).await.unwrap();
                    assert_eq!(found, 0, "{table}");
                }
            }
        }
    }

    async fn a_body_does_not_open_without_the_key_of_its_installation_or_with_that_of_another_tenant(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &[PLAIN]).await;
        // Who has the database, and a key file of another installation.
        let elsewhere = TestDatabase::new(capturing.db.backend()).await;
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&elsewhere.db, &keys.path().join("key")).await.unwrap();
        let opened = TenantKey::open(&capturing.db, &vault, capturing.tenant).await;
        assert!(matches!(opened, Err(StoreError::Sealed)), "the key of the tenant is sealed itself");
        let other = tenant(&capturing.db, "Fabrikam").await;
        let mut tx = capturing.db.write().await.unwrap();
        let key = TenantKey::open_or_make(&mut tx, &capturing.vault, other, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let opened = policies::open_slots(&capturing.db, &key, capturing.tenant, made[0]).await;
        assert!(matches!(opened, Err(StoreError::Sealed)), "nor does that of another tenant open it");
        assert_eq!(capturing.open(made[0]).await.unwrap()[0].value["note"], PLAIN);
    }

    async fn a_blob_that_was_moved_or_damaged_does_not_open(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        let made = capturing.versions("a", &["one"]).await;
        let one = capturing.key.seal(b"one").unwrap();
        let mut other = capturing.key.seal(b"two").unwrap();
        other.address = one.address;
        assert!(matches!(capturing.key.unpack(&other), Err(StoreError::Sealed)));
        assert_eq!(capturing.key.unpack(&one).unwrap(), b"one");
        let triggers = match capturing.db.backend() {
            Backend::Sqlite => "DROP TRIGGER policy_blobs_refuse_update",
            Backend::Postgres => "DROP TRIGGER policy_blobs_refuse_update ON policy_blobs",
        };
        execute(&capturing.db, triggers).await.unwrap();
        execute(&capturing.db, "UPDATE policy_blobs SET plain_length = plain_length + 1").await.unwrap();
        assert!(matches!(capturing.open(made[0]).await, Err(StoreError::Sealed)));
    }

    async fn a_capture_is_counted_by_type_and_ends_once(test: TestDatabase) {
        let capturing = Capturing::of(&test).await;
        capturing.versions("a", &["one", "two"]).await;
        let end = CaptureTypeEnd {
            outcome: TypeOutcome::Failed,
            reason_code: Some(ReasonCode::GraphThrottled),
            message: Some("too often".to_owned()),
            requests: 7,
            retries: 2,
        };
        let mut tx = capturing.db.write().await.unwrap();
        let (fence, capture) = (&capturing.fence, &capturing.capture);
        assert!(policies::finish_type(&mut tx, fence, capture, TYPE, &end, at(3)).await.unwrap());
        assert!(!policies::finish_type(&mut tx, fence, capture, TYPE, &end, at(4)).await.unwrap());
        assert!(policies::finish_type(&mut tx, fence, capture, "mobileApp", &end, at(4)).await.unwrap());
        let ended = policies::finish(&mut tx, fence, capture, SyncRunStatus::Failed, None, (9, 2), at(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((ended.status, ended.requests, ended.finished_at), (SyncRunStatus::Failed, 9, Some(at(5))));
        let types = policies::list_types(&capturing.db, capturing.tenant, capture.id).await.unwrap();
        let one = types.iter().find(|one| one.policy_type == TYPE).unwrap();
        assert_eq!((one.items, one.captured, one.created, one.requests), (2, 2, 2, 7));
        assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::GraphThrottled)));
        let found = policies::get_by_operation(&capturing.db, capturing.tenant, ended.operation_run_id).await.unwrap();
        assert_eq!(found, Some(ended));
    }
}
