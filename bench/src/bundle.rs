//! What a browser downloads of script: on the first load, and on demand.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Prints the sizes of the precompressed assets.
pub fn measure() -> Result<()> {
    let site = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    let manifest = fs::read_to_string(site.join("manifest.txt")).context("the assets are not built: run make web")?;
    let (mut first_load, mut parts) = (0, Vec::new());
    for (kind, name) in manifest.lines().filter_map(|line| line.split_once(' ')) {
        let bytes = fs::metadata(site.join("pkg").join(format!("{name}.br")))?.len();
        match kind {
            "js" | "wasm" => {
                first_load += bytes;
                println!("| {kind} | {} | |", kilobytes(bytes));
            }
            "part" => parts.push(bytes),
            _ => {}
        }
    }
    println!("| js and wasm of every page | {} | at most 180 |", kilobytes(first_load));
    println!("| parts on demand, {} files | {} | |", parts.len(), kilobytes(parts.iter().sum()));
    Ok(())
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1_000.0)
}
