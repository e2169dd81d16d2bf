//! What Lighthouse says about the inventory page on a phone.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::site::Site;

/// Objects of the tenant.
const OBJECTS: &str = "100000";
/// Times it looks; the run with the middle performance counts, as single ones differ.
const RUNS: usize = 3;
/// Times it may fail on the way: now and then Chromium hands over no trace of the page.
const FAILURES: usize = 3;

/// Prints the scores of the middle run, and what cost points.
pub async fn measure() -> Result<()> {
    println!(
        "| performance | accessibility | best practices | largest contentful paint | layout shift |\n|---|---|---|---|---|"
    );
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../end2end/node_modules/.bin/lighthouse");
    if !program.exists() {
        println!("| not measured: npm package lighthouse is not installed, run scripts/setup test | | | | |");
        return Ok(());
    }
    let site = Site::make(&["--objects", OBJECTS], None, 1).await?;
    site.sync()?;
    let server = site.serve()?;
    let headers = site.folder().join("headers.json");
    fs::write(&headers, json!({"Cookie": site.cookies[0]}).to_string())?;
    let output = site.folder().join("lighthouse.json");
    let mut reports = Vec::new();
    let mut failures = 0;
    while reports.len() < RUNS {
        // So that a run that fails leaves nothing behind that looks like a report.
        let _ = fs::remove_file(&output);
        let chrome = std::env::var_os("CHROME_PATH").unwrap_or_else(|| "/usr/bin/chromium".into());
        let ended = Command::new(&program)
            .arg(format!("http://{}/t/{}/inventory", server.address, site.tenant))
            .args(["--quiet", "--output=json", "--only-categories=performance,accessibility,best-practices"])
            .arg("--chrome-flags=--no-sandbox --headless=new")
            .arg(format!("--extra-headers={}", headers.display()))
            .arg(format!("--output-path={}", output.display()))
            .env("CHROME_PATH", chrome)
            .stderr(Stdio::null())
            .status()?;
        let report: Value = serde_json::from_slice(&fs::read(&output).unwrap_or_default()).unwrap_or_default();
        if !ended.success() || report.get("categories").is_none() || report.get("runtimeError").is_some() {
            let error = report.pointer("/runtimeError/message").and_then(Value::as_str).unwrap_or("no report");
            failures += 1;
            anyhow::ensure!(failures <= FAILURES, "lighthouse could not look at the page ({ended}): {error}");
            continue;
        }
        let shown = report["finalDisplayedUrl"].as_str().unwrap_or_default();
        anyhow::ensure!(shown.ends_with("/inventory"), "lighthouse was led to {shown}");
        reports.push(report);
    }
    reports.sort_by_key(|report| score(report, "performance"));
    print(reports.get(RUNS / 2).context("a report")?);
    Ok(())
}

fn score(report: &Value, category: &str) -> u64 {
    (report["categories"][category]["score"].as_f64().unwrap_or(0.0) * 100.0).round() as u64
}

fn print(report: &Value) {
    let audit = |name: &str| report["audits"][name]["numericValue"].as_f64().unwrap_or(f64::NAN);
    println!(
        "| {} | {} | {} | {:.2} s | {:.3} |",
        score(report, "performance"),
        score(report, "accessibility"),
        score(report, "best-practices"),
        audit("largest-contentful-paint") / 1_000.0,
        audit("cumulative-layout-shift")
    );
    println!("| target: at least 95 | 100 | 100 | under 1.5 s | 0 |");
    println!(
        "\nFirst contentful paint {:.2} s, speed index {:.2} s, total blocking time {:.0} ms, server {:.0} ms.",
        audit("first-contentful-paint") / 1_000.0,
        audit("speed-index") / 1_000.0,
        audit("total-blocking-time"),
        audit("server-response-time")
    );
    for category in ["accessibility", "best-practices"] {
        let audits = report["categories"][category]["auditRefs"].as_array();
        let weighed = audits.into_iter().flatten().filter(|one| one["weight"].as_f64().unwrap_or(0.0) > 0.0);
        for name in weighed.filter_map(|one| one["id"].as_str()) {
            let found = &report["audits"][name];
            if found["score"].as_f64().is_some_and(|score| score < 1.0) {
                println!("\nCosts points ({category}): {}.", found["title"].as_str().unwrap_or(name));
            }
        }
    }
}
