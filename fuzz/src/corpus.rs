//! The inputs that are kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folder of a target.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target with the names of their files, in the order of these.
///
/// # Errors
/// When the folder cannot be read or holds nothing: a target without a seed is hardly ever reached.
pub fn seeds(target: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = folder(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("the corpus {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort_unstable();
    anyhow::ensure!(!paths.is_empty(), "the corpus {} is empty", folder.display());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| Ok((name(path), fs::read(path)?))).collect()
}
