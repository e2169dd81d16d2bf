//! A comparison of two runs, beside one read of everything that it could have to look at.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::TryStreamExt as _;
use sqlx::Row as _;

use crate::process::{self, Cloud};
use crate::whole;

/// One object in a hundred is to have changed.
const CHANGED: u64 = 100;

/// Reads a simulated tenant, lets one object in a hundred change, reads it again, compares both runs, and prints a line.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&["--objects", &objects.to_string()])?;
    let database = whole::database(folder.path(), postgres).await?;
    process::add_tenant(folder.path(), &database, &cloud)?;
    // The comparison is what is measured: it does not follow the sync.
    process::run(folder.path(), &database, &["tenant", "after-sync", "Bench", "--drift", "false"])?;
    process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    let mut changed = 0;
    while changed < objects / CHANGED {
        let told = cloud.tell("evolve", &serde_json::json!({"steps": 10})).await?;
        let steps = told.as_array().into_iter().flatten();
        let lists =
            steps.flat_map(|step| ["added", "edited", "renamed", "reassigned", "deleted"].map(|what| &step[what]));
        let of = |list: &serde_json::Value| {
            list.as_object()
                .into_iter()
                .flatten()
                .map(|(_, ids)| ids.as_array().map_or(0, Vec::len) as u64)
                .sum::<u64>()
        };
        changed += lists.map(of).sum::<u64>();
    }
    process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    let read = read_both(&database, postgres.is_some()).await?.as_secs_f64();
    let compared = process::run(folder.path(), &database, &["drift", "--tenant", "Bench"])?;
    let seconds = compared.wall.as_secs_f64();
    let found = &compared.report["counts"]["found"];
    let megabytes = compared.peak_kb * 1024 / 1_000_000;
    println!(
        "| {name} | {objects} | {changed} | {found} | {seconds:.2} | {read:.2} | {:.2} | {megabytes} MB |",
        seconds / read
    );
    Ok(())
}

/// How long it takes to read what a comparison needs of every object and every earlier content, once, and throw it away.
async fn read_both(database: &str, postgres: bool) -> Result<Duration> {
    const ITEMS: &str = "SELECT policy_type, id, display_name, content_hash, settings_digest, assignments_digest
                         FROM inventory_items ORDER BY policy_type, id";
    const VERSIONS: &str = "SELECT item_id, display_name, content_hash, settings_digest, assignments_digest
                            FROM inventory_item_versions";
    let started = Instant::now();
    let mut bytes = 0;
    if postgres {
        let pool = sqlx::PgPool::connect(database).await?;
        for text in [ITEMS, VERSIONS] {
            let mut rows = sqlx::query(text).fetch(&pool);
            while let Some(row) = rows.try_next().await? {
                bytes += row.try_get::<Vec<u8>, _>("content_hash")?.len();
            }
        }
    } else {
        let pool = sqlx::SqlitePool::connect(database).await?;
        for text in [ITEMS, VERSIONS] {
            let mut rows = sqlx::query(text).fetch(&pool);
            while let Some(row) = rows.try_next().await? {
                bytes += row.try_get::<Vec<u8>, _>("content_hash")?.len();
            }
        }
    }
    anyhow::ensure!(bytes > 0, "nothing was read");
    Ok(started.elapsed())
}
