//! A small tenant far away, throttled as documented.

use anyhow::Result;

use crate::process::{self, Cloud};

/// Milliseconds every answer takes.
const LATENCY: u64 = 150;
/// Requests that the documented quota lets through in one window of 20 seconds.
const QUOTA: u64 = 1_000;

/// Prints requests and time next to the shortest schedule.
///
/// The schedule cannot be shorter than the windows that the quota forces to wait out, nor than the longest chain of
/// requests that wait for one another: the token, the pages of the longest collection, a round of details below its
/// last page, and the names of the groups at the end. Nor can it be shorter than the token, all other requests spread
/// over as many at a time as there were at most, and the names, which are known only when everything else was read.
pub async fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&["--objects", "1000", "--latency", &LATENCY.to_string(), "--throttle"])?;
    let database = format!("sqlite:{}", folder.path().join("bench.db").display());
    process::add_tenant(folder.path(), &database, &cloud)?;
    cloud.control("counts/reset").await?;
    let measured = process::run(folder.path(), &database, &["sync", "--tenant", "Bench"])?;
    let counts = cloud.control("counts").await?;
    let quota = counts["quota"].as_u64().unwrap_or(0);
    let requests = counts["requests"].as_u64().unwrap_or(0);
    let concurrency = counts["max_concurrency"].as_u64().unwrap_or(1).max(1);
    let pages = measured.report["types"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, row)| row["pages"].as_u64())
        .max()
        .unwrap_or(1);
    // Four steps besides the pages: one round of assignments, one of details, one of nested details, the group names.
    let chain = (pages + 4) as f64 * LATENCY as f64 / 1_000.0;
    let spread = (2.0 + (requests.saturating_sub(2) as f64 / concurrency as f64).ceil()) * LATENCY as f64 / 1_000.0;
    let windows = (quota.saturating_sub(1) / QUOTA) as f64 * 20.0;
    let shortest = windows + chain.max(spread);
    let seconds = measured.report["duration_ms"].as_f64().unwrap_or(0.0) / 1_000.0;
    println!(
        "| HTTP requests | counted by the quota | refused with 429 | most at a time | seconds | shortest schedule | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| {requests} | {quota} | {} | {concurrency} | {seconds:.2} | {shortest:.2} | {:.2} |",
        counts["throttled"],
        seconds / shortest
    );
    Ok(())
}
