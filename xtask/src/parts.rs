//! Cuts the linked module at its lazy functions and islands into a main part, which every page loads, and parts that are
//! loaded when something in them is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use wasm_split_cli_support::{Options, transform};
use wasmparser::{KnownCustom, Linking, Parser, Payload, SymbolInfo};

/// What the main part imports its loaders from.
pub const LOADERS: &str = "./parts.js";
/// What leptos ends the name of the function with that hydrates an island of `#[island(lazy)]`.
const ISLAND: &str = "_loader_";

/// The cut module.
pub struct Split {
    /// The main part, which wasm-bindgen still has to see.
    pub main: Vec<u8>,
    /// The files of the other parts, by their name without extension.
    pub files: BTreeMap<String, PathBuf>,
    /// The files that each lazy function needs, by the name of its part.
    pub needs: BTreeMap<String, Vec<String>>,
}

/// Cuts the module; the parts are written into a folder that holds nothing else.
///
/// # Errors
/// When the module holds no relocations, or no lazy function.
pub fn split(module: &Path, folder: &Path) -> Result<Split> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let linked = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    refuse_case_tables(&linked)?;
    let main = folder.join("main.wasm");
    let mut options = Options::new(&linked);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.link_name = LOADERS;
    let split = transform(options).map_err(|error| anyhow!("cannot cut the module into parts: {error:#}"))?;
    if split.prefetch_map.is_empty() {
        bail!("the module holds no lazy function: nothing is loaded on demand");
    }
    let mut files = BTreeMap::new();
    for path in split.split_modules {
        let name = path.file_stem().and_then(|name| name.to_str()).context("a part without a name")?;
        fs::write(&path, without_names(&fs::read(&path)?)?)?;
        files.insert(name.to_owned(), path.clone());
    }
    let mut needs: BTreeMap<_, _> = split.prefetch_map.into_iter().collect();
    for names in needs.values_mut() {
        // Shared parts that turned out empty are not written.
        names.retain(|name| files.contains_key(name));
        names.sort();
    }
    Ok(Split { main: fs::read(main)?, files, needs })
}

/// The part without its name section, which holds more than wasm-opt knows.
fn without_names(part: &[u8]) -> Result<Vec<u8>> {
    let (mut kept, mut start) = (Vec::with_capacity(part.len()), 0);
    for payload in Parser::new(0).parse_all(part) {
        let payload = payload?;
        let end = match &payload {
            Payload::Version { range, .. } => range.end,
            section => match section.as_section() {
                Some((_, range)) => range.end,
                None => continue,
            },
        };
        let end = usize::try_from(end)?;
        if !matches!(&payload, Payload::CustomSection(section) if section.name() == "name") {
            kept.extend_from_slice(&part[start..end]);
        }
        start = end;
    }
    Ok(kept)
}

/// The tables of Unicode's cases are 28 kB that the browser has too: `format::lowercase` asks it.
fn refuse_case_tables(linked: &[u8]) -> Result<()> {
    // A part of the mangled names of all functions and tables of that module.
    const TABLES: &str = "12unicode_data11conversions";
    for payload in Parser::new(0).parse_all(linked) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Linking(section) = section.as_known() else { continue };
        for subsection in section {
            let Linking::SymbolTable(symbols) = subsection? else { continue };
            for symbol in symbols {
                let (SymbolInfo::Func { name: Some(name), .. } | SymbolInfo::Data { name, .. }) = symbol? else {
                    continue;
                };
                if name.contains(TABLES) {
                    bail!(
                        "the browser's module holds {name}: something in it calls `to_lowercase`, `to_uppercase` or the like; use `format::lowercase`"
                    );
                }
            }
        }
    }
    Ok(())
}

/// The names that the parts take from the main part.
///
/// # Errors
/// When a part takes something from elsewhere, which the loaders do not know.
pub fn taken(split: &Split) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::from(["__indirect_function_table".to_owned()]);
    for path in split.files.values() {
        let content = fs::read(path)?;
        for payload in Parser::new(0).parse_all(&content) {
            let Payload::ImportSection(section) = payload? else { continue };
            for import in section.into_imports() {
                let import = import?;
                if import.module != "__wasm_split" {
                    bail!("a part imports {} from {}", import.name, import.module);
                }
                names.insert(import.name.to_owned());
            }
        }
    }
    Ok(names)
}

/// The loaders as JavaScript: one per part, by the name that the main part imports it by, and one per lazy island, by the
/// name of the island.
///
/// # Errors
/// When a lazy island is not among the islands, and when nothing would ever load a part.
pub fn loaders(
    split: &Split,
    files: &BTreeMap<String, String>,
    imports: &BTreeMap<String, String>,
    islands: &BTreeSet<String>,
) -> Result<String> {
    let mut script = include_str!("parts.js").to_owned();
    for (part, needed) in &split.needs {
        match imports.get(&format!("__wasm_split_load_{part}")) {
            Some(import) => {
                script.push_str(&format!("export const {import} = loader({});\n", listed(needed, files)?));
            }
            // Loaded by the name of the island, below.
            None if part.contains(ISLAND) => {}
            None => bail!("nothing in the main part loads the part {part}"),
        }
    }
    script.push_str("export const parts = {\n");
    for (island, part) in lazy_islands(split, islands)? {
        script.push_str(&format!("  {island}: () => load({}),\n", listed(&split.needs[&part], files)?));
    }
    script.push_str("};\n");
    Ok(script)
}

fn listed(needed: &[String], files: &BTreeMap<String, String>) -> Result<String> {
    let names: Vec<_> = needed.iter().map(|name| files.get(name)).collect::<Option<_>>().context("a part was lost")?;
    Ok(serde_json::to_string(&names)?)
}

/// The islands that are parts: the name of each, such as `ActiveForm_123`, and of its part, `active_form_loader_456`.
///
/// # Errors
/// When a part is named after an island that does not exist.
fn lazy_islands(split: &Split, islands: &BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for part in split.needs.keys() {
        let Some((name, _)) = part.rsplit_once(ISLAND) else { continue };
        let plain = name.replace('_', "");
        let island = islands
            .iter()
            .find(|island| island.rsplit_once('_').is_some_and(|(name, _)| name.eq_ignore_ascii_case(&plain)))
            .with_context(|| format!("the part {part} belongs to no island"))?;
        found.insert(island.clone(), part.clone());
    }
    Ok(found)
}
