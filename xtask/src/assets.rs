//! Names the built files after their content, compresses them, and writes the manifest.

use crate::bundle::Bundle;
use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Writes `target/site`: `pkg/` with hashed names (safe to cache for ever), `public/` as it is, and `manifest.txt`
/// with the lines `js NAME`, `wasm NAME`, `css NAME`. The folder is built beside the old one and swapped in, so that a
/// build that stops half-way leaves the old assets whole.
///
/// # Errors
/// When a file cannot be read or written.
pub fn publish(root: &Path, bundle: &Bundle) -> Result<()> {
    let site = root.join("target/site");
    let fresh = root.join("target/site.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    let folder = fresh.join("pkg");
    fs::create_dir_all(&folder).context("cannot create target/site.new/pkg")?;
    let mut manifest = String::new();
    let mut first_load = 0;
    for (kind, source) in [("js", &bundle.javascript), ("wasm", &bundle.wasm), ("css", &bundle.css)] {
        let content = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        let digest = hex::encode(&Sha256::digest(&content)[..8]);
        let name = format!("tenantatlas.{digest}.{kind}");
        let brotli = write_with_siblings(&folder.join(&name), &content)?;
        println!("  {name}: {} bytes, {brotli} with brotli", content.len());
        if kind != "css" {
            first_load += brotli;
        }
        manifest.push_str(&format!("{kind} {name}\n"));
    }
    println!("  WebAssembly and JavaScript of the first load: {:.1} kB brotli", first_load as f64 / 1000.0);
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
