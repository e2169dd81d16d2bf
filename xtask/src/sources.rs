//! The files of the repository, for the tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// Adds every file of a folder, those of its folders included, except what is built or installed.
pub fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        let foreign = ["target", "node_modules", ".git"].iter().any(|folder| name == *folder);
        if path.is_dir() && !foreign {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}
