//! Whether a word of the styles means one thing: what the frame keeps in its place is no class of anything on a page.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::sources::{files, root};

/// The classes that the frame's styles take out of the flow of a page, wherever they stand.
fn kept_in_place(styles: &str) -> BTreeSet<String> {
    let rules = styles.split('}').filter_map(|rule| {
        let (before, body) = rule.rsplit_once('{')?;
        let moves = body.contains("position: fixed") || body.contains("position: sticky");
        Some(before.rsplit(['{', ';', '/']).next().unwrap_or_default()).filter(|_| moves)
    });
    let classes = rules.flat_map(|selectors| selectors.split(',')).filter_map(|one| one.trim().strip_prefix('.'));
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    classes.filter(is_name).map(str::to_owned).collect()
}

/// The classes that a source writes out.
fn classes_of(source: &str) -> BTreeSet<&str> {
    let written = source.split("class=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    written.flat_map(|(classes, _)| classes.split_whitespace()).collect()
}

#[test]
fn a_label_on_a_page_does_not_become_the_navigation_beside_it() {
    let kept = kept_in_place(&fs::read_to_string(root().join("style/frame.css")).expect("the styles"));
    assert!(["skip", "top", "side"].iter().all(|one| kept.contains(*one)), "{kept:?}");
    let (mut sources, frame) = (Vec::new(), root().join("app/src/frame"));
    files(&root().join("app/src"), &mut sources);
    sources.retain(|path| path.extension().is_some_and(|end| end == "rs") && !path.starts_with(&frame));
    let taken = |path: &PathBuf| {
        let source = fs::read_to_string(path).expect("a source");
        let taken: Vec<String> =
            classes_of(&source).into_iter().filter(|class| kept.contains(*class)).map(str::to_owned).collect();
        (!taken.is_empty()).then(|| format!("{}: {}", path.display(), taken.join(", ")))
    };
    let taken: Vec<String> = sources.iter().filter_map(taken).collect();
    assert!(taken.is_empty(), "these are classes of the frame:\n{}", taken.join("\n"));
}
