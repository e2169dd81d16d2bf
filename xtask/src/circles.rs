//! Whether files use each other in circles: then none of them can be understood, tested or moved without the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::sources::{files, root};

/// Files that may use each other in a circle, such as a type, its builder and its parts.
const LARGEST: usize = 3;
/// Steps that are followed from a name to the file that defines it: a file may hand on what another one hands on.
const STEPS: usize = 8;

/// A module by its path from the root of its crate; the root is empty.
type Module = Vec<String>;

/// One name that a file brings in.
struct Import {
    path: Vec<String>,
    name: String,
    /// Whether it is only handed on (`pub use`), which is no use of one's own.
    handed_on: bool,
}

/// The paths of a tree as it stands in a `use` item, with the name that each gets.
fn leaves(tree: &str, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((path, group)) = tree.split_once('{') {
        let before: Vec<String> = before.iter().cloned().chain(segments(path)).collect();
        let (mut depth, mut from) = (0, 0);
        let group = group.trim_end();
        let group = group.strip_suffix('}').unwrap_or(group);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    leaves(&group[from..at], &before, found);
                    from = at + 1;
                }
                _ => {}
            }
        }
        leaves(&group[from..], &before, found);
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let mut path: Vec<String> = before.iter().cloned().chain(segments(path)).collect();
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let name = alias.map(str::to_owned).or_else(|| path.last().cloned()).unwrap_or_default();
        found.push((path, name));
    }
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// What a file brings in, without its tests.
fn imports(text: &str) -> Vec<Import> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let (visible, item) = match line.split_once("use ") {
            Some(("", item)) => (false, item),
            Some((before, item)) if before == "pub " || before.starts_with("pub(") => (true, item),
            _ => continue,
        };
        let mut item = item.to_owned();
        while !item.contains(';') {
            let Some(next) = lines.next() else { break };
            item = item + " " + next.trim();
        }
        let mut paths = Vec::new();
        leaves(item.split(';').next().unwrap_or_default(), &[], &mut paths);
        found.extend(paths.into_iter().map(|(path, name)| Import { path, name, handed_on: visible }));
    }
    found
}

/// The files of a crate, by module, with what each brings in.
struct Crate {
    modules: BTreeMap<Module, Vec<Import>>,
}

impl Crate {
    fn new<'a>(texts: impl IntoIterator<Item = (Module, &'a str)>) -> Self {
        Self { modules: texts.into_iter().map(|(module, text)| (module, imports(text))).collect() }
    }

    /// A path from the root of the crate; `None` where it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let beside = |base: &[String], rest: &[String]| Some([base, rest].concat());
        match first.as_str() {
            "crate" => beside(&[], rest),
            "self" => beside(module, rest),
            "super" => {
                let supers = path.iter().take_while(|part| *part == "super").count();
                beside(&module[..module.len().checked_sub(supers)?], &path[supers..])
            }
            _ => self
                .modules
                .contains_key(&[module.as_slice(), std::slice::from_ref(first)].concat())
                .then(|| beside(module, path))?,
        }
    }

    /// The module that defines what a path names: the deepest one on it, or the one from which that brings the name in.
    fn definer(&self, path: &[String], steps: usize) -> Option<Module> {
        let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
        let (module, rest) = (path[..depth].to_vec(), &path[depth..]);
        let handed_on = rest.first().filter(|_| steps > 0).and_then(|name| {
            let import = self.modules[&module].iter().find(|import| import.name == *name)?;
            let path = self.absolute(&module, &import.path)?;
            self.definer(&path, steps - 1)
        });
        Some(handed_on.unwrap_or(module))
    }

    /// The modules that a module uses.
    fn used_by(&self, module: &Module) -> BTreeSet<Module> {
        let own = self.modules[module].iter().filter(|import| !import.handed_on);
        let paths = own.filter_map(|import| self.absolute(module, &import.path));
        paths.filter_map(|path| self.definer(&path, STEPS)).filter(|used| used != module).collect()
    }

    /// Every set of modules of which each leads to each other.
    fn circles(&self) -> BTreeSet<BTreeSet<Module>> {
        let uses: BTreeMap<&Module, BTreeSet<Module>> =
            self.modules.keys().map(|module| (module, self.used_by(module))).collect();
        let reached = |from: &Module| {
            let (mut reached, mut open) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(module) = open.pop() {
                open.extend(uses[&module].iter().filter(|used| reached.insert((*used).clone())).cloned());
            }
            reached
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            uses.keys().map(|module| (*module, reached(module))).collect();
        let circle = |(module, others): (&&Module, &BTreeSet<Module>)| -> BTreeSet<Module> {
            others.iter().filter(|other| reached[other].contains(*module)).cloned().collect()
        };
        reached.iter().map(circle).filter(|circle| circle.len() > 1).collect()
    }
}

/// The modules of a folder of sources, with their texts. Tests are no part of a crate.
fn modules(folder: &Path) -> Vec<(Module, String)> {
    let mut found = Vec::new();
    files(folder, &mut found);
    let module = |path: &Path| -> Module {
        let inside = path.strip_prefix(folder).expect("below the folder").with_extension("");
        let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
            module.pop();
        }
        module
    };
    let sources = found.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    sources
        .map(|path| (module(&path), fs::read_to_string(&path).expect("a source")))
        .filter(|(module, _)| !module.iter().any(|part| part == "tests"))
        .collect()
}

#[test]
fn no_more_than_three_files_of_a_crate_use_each_other_in_a_circle() {
    let mut found = Vec::new();
    files(&root(), &mut found);
    let folders = found.iter().filter(|path| path.ends_with("Cargo.toml")).filter_map(|path| path.parent());
    let (mut modules_read, mut large) = (0, Vec::new());
    for sources in folders.map(|folder| folder.join("src")).filter(|sources| sources.is_dir()) {
        let texts = modules(&sources);
        modules_read += texts.len();
        let circles = Crate::new(texts.iter().map(|(module, text)| (module.clone(), text.as_str()))).circles();
        let names = |circle: &BTreeSet<Module>| circle.iter().map(|module| module.join("::")).collect::<Vec<_>>();
        large.extend(
            circles.iter().filter(|circle| circle.len() > LARGEST).map(|circle| (sources.clone(), names(circle))),
        );
    }
    assert!(modules_read > 300, "{modules_read}");
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn a_circle_that_leads_through_a_name_that_is_handed_on_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let texts = [
        (Module::new(), "mod a;\npub use d::Last;"),
        (module("a"), "use std::fmt;\nuse crate::b::{self, Other as _};"),
        (module("b"), "pub(crate) use super::a::First;\nuse crate::{\n    c::{Deep, Deeper},\n    e::Apart,\n};"),
        (module("c"), "fn inside() {\n    use crate::Last;\n}"),
        (module("d"), "use super::b::First;\n#[cfg(test)]\nmod tests {\n    use crate::e::Apart;\n}"),
        (module("e"), "use crate::a;"),
    ];
    let circles = Crate::new(texts.clone()).circles();
    let circle = |names: &[&str]| -> BTreeSet<Module> { names.iter().map(|name| module(name)).collect() };
    assert_eq!(circles, BTreeSet::from([circle(&["a", "b", "c", "d", "e"])]));
    let without = texts.map(|(module, text)| (module, if text.contains("use crate::a;") { "" } else { text }));
    assert_eq!(Crate::new(without).circles(), BTreeSet::from([circle(&["a", "b", "c", "d"])]));
}
