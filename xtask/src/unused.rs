//! `xtask unused`: fails when a crate asks for a dependency that its sources never name. cargo-machete does the same, but
//! takes minutes to install.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use toml::Table;

/// The tables of a manifest that hold dependencies (The Cargo Book, "Specifying Dependencies").
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Looks at every crate of the workspace.
pub fn run(root: &Path) -> Result<()> {
    let mut unused = Vec::new();
    for manifest in manifests(root)? {
        let folder = manifest.parent().context("a manifest lies in a folder")?;
        let table: Table = toml::from_str(&fs::read_to_string(&manifest)?)
            .with_context(|| format!("{} is not understood", manifest.display()))?;
        let mut code = String::new();
        collect_code(folder, &mut code)?;
        let shown = manifest.strip_prefix(root).unwrap_or(&manifest).display();
        unused.extend(
            dependencies(&table)
                .into_iter()
                .filter(|name| !is_named(&code, name))
                .map(|name| format!("{shown}: {name}")),
        );
    }
    if !unused.is_empty() {
        bail!("these dependencies are named in no source of their crate, remove them:\n  {}", unused.join("\n  "));
    }
    println!("unused: every dependency is used");
    Ok(())
}

/// The manifests of the members: folders of the root, and of its `crates`.
fn manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    for folder in [root.to_path_buf(), root.join("crates")] {
        for entry in fs::read_dir(&folder)? {
            let manifest = entry?.path().join("Cargo.toml");
            if manifest.is_file() {
                manifests.push(manifest);
            }
        }
    }
    manifests.sort();
    if manifests.is_empty() {
        bail!("{} holds no crates", root.display());
    }
    Ok(manifests)
}

/// The names of all dependencies, those of single targets too, as Rust writes them.
fn dependencies(manifest: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain([manifest]);
    let lists = tables.flat_map(|table| TABLES.iter().filter_map(|name| table.get(*name)?.as_table()));
    let names: BTreeSet<String> = lists.flat_map(Table::keys).map(|name| name.replace('-', "_")).collect();
    names.into_iter().collect()
}

/// Appends the Rust code below a folder, without comments.
fn collect_code(folder: &Path, code: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_code(&path, code)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for line in fs::read_to_string(&path)?.lines() {
                code.push_str(line.split("//").next().unwrap_or_default());
                code.push('\n');
            }
        }
    }
    Ok(())
}

/// Whether a path begins with the name: `name::…`, `use name;`, an attribute, but not `other::name`.
fn is_named(code: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        let field = after.starts_with(':') && !after.starts_with("::");
        // Two colons without anything before them name a crate as well.
        let nested = before.strip_suffix("::").is_some_and(|before| before.ends_with(is_part));
        whole && !field && !nested
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_counts_as_used_only_where_a_path_begins_with_it() {
        for code in ["use rand::Rng;", "    ::rand::random()", "#[rand::test]", "use {rand, hex};", "(rand::random())"]
        {
            assert!(is_named(code, "rand"), "{code}");
        }
        for code in ["let operand = 1;", "other::rand::random()", "rand: u32,", "random()", "rand_core::x()"] {
            assert!(!is_named(code, "rand"), "{code}");
        }
    }

    #[test]
    fn dependencies_of_tests_and_of_single_targets_are_looked_at_too() {
        let manifest: Table = toml::from_str(
            "[dependencies]\na-b = \"1\"\n[dev-dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = \"1\"",
        )
        .unwrap();
        assert_eq!(dependencies(&manifest), ["a_b", "c", "d"]);
    }
}
