//! A whole sync against its two floors.

use std::path::Path;

use anyhow::Result;
use sqlx::Executor as _;

use crate::floor;
use crate::process::{self, Cloud};

/// Whether the floors are measured too: on a million objects that of the database alone takes ten minutes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Floors {
    /// Beside the syncs, on the same pages and rows.
    Measured,
    /// Only the syncs.
    LeftOut,
}

/// Reads a simulated tenant twice and prints a line for each.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>, floors: Floors) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&["--objects", &objects.to_string()])?;
    let database = database(folder.path(), postgres).await?;
    process::add_tenant(folder.path(), &database, &cloud)?;
    // What is measured is the sync alone.
    process::run(folder.path(), &database, &["tenant", "after-sync", "Bench", "--drift", "false"])?;
    cloud.control("counts/reset").await?;
    let first = process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    let floors = match floors {
        Floors::Measured => {
            let requests = floor::requests(&cloud).await?;
            let download = floor::download(&cloud, &requests).await?.as_secs_f64();
            let insert = floor::insert(&database, folder.path(), postgres).await?.as_secs_f64();
            Some((download, insert))
        }
        Floors::LeftOut => None,
    };
    let second = process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    for (which, measured) in [("first", &first), ("second, nothing changed", &second)] {
        let seconds = measured.wall.as_secs_f64();
        let items = measured.report["items_observed_count"].as_f64().unwrap_or(0.0);
        let against = floors.map_or_else(
            || " | | ".to_owned(),
            |(download, insert)| format!("{download:.2} | {insert:.2} | {:.2}", seconds / (download + insert)),
        );
        let megabytes = measured.peak_kb * 1024 / 1_000_000;
        println!(
            "| {name} | {items:.0} | {which} | {seconds:.2} | {:.0} | {against} | {megabytes} MB |",
            items / seconds
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
