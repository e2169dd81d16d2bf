//! A whole sync against its two floors.

use crate::{
    floor,
    process::{self, Cloud},
};
use anyhow::Result;
use sqlx::Executor as _;
use std::path::Path;

/// Reads a simulated tenant twice and prints a line for each.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&["--objects", &objects.to_string()])?;
    let database = database(folder.path(), postgres).await?;
    process::add_tenant(folder.path(), &database, &cloud)?;
    cloud.control("counts/reset").await?;
    let first = process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    let requests = floor::requests(&cloud).await?;
    let download = floor::download(&cloud, &requests).await?;
    let insert = floor::insert(&database, folder.path(), postgres).await?;
    let second = process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    for (which, measured) in [("first", &first), ("second, nothing changed", &second)] {
        let seconds = measured.wall.as_secs_f64();
        let items = measured.report["items_observed_count"].as_f64().unwrap_or(0.0);
        let floors = download.as_secs_f64() + insert.as_secs_f64();
        println!(
            "| {name} | {items:.0} | {which} | {seconds:.2} | {:.0} | {:.2} | {:.2} | {:.2} | {} MB |",
            items / seconds,
            download.as_secs_f64(),
            insert.as_secs_f64(),
            seconds / floors,
            measured.peak_kb / 1024
        );
    }
    Ok(())
}

/// The address of an empty database: a file in the folder, or one of its own on the PostgreSQL server.
pub async fn database(folder: &Path, postgres: Option<&str>) -> Result<String> {
    match postgres {
        Some(url) => fresh_database(url).await,
        None => Ok(format!("sqlite:{}", folder.join("bench.db").display())),
    }
}

/// A database of its own on the server.
pub async fn fresh_database(url: &str) -> Result<String> {
    let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let pool = sqlx::PgPool::connect(url).await?;
    pool.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    let (server, _) = url.rsplit_once('/').unwrap_or((url, ""));
    Ok(format!("{server}/{name}"))
}
