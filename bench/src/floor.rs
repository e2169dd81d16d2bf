//! What a sync cannot be faster than, if it did one after the other: the download and the inserts alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};
use sqlx::{Connection as _, PgConnection};
use tenantatlas_store::Db;

use crate::process::Cloud;
use crate::whole::fresh_database;

/// As many requests at a time as the engine reads collections.
const CONCURRENCY: usize = 5;
/// The tables that a sync fills with a row per item or more.
const TABLES: [&str; 4] = ["inventory_items", "inventory_item_versions", "inventory_sightings", "inventory_links"];

/// The addresses that the sync read.
pub async fn requests(cloud: &Cloud) -> Result<Vec<String>> {
    let log = cloud.control("log").await?;
    let graph = cloud.fact("/graph_url");
    Ok(log
        .as_array()
        .into_iter()
        .flatten()
        .filter(|request| request["method"] == "GET" && request["status"] == 200)
        .filter_map(|request| Some(format!("{graph}/{}", request["path"].as_str()?)))
        .collect())
}

/// Downloads them and throws the bytes away.
pub async fn download(cloud: &Cloud, addresses: &[String]) -> Result<Duration> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", cloud.fact("/tenants/0/client_id")),
        ("client_secret", cloud.fact("/tenants/0/client_secret")),
        ("scope", format!("{}/.default", cloud.fact("/graph_url"))),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", cloud.fact("/login_url"), cloud.fact("/tenants/0/tenant_id"));
    let answer: serde_json::Value = client.post(url).form(&form).send().await?.error_for_status()?.json().await?;
    let token = answer["access_token"].as_str().context("a token")?;
    let started = Instant::now();
    let mut answers = futures::stream::iter(addresses)
        .map(|address| (client.clone(), address))
        .map(|(client, address)| async move {
            let mut body = client.get(address).bearer_auth(token).send().await?.error_for_status()?;
            while body.chunk().await?.is_some() {}
            Ok::<_, reqwest::Error>(())
        })
        .buffer_unordered(CONCURRENCY);
    while answers.try_next().await?.is_some() {}
    Ok(started.elapsed())
}

/// Inserts the rows of a database into an empty one of the same schema, in one transaction and in the way in which the
/// database takes them fastest: SQLite by a loop over one prepared statement per table, without a driver between; PostgreSQL
/// by `COPY`. Only the writing is measured.
pub async fn insert(database: &str, folder: &Path, postgres: Option<&str>) -> Result<Duration> {
    let target = match postgres {
        Some(url) => fresh_database(url).await?,
        None => format!("sqlite:{}", folder.join("floor.db").display()),
    };
    let db = Db::connect(&target).await?;
    db.migrate().await?;
    db.close().await;
    if postgres.is_some() {
        return insert_postgres(database, &target).await;
    }
    let path =
        |address: &str| address.strip_prefix("sqlite:").map(PathBuf::from).context("the address of a SQLite file");
    let (source, target) = (path(database)?, path(&target)?);
    Ok(tokio::task::spawn_blocking(move || insert_sqlite(&source, &target)).await??)
}

fn insert_sqlite(source: &Path, target: &Path) -> rusqlite::Result<Duration> {
    let source = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut target = Connection::open(target)?;
    // As the store opens a file.
    target.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = memory; PRAGMA cache_size = -24576",
    )?;
    let mut spent = Duration::ZERO;
    let transaction = target.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in TABLES {
        let rows = rows_of(&source, table)?;
        let Some(first) = rows.first() else { continue };
        let places = vec!["?"; first.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
        let begun = Instant::now();
        for row in &rows {
            insert.execute(params_from_iter(row))?;
        }
        spent += begun.elapsed();
    }
    let begun = Instant::now();
    transaction.commit()?;
    Ok(spent + begun.elapsed())
}

fn rows_of(source: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut select = source.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = select.column_count();
    let rows = select.query_map([], |row| (0..columns).map(|index| row.get(index)).collect())?;
    rows.collect()
}

async fn insert_postgres(source: &str, target: &str) -> Result<Duration> {
    let mut source = PgConnection::connect(source).await?;
    let mut target = PgConnection::connect(target).await?;
    let mut spent = Duration::ZERO;
    let mut transaction = target.begin().await?;
    for table in TABLES {
        let rows = source.copy_out_raw(&format!("COPY {table} TO STDOUT (FORMAT binary)")).await?;
        let rows = rows.try_fold(Vec::new(), async |mut all, part| {
            all.extend_from_slice(&part);
            Ok(all)
        });
        let rows: Vec<u8> = rows.await?;
        let begun = Instant::now();
        let mut copy = transaction.copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await?;
        copy.send(rows).await?;
        copy.finish().await?;
        spent += begun.elapsed();
    }
    let begun = Instant::now();
    transaction.commit().await?;
    Ok(spent + begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_store::{Backend, testing::TestDatabase};

    const SIGHTING: &str = "INSERT INTO inventory_sightings (item_id, scope_id, since_seq, last_seq, last_seen_at)
         SELECT id, 1, 1, 1, 1 FROM tenants";
    const TENANT: &str = "INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, environment, client_id,
             connection_status, created_at, updated_at)
         VALUES ($1, 'a', 'a', 'a', 'global', 'prod', 'a', 'unchecked', 1, 1)";
    const COUNT: &str = "SELECT COUNT(*) FROM inventory_sightings";

    #[tokio::test]
    async fn the_rows_of_a_sqlite_file_are_written_again() {
        let test = TestDatabase::new(Backend::Sqlite).await;
        let Db::Sqlite { writer, .. } = &test.db else { panic!("a SQLite file") };
        sqlx::query(TENANT).bind(uuid::Uuid::nil()).execute(writer).await.unwrap();
        sqlx::query(SIGHTING).execute(writer).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert!(insert(&test.address, folder.path(), None).await.unwrap() > Duration::ZERO);
        let copy = Connection::open(folder.path().join("floor.db")).unwrap();
        assert_eq!(copy.query_row(COUNT, [], |row| row.get::<_, i64>(0)), Ok(1));
    }

    #[tokio::test]
    async fn the_rows_of_a_postgres_database_are_written_again() {
        let (test, target) = (TestDatabase::new(Backend::Postgres).await, TestDatabase::new(Backend::Postgres).await);
        let Db::Postgres { pool, .. } = &test.db else { panic!("a PostgreSQL server") };
        sqlx::query(TENANT).bind(uuid::Uuid::nil()).execute(pool).await.unwrap();
        sqlx::query(SIGHTING).execute(pool).await.unwrap();
        assert!(insert_postgres(&test.address, &target.address).await.unwrap() > Duration::ZERO);
        let Db::Postgres { pool, .. } = &target.db else { panic!("a PostgreSQL server") };
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(pool).await.unwrap();
        assert_eq!(count, 1);
    }
}
