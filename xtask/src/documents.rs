//! Whether `docs/security.md` names what there is: files, tests, and how many requirements are met.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::sources::{files, root};

/// What the page calls a folder, and where it lies.
const FOLDERS: [(&str, &str); 10] = [
    ("web/", "server/src/web/"),
    ("cli/", "server/src/cli/"),
    ("app/", "app/src/"),
    ("commands/", "crates/commands/src/"),
    ("engine/", "crates/engine/src/"),
    ("runs/", "crates/runs/src/"),
    ("store/", "crates/store/src/"),
    ("graph/", "crates/graph/src/"),
    ("net/", "crates/net/src/"),
    ("domain/", "crates/domain/src/"),
];
/// How the names of files end that lie in the repository.
const ENDINGS: [&str; 8] = [".rs", ".md", ".toml", ".conf", ".yaml", ".service", ".spec.ts", "/"];
/// Folders with sources.
const SOURCES: [&str; 6] = ["crates", "server", "app", "xtask", "fuzz", "end2end/tests"];

fn page() -> String {
    fs::read_to_string(root().join("docs/security.md")).expect("the page")
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    SOURCES.iter().for_each(|folder| files(&root().join(folder), &mut found));
    found
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let (text, sources) = (page(), sources());
    let named = |path: &str| {
        let characters = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
        characters && path.contains('.') | path.ends_with('/') && ENDINGS.iter().any(|ending| path.ends_with(ending))
    };
    let is_there = |path: &str| {
        let inside = FOLDERS.iter().find_map(|(short, long)| Some(format!("{long}{}", path.strip_prefix(short)?)));
        let places = [Some(path.to_owned()), Some(format!("docs/{path}")), inside];
        places.into_iter().flatten().any(|place| root().join(place).exists())
            || !path.contains('/') && sources.iter().any(|file| file.ends_with(path))
    };
    let named: Vec<&str> = quoted(&text).into_iter().filter(|path| named(path)).collect();
    assert!(named.len() > 80, "{}", named.len());
    let gone: Vec<&str> = named.into_iter().filter(|path| !is_there(path)).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let text = page();
    let sources: String = sources().iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    let is_test = |name: &&str| {
        name.matches('_').count() >= 4 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let named: Vec<&str> = quoted(&text).into_iter().filter(is_test).collect();
    assert!(named.len() > 5, "{named:?}");
    let gone: Vec<&str> = named.into_iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix("| ")?.strip_suffix(" |")?;
    Some(inside.split(" | ").map(str::trim).collect())
}

#[test]
fn the_counts_are_those_of_the_tables_and_every_requirement_that_is_not_met_has_its_reason() {
    let text = page();
    let is_number =
        |cell: &str| cell.split('.').count() == 3 && cell.split('.').all(|part| part.parse::<u32>().is_ok());
    // Met, not applicable, not met, by chapter.
    let mut counts: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    let (mut open, mut reasons, mut told) = (Vec::new(), Vec::new(), BTreeMap::new());
    for row in text.lines().filter_map(cells) {
        match row.as_slice() {
            [number, _, _, status, _] if is_number(number) => {
                let chapter = format!("V{}", number.split('.').next().unwrap_or_default());
                let column = ["met", "n/a", "**not met**"].iter().position(|word| word == status);
                let column = column.unwrap_or_else(|| panic!("{number} is {status}"));
                counts.entry(chapter).or_default()[column] += 1;
                counts.entry("all".to_owned()).or_default()[column] += 1;
                if column == 2 {
                    open.push((*number).to_owned());
                }
            }
            [number, _, _] if is_number(number) => reasons.push((*number).to_owned()),
            [chapter, met, not_applicable, not_met, all] if all.parse::<u32>().is_ok() => {
                let name = chapter.split(' ').next().unwrap_or_default().to_owned();
                let figures = [*met, *not_applicable, *not_met].map(|figure| figure.parse().unwrap_or(u32::MAX));
                assert_eq!(figures.iter().sum::<u32>().to_string(), *all, "{chapter}");
                told.insert(name, figures);
            }
            _ => {}
        }
    }
    assert_eq!(told, counts);
    assert_eq!(reasons, open);
    assert!(open.len() <= 8, "more is not met than was accepted: {open:?}");
}
