//! Short names for what the WebAssembly module and its JavaScript take from each other. wasm-bindgen makes them long, so
//! that those of all crates differ; here both sides are known, and a name that is a hash cannot be compressed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Output;

use crate::parts::LOADERS;

/// The module that the glue hands its functions over as.
const GLUE: &str = "./tenantatlas_bg.js";

/// What was renamed.
pub struct Renamed {
    /// The glue with the new names, without classes that nothing makes.
    pub glue: String,
    /// The new names of what the module imports, by the old ones.
    pub imports: BTreeMap<String, String>,
}

/// Renames imports and exports in the module, drops the exports that nothing calls, and rewrites the glue to match.
/// Exports in `kept` keep their names: the parts of the module use them.
///
/// # Errors
/// When the glue is not as expected.
pub fn apply(output: &mut Output, kept: &BTreeSet<String>) -> Result<Renamed> {
    let glue = without_unused_classes(output.js())?;
    let called = called(&glue);
    let module = output.wasm_mut();

    let mut exports = BTreeMap::new();
    let mut dropped = Vec::new();
    for export in module.exports.iter_mut() {
        if kept.contains(&export.name) {
            continue;
        }
        if called.contains(export.name.as_str()) {
            let short = format!("e{:x}", exports.len());
            exports.insert(std::mem::replace(&mut export.name, short.clone()), short);
        } else {
            dropped.push(export.id());
        }
    }
    dropped.into_iter().for_each(|export| module.exports.delete(export));

    let mut imports = BTreeMap::new();
    for import in module.imports.iter_mut() {
        let short = format!("i{:x}", imports.len());
        if imports.insert(std::mem::replace(&mut import.name, short.clone()), short).is_some() {
            bail!("two imports of the same name: the glue cannot be renamed word by word");
        }
        if import.module == GLUE {
            "g".clone_into(&mut import.module);
        }
    }
    let glue = rename(&glue, &imports, &exports).replacen(&format!("\"{GLUE}\": "), "g: ", 1);
    let glue = without_repeated_keys(&glue);
    if let Some(left) = imports.keys().find(|name| glue.contains(name.as_str())) {
        bail!("{left} is still in the glue");
    }
    Ok(Renamed { glue, imports })
}

/// The exports that the glue calls.
fn called(glue: &str) -> BTreeSet<&str> {
    glue.split("wasm.")
        .skip(1)
        .map(|rest| &rest[..rest.find(|letter| !in_word(letter)).unwrap_or(rest.len())])
        .collect()
}

fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '$'
}

/// The text with each word renamed: what follows `wasm.` is an export, any other an import.
fn rename(text: &str, imports: &BTreeMap<String, String>, exports: &BTreeMap<String, String>) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let (between, word_on) = rest.split_at(start);
        renamed.push_str(between);
        let (word, after) = word_on.split_at(word_on.find(|letter| !in_word(letter)).unwrap_or(word_on.len()));
        let names = if renamed.ends_with("wasm.") { exports } else { imports };
        renamed.push_str(names.get(word).map_or(word, String::as_str));
        rest = after;
    }
    renamed.push_str(rest);
    renamed
}

/// The glue without the lines that hand over the loaders again: wasm-bindgen writes one for each of them.
fn without_repeated_keys(glue: &str) -> String {
    let key = format!("\"{LOADERS}\": ");
    let mut seen = false;
    let lines = glue.lines().filter(|line| !line.trim_start().starts_with(&key) || !std::mem::replace(&mut seen, true));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The glue without the classes that nothing in it makes. `wasm_streams` comes with three for a direction of streaming that
/// no server function has.
fn without_unused_classes(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    let names: Vec<String> = glue
        .split("\nexport class ")
        .skip(1)
        .filter_map(|rest| rest.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        if glue.contains(&format!("{name}.__wrap(")) {
            continue;
        }
        cut(&mut glue, &format!("export class {name} {{"), &format!("\nif (Symbol.dispose) {name}."))?;
        cut(&mut glue, &format!("if (Symbol.dispose) {name}."), "\n")?;
        cut(&mut glue, &format!("const {name}Finalization ="), ";\n")?;
        if glue.contains(&name) {
            bail!("the class {name} is not cut out of the glue as a whole");
        }
    }
    Ok(glue)
}

/// Removes from the one text up to the other, which stays.
fn cut(glue: &mut String, from: &str, to: &str) -> Result<()> {
    let start = glue.find(from).with_context(|| format!("the glue holds no {from}"))?;
    let length = glue[start..].find(to).with_context(|| format!("the glue holds no {to} after {from}"))?;
    glue.replace_range(start..start + length, "");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{called, rename, without_unused_classes};
    use std::collections::{BTreeMap, BTreeSet};

    fn names(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    }

    #[test]
    fn a_word_of_both_sides_is_renamed_on_the_side_it_stands_for() {
        let imports = names(&[("__wbg_get_1", "i0"), ("__wbindgen_malloc", "i1")]);
        let exports = names(&[("__wbindgen_malloc", "e0")]);
        let glue = "__wbg_get_1: () => wasm.__wbindgen_malloc(__wbg_get_12), __wbindgen_malloc: 1";
        assert_eq!(rename(glue, &imports, &exports), "i0: () => wasm.e0(__wbg_get_12), i1: 1");
    }

    #[test]
    fn an_export_is_called_where_its_whole_name_is() {
        assert_eq!(called("wasm.a_free(1); wasm.table.get(2)"), BTreeSet::from(["a_free", "table"]));
    }

    #[test]
    fn a_class_goes_only_when_nothing_makes_it() {
        let class = |name: &str| {
            format!(
                "\nexport class {name} {{\n    free() {{ wasm.{name}_free(); }}\n}}\nif (Symbol.dispose) {name}.prototype[Symbol.dispose] = 1;\nconst {name}Finalization = a\n    ? b\n    : c;\n"
            )
        };
        let glue = format!("{}{}const made = Made.__wrap(1);\n", class("Dead"), class("Made"));
        let left = without_unused_classes(&glue).expect("the glue as wasm-bindgen writes it");
        assert!(!left.contains("Dead"), "{left}");
        assert!(left.contains("export class Made"), "{left}");
        assert!(left.ends_with("const made = Made.__wrap(1);\n"), "{left}");
    }
}
