//! What a check of a database finds, and that it writes nothing.

use sqlx::AssertSqlSafe;
use tenantatlas_store::database_check::{self, Report};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db, StoreError, Vault};

use crate::audit_world::{disarm, execute, rearm};
use crate::key_rotation::Secrets;
use crate::world::at;

async fn check(secrets: &Secrets) -> Report {
    let db = Db::connect_to_read(&secrets.address).await.unwrap();
    database_check::check(&db, &secrets.key_file).await.unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

async fn bytes(db: &Db, text: &str) -> Vec<u8> {
    let text = AssertSqlSafe(text.to_owned());
    match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(text).fetch_one(writer).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
    }
}

/// Changes one bit of a value of one row.
async fn flip(db: &Db, table: &str, column: &str, key: &str) {
    let mut value = bytes(db, &format!("SELECT {column} FROM {table} ORDER BY {key} LIMIT 1")).await;
    *value.last_mut().unwrap() ^= 1;
    let literal = match db.backend() {
        Backend::Sqlite => format!("x'{}'", hex(&value)),
        Backend::Postgres => format!("decode('{}', 'hex')", hex(&value)),
    };
    let first = format!("SELECT {key} FROM {table} ORDER BY {key} LIMIT 1");
    execute(db, format!("UPDATE {table} SET {column} = {literal} WHERE {key} = ({first})")).await.unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn not_opened(report: &Report) -> Vec<(&str, u64)> {
    let sealed = report.sealed.as_ref().unwrap();
    sealed.iter().filter(|kind| kind.not_opened > 0).map(|kind| (kind.kind, kind.not_opened)).collect()
}

on_both_engines! {
    async fn a_sound_database_is_trusted_and_everything_in_it_counted(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let report = check(&secrets).await;
        assert!(report.trustworthy && report.intact && report.schema.fits, "{report:?}");
        let sealed = report.sealed.as_ref().unwrap();
        let count = |kind: &str| sealed.iter().find(|one| one.kind == kind).map(|one| one.count);
        assert_eq!((count("tenant_credentials"), count("second_factors")), (Some(106), Some(8)));
        assert_eq!((count("endpoint_addresses"), count("endpoint_secrets")), (Some(1), Some(2)));
        assert_eq!((count("tenant_keys"), count("setting_lines")), (Some(1), Some(1)));
        assert_eq!(count("policy_bodies"), Some(3), "two objects, and the assignments that they share");
        assert_eq!(report.runs.map(|runs| (runs.pending, runs.running)), Some((0, 1)));
        assert!(report.audit.is_some_and(|log| log.intact && log.entries == Some(1)));
    }

    async fn a_flipped_bit_of_a_sealed_value_is_found(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        flip(&secrets.db, "tenants", "credential_sealed", "id").await;
        flip(&secrets.db, "setting_lines", "sealed", "line").await;
        let report = check(&secrets).await;
        assert_eq!(codes(&report), ["sealed_values_damaged"; 2]);
        assert_eq!(not_opened(&report), [("setting_lines", 1), ("tenant_credentials", 1)]);
        assert!(report.findings.iter().all(|finding| !finding.advice.is_empty()));
        // Whatever the key of a tenant opens is lost with it.
        flip(&secrets.db, "policy_keys", "sealed", "tenant_id").await;
        let report = check(&secrets).await;
        let expected = [("policy_bodies", 3), ("setting_lines", 1), ("tenant_credentials", 1), ("tenant_keys", 1)];
        assert_eq!(not_opened(&report), expected);
        assert!(!report.trustworthy);
    }

    async fn another_key_file_or_none_is_found_and_none_is_made(test: TestDatabase) {
        let mut secrets = Secrets::of(&test).await;
        let elsewhere = TestDatabase::sqlite().await;
        let other = secrets.capturing.keys.path().join("other");
        Vault::open(&elsewhere.db, &other).await.unwrap();
        secrets.key_file = other;
        let report = check(&secrets).await;
        assert_eq!(codes(&report), ["key_does_not_fit"]);
        assert!(report.sealed.is_none() && report.audit.is_none());
        secrets.key_file = secrets.capturing.keys.path().join("missing");
        assert_eq!(codes(&check(&secrets).await), ["key_does_not_fit"]);
        assert!(!secrets.key_file.exists());
    }

    async fn a_broken_audit_log_is_found(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let guards = disarm(&secrets.db).await;
        execute(&secrets.db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 1").await.unwrap();
        rearm(&secrets.db, guards).await;
        let report = check(&secrets).await;
        assert_eq!(codes(&report), ["audit_log_broken"]);
        assert!(report.audit.is_some_and(|log| !log.intact));
    }

    async fn a_schema_that_is_newer_older_foreign_or_missing_is_found(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        execute(&secrets.db, "UPDATE _sqlx_migrations SET description = description").await.unwrap();
        let copy = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    SELECT 9000, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
        execute(&secrets.db, copy).await.unwrap();
        assert_eq!(codes(&check(&secrets).await), ["schema_newer"]);
        execute(&secrets.db, "DELETE FROM _sqlx_migrations WHERE version = 9000").await.unwrap();
        execute(&secrets.db, "DELETE FROM _sqlx_migrations WHERE version = 5").await.unwrap();
        let report = check(&secrets).await;
        assert_eq!(codes(&report), ["schema_foreign"]);
        assert!(report.sealed.is_none() && !report.schema.fits);
        let older = TestDatabase::of_version(test.db.backend(), 20).await;
        let db = Db::connect_to_read(&older.address).await.unwrap();
        let report = database_check::check(&db, &secrets.key_file).await.unwrap();
        assert_eq!((codes(&report), report.schema.version), (vec!["schema_older"], 20));
        let empty = TestDatabase::of_version(test.db.backend(), 0).await;
        let db = Db::connect_to_read(&empty.address).await.unwrap();
        assert_eq!(codes(&database_check::check(&db, &secrets.key_file).await.unwrap()), ["schema_missing"]);
    }

    async fn nothing_can_be_written_by_way_of_a_check(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let db = Db::connect_to_read(&secrets.address).await.unwrap();
        let refused = execute(&db, "DELETE FROM schema_facts").await;
        assert!(matches!(refused.map_err(StoreError::from), Err(StoreError::ReadOnly)));
        assert!(check(&secrets).await.trustworthy, "{:?}", at(0));
    }

    async fn a_rotation_that_was_stopped_is_told(test: TestDatabase) {
        let secrets = Secrets::of(&test).await;
        let told = crate::audit_world::entry(None, None, "key.rotation_began");
        drop(tenantatlas_store::key_rotation::begin(&secrets.db, &secrets.vault, &told, at(9)).await.unwrap());
        assert_eq!(codes(&check(&secrets).await), ["rotation_under_way"]);
    }
}

#[tokio::test]
async fn rows_that_name_rows_which_do_not_exist_are_found() {
    for test in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let secrets = Secrets::of(&test).await;
        match &secrets.db {
            Db::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await.unwrap();
                for text in ["PRAGMA foreign_keys = OFF", "DELETE FROM users", "PRAGMA foreign_keys = ON"] {
                    sqlx::query(text).execute(&mut *connection).await.unwrap();
                }
            }
            Db::Postgres { pool, .. } => {
                let mut tx = pool.begin().await.unwrap();
                for text in ["SET LOCAL session_replication_role = 'replica'", "DELETE FROM users"] {
                    sqlx::query(text).execute(&mut *tx).await.unwrap();
                }
                tx.commit().await.unwrap();
            }
        }
        let report = check(&secrets).await;
        assert!(!report.intact && codes(&report).iter().all(|code| *code == "reference_broken"), "{report:?}");
        assert_eq!(report.findings.len(), 3, "{report:?}");
    }
}
