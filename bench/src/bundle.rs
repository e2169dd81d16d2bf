//! What a browser downloads of script on the first load.

use anyhow::{Context as _, Result};
use std::{fs, path::PathBuf};

/// Prints the sizes of the precompressed assets.
pub fn measure() -> Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/site/pkg");
    let mut total = 0;
    for entry in fs::read_dir(&folder).context("the assets are not built: run make web")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(kind) = ["js", "wasm"].into_iter().find(|kind| name.ends_with(&format!(".{kind}.br"))) else {
            continue;
        };
        let bytes = entry.metadata()?.len();
        total += bytes;
        println!("| {kind} | {:.1} | |", bytes as f64 / 1_000.0);
    }
    println!("| together | {:.1} | at most 220 |", total as f64 / 1_000.0);
    Ok(())
}
