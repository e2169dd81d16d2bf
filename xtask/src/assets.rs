//! Names the built files after their content, compresses them, and writes the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::bundle::Bundle;
use crate::weight;

/// The name of a built file: the hash of its content is in it, so that it is safe to cache for ever.
pub fn hashed_name(content: &[u8], extension: &str) -> String {
    format!("tenantatlas.{}.{extension}", hex::encode(&Sha256::digest(content)[..8]))
}

/// Writes `target/site`: `pkg/` with hashed names, `public/` as it is, and `manifest.txt` with the lines `js NAME`,
/// `wasm NAME`, `css NAME`, and `part NAME` for each part that is loaded on demand. The folder is built beside the old one
/// and swapped in, so that a build that stops half-way leaves the old assets whole.
///
/// # Errors
/// When a file cannot be read or written, or the first load is heavier than allowed.
pub fn publish(root: &Path, bundle: &Bundle) -> Result<()> {
    let site = root.join("target/site");
    let fresh = root.join("target/site.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    let folder = fresh.join("pkg");
    fs::create_dir_all(&folder).context("cannot create target/site.new/pkg")?;
    let mut manifest = String::new();
    let mut weights = BTreeMap::new();
    let fixed = [("js", &bundle.javascript), ("wasm", &bundle.wasm), ("css", &bundle.css)];
    for (kind, source) in fixed.into_iter().chain(bundle.parts.iter().map(|part| ("part", part))) {
        let content = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        let name = hashed_name(&content, if kind == "part" { "wasm" } else { kind });
        let brotli = write_with_siblings(&folder.join(&name), &content)?;
        weights.insert(source.clone(), weight::Weight { plain: content.len(), brotli });
        manifest.push_str(&format!("{kind} {name}\n"));
    }
    weight::check(bundle, &weights)?;
    let public = root.join("style/public");
    if public.exists() {
        copy_public(&public, &fresh)?;
    }
    fs::write(fresh.join("manifest.txt"), manifest)?;
    if site.exists() {
        if is_same(&site, &fresh)? {
            // Files of the same age keep cargo from compiling the server once more.
            return fs::remove_dir_all(&fresh).context("cannot remove target/site.new");
        }
        fs::remove_dir_all(&site)?;
    }
    fs::rename(&fresh, &site).context("cannot put the new assets in place")
}

/// Whether two folders hold the same files with the same content.
fn is_same(one: &Path, other: &Path) -> Result<bool> {
    let names = |folder: &Path| -> Result<BTreeSet<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    };
    let found = names(one)?;
    if found != names(other)? {
        return Ok(false);
    }
    for name in found {
        let (one, other) = (one.join(&name), other.join(&name));
        let same = match (one.is_dir(), other.is_dir()) {
            (true, true) => is_same(&one, &other)?,
            (false, false) => fs::read(&one)? == fs::read(&other)?,
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Files that keep their name: icons and the web manifest.
fn copy_public(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            write_with_siblings(&to.join(entry.file_name()), &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Writes the file and its `.br` and `.gz`; returns the size with brotli.
fn write_with_siblings(path: &Path, content: &[u8]) -> Result<usize> {
    fs::write(path, content)?;
    let mut compressed = Vec::new();
    {
        let mut encoder = brotli::CompressorWriter::new(&mut compressed, 1 << 16, 11, 24);
        encoder.write_all(content)?;
    }
    fs::write(sibling(path, "br"), &compressed)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(content)?;
    fs::write(sibling(path, "gz"), gzip.finish()?)?;
    Ok(compressed.len())
}

fn sibling(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
