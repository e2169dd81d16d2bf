//! `make bench`: how fast a sync is next to what it cannot be faster than, measured in the same run, and what it takes.
//!
//! Ratios in one run count; single times on a shared machine do not. `--quick` leaves out the million objects.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod dispatch;
mod floor;
mod process;
mod throttle;
mod whole;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let quick = std::env::args().any(|argument| argument == "--quick");
    println!("## Whole sync, simulator on the same machine without latency or throttle\n");
    println!("| database | objects | sync | seconds | items/s | floor a | floor b | sync / (a + b) | peak memory |");
    println!("|---|---|---|---|---|---|---|---|---|");
    whole::measure("SQLite", 100_000, None).await?;
    let postgres = std::env::var("TENANTATLAS_TEST_POSTGRES_URL").ok();
    if let Some(url) = &postgres {
        whole::measure("PostgreSQL", 100_000, Some(url)).await?;
    }
    if !quick {
        whole::measure("SQLite", 1_000_000, None).await?;
    }
    println!(
        "\nFloor a downloads the same pages and throws the bytes away; batches are left out of it, so it is a little low."
    );
    println!("Floor b inserts the same rows with one prepared statement per table in one transaction.\n");
    println!("## 1,000 objects, 150 ms latency, documented throttling\n");
    throttle::measure().await?;
    println!("\n## Dispatch while ten syncs run\n");
    println!("| database | dispatches | p50 | p95 | worst |\n|---|---|---|---|---|");
    dispatch::measure("SQLite", None).await?;
    if let Some(url) = &postgres {
        dispatch::measure("PostgreSQL", Some(url)).await?;
    }
    Ok(())
}
