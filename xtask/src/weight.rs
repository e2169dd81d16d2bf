//! What the first load of a page weighs, and what of it the most.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::bundle::Bundle;

/// WebAssembly and JavaScript that every page loads, bytes with brotli.
const LIMIT: usize = 180_000;
/// How many functions are named.
const FUNCTIONS: usize = 10;

/// The size of a file, bytes.
#[derive(Clone, Copy)]
pub struct Weight {
    /// As it is.
    pub plain: usize,
    /// As it is sent.
    pub brotli: usize,
}

/// Prints what each file weighs, and the largest functions of the module.
///
/// # Errors
/// When what every page loads is more than [`LIMIT`]. That no page loads a part before somebody asks for it, the browser
/// tests see.
pub fn check(bundle: &Bundle, weights: &BTreeMap<PathBuf, Weight>) -> Result<()> {
    let weight = |path: &PathBuf| weights.get(path).copied().context("a file was not weighed");
    for path in [&bundle.css, &bundle.javascript, &bundle.wasm].into_iter().chain(&bundle.parts) {
        let Weight { plain, brotli } = weight(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("  {name}: {plain} bytes, {brotli} with brotli");
    }
    println!("  The largest functions of the module, bytes:");
    for (size, name) in largest_functions(&bundle.named)? {
        println!("  {size:>8}  {name}");
    }
    for (part, files) in &bundle.needs {
        let weights = files.iter().map(weight).collect::<Result<Vec<_>>>()?;
        let brotli: usize = weights.iter().map(|weight| weight.brotli).sum();
        println!("  On demand, {part}: {:.1} kB brotli in {} files", brotli as f64 / 1000.0, files.len());
    }
    let first_load = weight(&bundle.javascript)?.brotli + weight(&bundle.wasm)?.brotli;
    println!("  WebAssembly and JavaScript of the first load: {:.1} kB brotli", first_load as f64 / 1000.0);
    if first_load > LIMIT {
        bail!(
            "the first load has {first_load} bytes with brotli, and at most {LIMIT} are allowed: see the functions above"
        );
    }
    Ok(())
}

/// The largest functions with their names, from a module that still has its name section.
fn largest_functions(module: &Path) -> Result<Vec<(u64, String)>> {
    let content = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let (mut sizes, mut names, mut imported) = (Vec::new(), HashMap::new(), 0);
    for payload in Parser::new(0).parse_all(&content) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                sizes.push(range.end - range.start);
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(section) = section.as_known() else { continue };
                for subsection in section {
                    let Name::Function(map) = subsection? else { continue };
                    for naming in map {
                        let naming = naming?;
                        names.insert(naming.index, naming.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    let mut functions: Vec<_> = sizes
        .into_iter()
        .zip(imported..)
        .map(|(size, index)| (size, names.remove(&index).unwrap_or_else(|| format!("function {index}"))))
        .collect();
    functions.sort_unstable_by(|one, other| other.cmp(one));
    functions.truncate(FUNCTIONS);
    Ok(functions)
}
