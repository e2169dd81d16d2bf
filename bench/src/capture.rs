//! The first capture of a small tenant far away, throttled as documented; one with nothing changed; and beside it the backup of
//! IntuneCD over the same objects.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::process::{self, Cloud, Measured, binary};

/// Milliseconds every answer takes.
const LATENCY: u64 = 150;
/// Requests that the documented quota lets through in one window of 20 seconds.
const QUOTA: u64 = 1_000;
const WINDOW: Duration = Duration::from_secs(20);
const OBJECTS: &str = "1000";

fn cloud() -> Result<Cloud> {
    Cloud::start(&["--objects", OBJECTS, "--latency", &LATENCY.to_string(), "--throttle"])
}

/// A folder with an empty database and the tenant of a cloud.
struct Place {
    folder: tempfile::TempDir,
    database: String,
}

impl Place {
    fn of(cloud: &Cloud) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("bench.db").display());
        process::add_tenant(folder.path(), &database, cloud)?;
        let place = Self { folder, database };
        place.run(&["tenant", "after-sync", "Bench", "--drift", "false"])?;
        Ok(place)
    }

    fn run(&self, arguments: &[&str]) -> Result<Measured> {
        process::run(self.folder.path(), &self.database, arguments)
    }

    fn open(&self) -> Result<Connection> {
        let path = self.folder.path().join("bench.db");
        Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }
}

/// Prints the tables.
pub async fn measure() -> Result<()> {
    println!(
        "| capture | HTTP requests | counted by the quota | refused with 429 | most at a time | seconds | shortest schedule | ratio | versions | bytes of a version |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let cloud = cloud()?;
    let place = Place::of(&cloud)?;
    place.run(&["sync", "--tenant", "Bench"])?;
    let first = captured(&cloud, &place, "first").await?;
    // A sync has to have looked since, or everything is read again.
    window().await;
    place.run(&["sync", "--tenant", "Bench"])?;
    let second = captured(&cloud, &place, "with nothing changed").await?;
    println!(
        "\nTarget: at most 1.2 for the first; at most a tenth of its requests with nothing changed: {second} of {first}, {:.3}. Bytes: sealed bodies of a version, without indexes.",
        second as f64 / first.max(1) as f64
    );
    beside_intune_cd().await
}

/// Lets a window of the quota pass.
async fn window() {
    tokio::time::sleep(WINDOW).await;
}

/// Captures, and prints a line; answers with the requests.
///
/// The shortest schedule counts the steps that must follow one another (the token, the pages of the longest list, what is read
/// below the last of them, and below that), or all requests spread over as many at a time as there were at most, or what the quota
/// lets through, whichever is longer.
async fn captured(cloud: &Cloud, place: &Place, which: &str) -> Result<u64> {
    window().await;
    cloud.control("counts/reset").await?;
    let before = log(cloud).await?.len();
    let measured = place.run(&["capture", "--tenant", "Bench"])?;
    let counts = cloud.control("counts").await?;
    let count = |name: &str| counts[name].as_u64().unwrap_or(0);
    let (requests, quota, most) = (count("requests"), count("quota"), count("max_concurrency").max(1));
    let chain =
        (1 + longest_list(log(cloud).await?.get(before..).unwrap_or_default()) + 2) as f64 * LATENCY as f64 / 1_000.0;
    let spread = (1.0 + (requests.saturating_sub(1) as f64 / most as f64).ceil()) * LATENCY as f64 / 1_000.0;
    let windows = (quota.saturating_sub(1) / QUOTA) as f64 * WINDOW.as_secs_f64();
    let shortest = windows + chain.max(spread);
    let seconds = measured.report["duration_ms"].as_f64().unwrap_or(0.0) / 1_000.0;
    let (versions, bytes) = stored(place)?;
    println!(
        "| {which} | {requests} | {quota} | {} | {most} | {seconds:.2} | {shortest:.2} | {:.2} | {versions} | {} |",
        counts["throttled"],
        seconds / shortest,
        bytes / versions.max(1),
    );
    measured.report["requests"].as_u64().context("the requests of a capture")
}

async fn log(cloud: &Cloud) -> Result<Vec<Value>> {
    Ok(cloud.control("log").await?.as_array().cloned().unwrap_or_default())
}

/// The pages of the list that had most of them.
fn longest_list(log: &[Value]) -> u64 {
    let mut pages: HashMap<&str, u64> = HashMap::new();
    for request in log.iter().filter(|request| request["method"] == "GET") {
        let path = request["path"].as_str().unwrap_or_default();
        *pages.entry(path.split('?').next().unwrap_or_default()).or_default() += 1;
    }
    pages.into_values().max().unwrap_or(1)
}

/// How many versions are kept, and how many bytes their sealed bodies take.
fn stored(place: &Place) -> Result<(u64, u64)> {
    let db = place.open()?;
    let one = |text: &str| db.query_row(text, [], |row| row.get::<_, i64>(0));
    let versions = one("SELECT COUNT(*) FROM policy_versions")?;
    let bytes = one("SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM policy_blobs")?;
    Ok((versions.unsigned_abs(), bytes.unsigned_abs()))
}

/// The backup of IntuneCD, and the sync and capture of the same types, each of a fresh cloud with the same objects.
async fn beside_intune_cd() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/clients/venv/bin/python");
    if !python.exists() {
        println!(
            "\nIntuneCD: not measured, since {} is not there: `scripts/real-clients` installs it.",
            python.display()
        );
        return Ok(());
    }
    let theirs = intune_cd(&python, &root)?;
    let types: Vec<&str> = theirs["types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let types = types.join(",");
    let cloud = cloud()?;
    let place = Place::of(&cloud)?;
    let sync = place.run(&["sync", "--tenant", "Bench", "--types", &types, "--no-foundations"])?;
    let capture = place.run(&["capture", "--tenant", "Bench", "--types", &types])?;
    let (ours, seconds) = ((sync.wall + capture.wall).as_secs_f64(), theirs["seconds"].as_f64().unwrap_or(0.0));
    let (versions, _) = stored(&place)?;
    println!("\n| what | objects | HTTP requests | seconds | to IntuneCD |\n|---|---|---|---|---|");
    println!(
        "| backup of IntuneCD {} | {} | {} | {seconds:.1} | |",
        theirs["version"].as_str().unwrap_or_default(),
        theirs["files"],
        theirs["requests"]
    );
    let requests = cloud.control("counts").await?["requests"].as_u64().unwrap_or(0);
    println!("| sync and capture of the same types | {versions} | {requests} | {ours:.1} | {:.3} |", ours / seconds);
    Ok(())
}

fn intune_cd(python: &PathBuf, root: &Path) -> Result<Value> {
    let output = Command::new(python)
        .args(["-W", "ignore", "backup_time.py", OBJECTS, &LATENCY.to_string()])
        .current_dir(root.join("end2end/clients"))
        .env("TENANTATLAS_BINARY", binary())
        .output()?;
    anyhow::ensure!(output.status.success(), "IntuneCD: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
