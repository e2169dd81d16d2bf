//! `make bench`: how fast it is next to what it cannot be faster than or what it must reach, measured in the same run.
//!
//! Ratios in one run count; single times on a shared machine do not. Arguments choose measurements by name (see
//! [`NAMES`]), all without; `--quick` leaves out the million objects.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod api;
mod bundle;
mod capture;
mod difference;
mod dispatch;
mod drift;
mod fat_pages;
mod flood;
mod floor;
mod half_sent;
mod hub;
mod lighthouse;
mod load;
mod nodes;
mod page;
mod process;
mod reader;
mod settings;
mod simulated;
mod site;
mod spread;
mod streams;
mod throttle;
mod whole;

use anyhow::{Result, bail};
use whole::Floors;

/// The measurements that can be chosen.
const NAMES: [&str; 17] = [
    "sync",
    "drift",
    "quota",
    "capture",
    "difference",
    "dispatch",
    "flood",
    "fat-pages",
    "streams",
    "half-sent",
    "page",
    "hub",
    "api",
    "nodes",
    "settings",
    "bundle",
    "lighthouse",
];

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (options, chosen): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| *option != "--quick") {
        bail!("there is no option {unknown}: expected --quick");
    }
    if let Some(unknown) = chosen.iter().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("there is no measurement \"{unknown}\": expected {}", NAMES.join(", "));
    }
    let quick = !options.is_empty();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    let postgres = std::env::var("TENANTATLAS_TEST_POSTGRES_URL").ok();
    let engines: Vec<(&str, Option<&str>)> =
        [("SQLite", None)].into_iter().chain(postgres.as_deref().map(|url| ("PostgreSQL", Some(url)))).collect();

    if wanted("sync") {
        println!("\n## Whole sync, simulator on the same machine without latency or throttle\n");
        println!(
            "| database | objects | sync | seconds | items/s | floor a | floor b | sync / (a + b) | peak memory |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            whole::measure(name, 100_000, *url, Floors::Measured).await?;
        }
        if !quick {
            for (name, url) in &engines {
                whole::measure(name, 1_000_000, *url, Floors::LeftOut).await?;
            }
        }
        println!("\nTarget: ratio at most 1.5, peak memory (10^6 bytes) at most 150 MB.");
        println!(
            "Floor a downloads the same pages and throws the bytes away; batches are left out, so it is a little low."
        );
        println!(
            "Floor b writes the same rows into the same schema in one transaction: SQLite by a loop over one prepared"
        );
        println!("statement per table without a driver between, PostgreSQL by COPY.");
    }
    if wanted("drift") {
        println!("\n## Comparison of two runs of which one object in a hundred changed\n");
        println!(
            "| database | objects | changed | findings | seconds | one read of both sides | drift / read | peak memory |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            drift::measure(name, if quick { 100_000 } else { 1_000_000 }, *url).await?;
        }
        println!(
            "\nTarget: at most 2 reads, peak memory (10^6 bytes) at most 150 MB. Of the command, from start to end."
        );
    }
    if wanted("quota") {
        println!("\n## 1,000 objects, 150 ms latency, documented throttling\n");
        throttle::measure().await?;
    }
    if wanted("capture") {
        println!("\n## Capture of 1,000 objects, 150 ms latency, documented throttling\n");
        capture::measure().await?;
    }
    if wanted("difference") {
        println!("\n## Difference of 800 settings, time to first byte\n");
        println!("| database | page | size | requests | failed | p50 | p99 | alone | target |");
        println!("|---|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            difference::measure(name, *url).await?;
        }
    }
    if wanted("dispatch") {
        println!("\n## Dispatch while ten syncs run\n");
        println!("| database | dispatches | p50 | p95 | worst | target |\n|---|---|---|---|---|---|");
        for (name, url) in &engines {
            dispatch::measure(name, *url).await?;
        }
    }
    if wanted("flood") {
        println!("\n## Dispatch while another person dispatches 2,500 runs as fast as they can\n");
        println!(
            "| database | others' dispatches | number | p50 | p95 | worst | target |\n|---|---|---|---|---|---|---|"
        );
        for (name, url) in &engines {
            flood::measure(name, *url).await?;
        }
    }
    if wanted("fat-pages") {
        println!("\n## Tenants whose every listing answers with pages of many megabytes\n");
        println!("| tenants | a page | seconds | peak memory | target |\n|---|---|---|---|---|");
        // More than is read of a page, and just below it.
        for megabytes in [60, 15] {
            fat_pages::measure(megabytes).await?;
        }
    }
    if wanted("streams") {
        println!("\n## {} open event streams on one server while a tenant is read\n", streams::STREAMS);
        println!("| database | what | measured | p50 | p99 | worst | target |\n|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            streams::measure(name, *url).await?;
        }
    }
    if wanted("half-sent") {
        println!("\n## Pages of others while {} requests do not end\n", half_sent::HALF_SENT);
        println!(
            "| database | half-sent | requests | failed | p50 | p99 | p99 with / without |\n|---|---|---|---|---|---|---|"
        );
        for (name, url) in &engines {
            half_sent::measure(name, *url).await?;
        }
        println!("\nTarget: p99 with them at most twice as long.");
    }
    if wanted("page") {
        println!("\n## Inventory page under load, time to first byte\n");
        println!("| database | items | page | a second | requests | failed | p50 | p99 | worst | alone | target |");
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            page::measure(name, if quick { 100_000 } else { 1_000_000 }, *url).await?;
        }
        println!("\nMeasured from when a request was due. Alone: the median of requests one after the other.");
    }
    if wanted("hub") {
        println!("\n## List of {} runs under load, time to first byte\n", hub::RUNS);
        println!("| database | list | a second | requests | failed | p50 | p99 | worst | alone | target |");
        println!("|---|---|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            hub::measure(name, *url).await?;
        }
    }
    if wanted("api") {
        println!("\n## List of 100 items by the REST API under load, time to first byte\n");
        println!("| database | items | page | a second | requests | failed | p50 | p99 | worst | alone | target |");
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for (name, url) in &engines {
            api::measure(name, if quick { 100_000 } else { 1_000_000 }, *url).await?;
        }
    }
    if wanted("nodes") {
        let (tenants, objects) = if quick { (100, 200) } else { (1_000, 1_000) };
        println!("\n## A night: {tenants} tenants of {objects} objects, answers after 150 ms, PostgreSQL\n");
        println!(
            "| what | processes | tenants | runs | seconds | runs/s | requests | largest | together | processor |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|");
        match &postgres {
            Some(url) => nodes::measure(tenants, objects, url).await?,
            None => println!("| not measured: there is no PostgreSQL; run it under scripts/with-postgres |"),
        }
    }
    if wanted("settings") {
        println!("\n## Search of settings: 10,000 policies with 200,000 settings in 100 tenants\n");
        println!("| database | what | p50 | p99 | settings of the page | target |\n|---|---|---|---|---|---|");
        for (name, url) in &engines {
            settings::measure(name, *url).await?;
        }
        println!(
            "\nAsked of the engine as the page asks, over all tenants, with what was not searched; the inventory is empty."
        );
    }
    if wanted("bundle") {
        println!("\n## First load, brotli\n\n| what | kB | target |\n|---|---|---|");
        bundle::measure()?;
    }
    if wanted("lighthouse") {
        println!("\n## Lighthouse, mobile, inventory with 100,000 items\n");
        lighthouse::measure().await?;
    }
    Ok(())
}
