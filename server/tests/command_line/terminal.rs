//! What a terminal is given.

use super::sandbox::{Cloud, Ended, Sandbox};

/// No control, bidi or zero-width character but the ends of lines.
fn assert_plain(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        let acts = |character: char| {
            (character.is_control() && character != '\n')
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        assert!(!text.contains(acts), "{text:?}");
    }
}

#[test]
fn a_name_from_outside_does_nothing_to_a_terminal_and_stays_exact_in_json() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    // Of what is not seen a typed name may hold nothing but joiners.
    let name = "Contoso\u{200d}osotnoC\u{200c}";
    let added = sandbox.add_tenant(name, &cloud);
    assert_eq!((added.code, added.json()["name"].as_str()), (0, Some(name)));
    let types = ["--types", "namedLocation", "--no-foundations"];
    for arguments in [
        &["tenant", "list"][..],
        &["tenant", "check", name],
        &[&["sync", "--tenant", name][..], &types].concat(),
        &["items", "--tenant", name, "--search", "nothing has this name"],
        &["runs", "--tenant", name],
    ] {
        let ended = sandbox.run(arguments);
        assert!(ended.code < 64 && !ended.stdout.is_empty(), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        assert_plain(&ended);
    }
    let list = sandbox.run(&["tenant", "list"]);
    assert!(list.stdout.contains("Contoso\\u{200d}osotnoC\\u{200c}"), "{}", list.stdout);
    assert_eq!(sandbox.run(&["tenant", "list", "--json"]).json()[0]["name"].as_str(), Some(name));

    let refused = sandbox.run(&["sync", "--tenant", "\u{1b}[2J\u{7}\nSigned in."]);
    assert_eq!(refused.code, 64);
    assert_plain(&refused);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("\\u{1b}[2J\\u{7}\\nSigned in."), "{}", refused.stderr);
}
