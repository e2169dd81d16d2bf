//! Connecting, migrating, and what can go wrong with either.

use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db, Listener, Signal, StoreError};

on_both_engines! {
    async fn migrating_again_changes_nothing(test: TestDatabase) {
        let report = test.db.migrate().await.unwrap();
        assert_eq!((report.applied, report.version), (0, Db::known_version()));
        test.db.require_current().await.unwrap();
    }

    async fn a_database_of_a_newer_version_is_refused_and_left_alone(test: TestDatabase) {
        let text = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (9999, 'later', TRUE, $1, 0)";
        match &test.db {
            Db::Sqlite { writer, .. } => drop(sqlx::query(text).bind(vec![0_u8]).execute(writer).await.unwrap()),
            Db::Postgres { pool, .. } => drop(sqlx::query(text).bind(vec![0_u8]).execute(pool).await.unwrap()),
        }
        for error in [test.db.migrate().await.unwrap_err(), test.db.require_current().await.unwrap_err()] {
            assert!(matches!(error, StoreError::NewerDatabase { found: 9999, .. }), "{error:?}");
            assert!(error.to_string().contains("newer"), "{error}");
        }
    }

    async fn signals_reach_other_connections_where_there_can_be_other_processes(test: TestDatabase) {
        let Some(mut listener) = Listener::connect(&test.db).await.unwrap() else {
            assert_eq!(test.db.backend(), Backend::Sqlite);
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
        if let Db::Postgres { pool, .. } = &test.db {
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
    let view = tenantatlas_store::inventory::ScopeView::load(&test.db, tenant, None).await.unwrap();
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

/// A SQLite file of another program: a table, or only the number of its kind.
async fn foreign(path: &std::path::Path, text: &'static str) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

#[tokio::test]
async fn a_sqlite_file_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("places", "CREATE TABLE moz_places (id INTEGER PRIMARY KEY)"),
        ("numbered", "PRAGMA application_id = 252006675; CREATE TABLE t (x)"),
        ("of another that uses sqlx", "PRAGMA application_id = 7; CREATE TABLE _sqlx_migrations (version BIGINT)"),
    ] {
        let path = folder.path().join(name);
        foreign(&path, text).await;
        let before = std::fs::read(&path).unwrap();
        let error = refusal(&format!("sqlite:{}", path.display())).await;
        assert!(matches!(error, StoreError::NotADatabase(_)), "{name}: {error:?}");
        assert!(std::fs::read(&path).unwrap() == before, "{name} was changed");
    }
    // An empty file is a database that has yet to be made.
    let path = folder.path().join("empty");
    std::fs::write(&path, "").unwrap();
    Db::connect(&format!("sqlite:{}", path.display())).await.unwrap().migrate().await.unwrap();
}

#[tokio::test]
async fn our_files_say_what_they_are_and_those_of_earlier_versions_are_taken() {
    let test = TestDatabase::of_version(Backend::Sqlite, 12).await;
    let id = async |db: &Db| -> i64 {
        let Db::Sqlite { writer, .. } = db else { unreachable!() };
        sqlx::query_scalar("PRAGMA application_id").fetch_one(writer).await.unwrap()
    };
    assert_eq!(id(&test.db).await, 0);
    let again = Db::connect(&test.address).await.unwrap();
    again.migrate().await.unwrap();
    assert_eq!(id(&again).await, 0x5441_746c);
    Db::connect(&test.address).await.unwrap();
}

on_both_engines! {
    async fn whoever_migrates_at_the_same_time_waits_for_the_one_that_does(test: TestDatabase) {
        for version in [0, 12] {
            let new = TestDatabase::of_version(test.db.backend(), version).await;
            let starts = (0..8).map(|_| async {
                let db = Db::connect(&new.address).await?;
                db.migrate().await
            });
            let reports = futures::future::join_all(starts).await;
            let applied: usize = reports.into_iter().map(|report| report.unwrap().applied).filter(|count| *count > 0).max().unwrap();
            assert_eq!(applied, usize::try_from(Db::known_version() - version).unwrap());
            new.db.require_current().await.unwrap();
        }
    }

    async fn a_database_that_takes_what_is_written_is_ready(test: TestDatabase) {
        for _ in 0..3 {
            test.db.ready().await.unwrap();
        }
        test.db.close().await;
        assert!(test.db.ready().await.is_err());
    }

    async fn a_database_that_can_only_be_read_is_not_ready_and_says_so(test: TestDatabase) {
        let db = match &test.db {
            Db::Sqlite { writer, .. } => {
                sqlx::query("PRAGMA query_only = 1").execute(writer).await.unwrap();
                test.db.clone()
            }
            Db::Postgres { pool, .. } => {
                let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(pool).await.unwrap();
                let text = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.unwrap();
                Db::connect(&test.address).await.unwrap()
            }
        };
        for error in [db.ready().await.unwrap_err(), tenantatlas_store::facts::probe_write(&db).await.unwrap_err()] {
            assert!(matches!(error, StoreError::ReadOnly), "{error:?}");
        }
    }
}

#[tokio::test]
async fn readiness_waits_neither_for_a_writer_that_is_busy_nor_for_a_server_that_is_silent() {
    let limit = std::time::Duration::from_secs(10);
    let test = TestDatabase::sqlite().await;
    let held = test.db.write().await.unwrap();
    tokio::time::timeout(limit, test.db.ready()).await.expect("in time").expect("whoever holds it writes it");
    drop(held);
    // A server of which all connections are taken does not answer either.
    let test = TestDatabase::postgres().await;
    let mut taken = Vec::new();
    for _ in 0..24 {
        taken.push(test.db.write().await.unwrap());
    }
    let error = tokio::time::timeout(limit, test.db.ready()).await.expect("in time").unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
}
