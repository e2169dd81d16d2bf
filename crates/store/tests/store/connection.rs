//! Connecting, migrating, and what can go wrong with either.

use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Db, Engine, Listener, Signal, StoreError};

on_both_engines! {
    async fn migrating_again_changes_nothing(test: TestDatabase) {
        let report = test.db.migrate().await.unwrap();
        assert_eq!((report.applied, report.version), (0, Db::known_version()));
        test.db.require_current().await.unwrap();
        test.db.ping().await.unwrap();
    }

    async fn a_database_of_a_newer_version_is_refused_and_left_alone(test: TestDatabase) {
        let text = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (9999, 'later', TRUE, $1, 0)";
        match &test.db {
            Db::Sqlite { writer, .. } => drop(sqlx::query(text).bind(vec![0_u8]).execute(writer).await.unwrap()),
            Db::Postgres { pool } => drop(sqlx::query(text).bind(vec![0_u8]).execute(pool).await.unwrap()),
        }
        for error in [test.db.migrate().await.unwrap_err(), test.db.require_current().await.unwrap_err()] {
            assert!(matches!(error, StoreError::NewerDatabase { found: 9999, .. }), "{error:?}");
            assert!(error.to_string().contains("newer"), "{error}");
        }
    }

    async fn signals_reach_other_connections_where_there_can_be_other_processes(test: TestDatabase) {
        let Some(mut listener) = Listener::connect(&test.db).await.unwrap() else {
            assert_eq!(test.db.engine(), Engine::Sqlite);
            test.db.notify("nobody").await.unwrap();
            return;
        };
        test.db.notify("run:1").await.unwrap();
        let mut tx = test.db.write().await.unwrap();
        tx.notify("run:2").await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = test.db.write().await.unwrap();
        tx.notify("never").await.unwrap();
        tx.rollback().await.unwrap();
        test.db.notify("run:3").await.unwrap();
        for wanted in ["run:1", "run:2", "run:3"] {
            assert_eq!(listener.next().await.unwrap(), Signal::Payload(wanted.to_owned()));
        }
        // A lost connection is told, because signals may have been lost with it.
        if let Db::Postgres { pool } = &test.db {
            sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                         AND datname = current_database() AND query LIKE 'LISTEN%'")
                .execute(pool).await.unwrap();
        }
        assert_eq!(listener.next().await.unwrap(), Signal::Resync);
        test.db.notify("run:4").await.unwrap();
        assert_eq!(listener.next().await.unwrap(), Signal::Payload("run:4".to_owned()));
    }
}

async fn refusal(address: &str) -> StoreError {
    Db::connect(address).await.expect_err("cannot be opened")
}

#[tokio::test]
async fn an_address_that_is_not_understood_is_named() {
    for address in ["mysql://host/name", "", "sqlite:", "sqlite::memory:", "sqlite:x?mode=ro", "postgres://[x"] {
        assert!(matches!(refusal(address).await, StoreError::Address(_)), "{address}");
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_or_cannot_be_written_is_named() {
    let error = refusal("sqlite:/nonexistent/folder/data.sqlite").await;
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
    assert!(error.to_string().contains("/nonexistent/folder/data.sqlite"), "{error}");
    let error = refusal("sqlite:/proc/data.sqlite").await;
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "just some notes, long enough to be looked at as a header of a database file\n".repeat(20))
        .unwrap();
    let error = refusal(&format!("sqlite:{}", path.display())).await;
    assert!(matches!(error, StoreError::NotADatabase(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_with_its_address() {
    let error = refusal("postgres://me:secret-word@127.0.0.1:1/data").await;
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1") && !text.contains("secret-word"), "{text}");
}

#[tokio::test]
async fn a_database_that_does_not_exist_on_the_server_is_refused() {
    let test = TestDatabase::postgres().await;
    let address = test.address.rsplit_once('/').unwrap().0.to_owned() + "/no_such_database";
    let error = refusal(&address).await;
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_half_written() {
    let test = TestDatabase::sqlite().await;
    let Db::Sqlite { writer, .. } = &test.db else { unreachable!() };
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(writer).await.unwrap();
    // SQLite answers a full file the way it answers a full disk.
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 5))).execute(writer).await.unwrap();
    let tenant = crate::world::tenant(&test.db, "Contoso").await;
    let sync = crate::world::Sync::start(&test.db, tenant, &["alpha"], crate::world::at(0)).await;
    let type_run = sync.begin("alpha", crate::world::at(0)).await;
    let error = sync.write(&type_run, &crate::world::items(500, "a"), crate::world::at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    let view = tenantatlas_store::inventory::ScopeView::load(&test.db, tenant, None, &[]).await.unwrap();
    assert!(view.types.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_file_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = TestDatabase::sqlite().await;
    for file in std::fs::read_dir(test.folder().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn whoever_starts_something_waits_for_one_background_write_and_not_for_all() {
    let test = TestDatabase::sqlite().await;
    let (db, order) = (&test.db, std::sync::Mutex::new(Vec::new()));
    let first = db.write_in_background().await.unwrap();
    let background = futures::future::join_all((0..5).map(|_| async {
        let tx = db.write_in_background().await.unwrap();
        order.lock().unwrap().push("background");
        tx.commit().await.unwrap();
    }));
    let person = async {
        tokio::task::yield_now().await;
        let tx = db.write().await.unwrap();
        order.lock().unwrap().push("person");
        tx.commit().await.unwrap();
    };
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        first.commit().await.unwrap();
    };
    futures::join!(background, person, end);
    assert_eq!(order.lock().unwrap()[0], "person");
}
