//! What a sync cannot be faster than, if it did one after the other: the download and the inserts alone.

use crate::{process::Cloud, whole::fresh_database};
use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tenantatlas_store::Db;

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

/// Inserts the rows of a database into an empty one: a prepared statement per table, row by row, one transaction.
pub async fn insert(database: &str, folder: &Path, postgres: Option<&str>) -> Result<Duration> {
    let target = match postgres {
        Some(url) => fresh_database(url).await?,
        None => format!("sqlite:{}", folder.join("floor.db").display()),
    };
    let db = Db::connect(&target).await?;
    db.migrate().await?;
    db.close().await;
    if postgres.is_some() { insert_postgres(database, &target).await } else { insert_sqlite(database, &target).await }
}

macro_rules! copy_rows {
    ($connection:ty, $source:expr, $target:expr, $placeholder:expr, $bind:expr) => {{
        let mut source = <$connection>::connect($source).await?;
        let mut target = <$connection>::connect($target).await?;
        let mut spent = Duration::ZERO;
        let begun = Instant::now();
        let mut transaction = target.begin().await?;
        spent += begun.elapsed();
        for table in TABLES {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&mut source).await?;
            let Some(first) = rows.first() else { continue };
            let names: Vec<String> = first.columns().iter().map(|column| column.name().to_owned()).collect();
            let places: Vec<String> = (1..=names.len()).map($placeholder).collect();
            let text = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
            for row in &rows {
                let query = $bind(sqlx::query(AssertSqlSafe(text.clone())), row)?;
                let begun = Instant::now();
                query.execute(&mut *transaction).await?;
                spent += begun.elapsed();
            }
        }
        let begun = Instant::now();
        transaction.commit().await?;
        Ok(spent + begun.elapsed())
    }};
}

async fn insert_sqlite(source: &str, target: &str) -> Result<Duration> {
    type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;
    fn bind<'q>(mut query: Query<'q>, row: &sqlx::sqlite::SqliteRow) -> Result<Query<'q>> {
        for index in 0..row.len() {
            let value = row.try_get_raw(index)?;
            query = match value.type_info().name() {
                _ if value.is_null() => query.bind(None::<i64>),
                "INTEGER" | "BOOLEAN" => query.bind(row.try_get_unchecked::<i64, _>(index)?),
                "BLOB" => query.bind(row.try_get_unchecked::<Vec<u8>, _>(index)?),
                _ => query.bind(row.try_get_unchecked::<String, _>(index)?),
            };
        }
        Ok(query)
    }
    copy_rows!(sqlx::SqliteConnection, source, target, |index| format!("${index}"), bind)
}

async fn insert_postgres(source: &str, target: &str) -> Result<Duration> {
    type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;
    fn bind<'q>(mut query: Query<'q>, row: &sqlx::postgres::PgRow) -> Result<Query<'q>> {
        for (index, column) in row.columns().iter().enumerate() {
            query = match column.type_info().name() {
                "UUID" => query.bind(row.try_get::<Option<uuid::Uuid>, _>(index)?),
                "INT8" => query.bind(row.try_get::<Option<i64>, _>(index)?),
                "INT4" => query.bind(row.try_get::<Option<i32>, _>(index)?),
                "INT2" => query.bind(row.try_get::<Option<i16>, _>(index)?),
                "BOOL" => query.bind(row.try_get::<Option<bool>, _>(index)?),
                "BYTEA" => query.bind(row.try_get::<Option<Vec<u8>>, _>(index)?),
                "JSONB" => query.bind(row.try_get::<Option<serde_json::Value>, _>(index)?),
                _ => query.bind(row.try_get::<Option<String>, _>(index)?),
            };
        }
        Ok(query)
    }
    copy_rows!(sqlx::PgConnection, source, target, |index| format!("${index}"), bind)
}
