//! What is named as database, key or folder and is something else: one sentence, at once, and nothing changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::bad_input::assert_refused;
use super::sandbox::{Ended, Sandbox};

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

fn with_database(sandbox: &Sandbox, path: &Path) -> Ended {
    sandbox.run(&["migrate", "--database-url", &format!("sqlite:{}", path.display())])
}

fn with_key(sandbox: &Sandbox, path: &Path) -> Ended {
    sandbox.run(&["migrate", "--key-file", &path.display().to_string()])
}

#[test]
fn a_database_that_is_no_file_is_named_with_what_it_is() {
    let sandbox = Sandbox::new();
    let place = |name: &str| sandbox.path().join(name);
    pipe(&place("pipe"));
    fs::create_dir(place("folder")).expect("a folder");
    let _socket = UnixListener::bind(place("socket")).expect("a socket");
    for (name, kind) in [("pipe", "a named pipe"), ("folder", "a folder"), ("socket", "a socket")] {
        assert_refused(&with_database(&sandbox, &place(name)), 78, &[name, kind, "name the file"]);
    }
    assert_refused(&with_database(&sandbox, Path::new("/dev/zero")), 78, &["/dev/zero", "a device"]);
    symlink(place("loop"), place("loop")).expect("a link");
    assert_refused(&with_database(&sandbox, &place("loop")), 74, &["loop", "symbolic links"]);
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    let text = "just some notes, long enough to be looked at as the header of a database file\n".repeat(20);
    let notes = sandbox.file("notes.txt", &text);
    assert_refused(&with_database(&sandbox, &notes), 78, &["notes.txt", "is not a TenantAtlas database"]);
    assert_eq!(fs::read_to_string(&notes).expect("there"), text);
}

#[test]
fn a_key_that_is_no_file_or_holds_none_is_named_and_nothing_hangs() {
    let sandbox = Sandbox::new();
    let place = |name: &str| sandbox.path().join(name);
    pipe(&place("pipe"));
    fs::create_dir(place("folder")).expect("a folder");
    let _socket = UnixListener::bind(place("socket")).expect("a socket");
    symlink(place("loop"), place("loop")).expect("a link");
    symlink(place("nowhere"), place("dangling")).expect("a link");
    sandbox.file("empty", "");
    sandbox.file("large", &"x".repeat(100_000));
    sandbox.file("other", "-----BEGIN PRIVATE KEY-----\n");
    for name in ["empty", "large", "other"] {
        fs::set_permissions(place(name), fs::Permissions::from_mode(0o600)).expect("set");
    }
    for (name, told) in [
        ("pipe", "is a named pipe and no file"),
        ("folder", "is a folder and no file"),
        ("socket", "is a socket and no file"),
        ("loop", "cannot be read"),
        ("dangling", "is a link that leads nowhere"),
        ("empty", "is empty"),
        ("large", "is too large for a key"),
        ("other", "holds no key"),
    ] {
        assert_refused(&with_key(&sandbox, &place(name)), 78, &["key file", name, told]);
    }
    assert_refused(&with_key(&sandbox, Path::new("/dev/zero")), 78, &["/dev/zero", "is a device and no file"]);
}

#[test]
fn the_data_folder_is_private_whatever_the_umask_and_refused_when_everybody_may_write_into_it() {
    let sandbox = Sandbox::new();
    let data = sandbox.path().join("data");
    // The umask is inherited from the shell.
    let command = sandbox.command(&["migrate"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(shell.status().expect("it runs").success());
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in fs::read_dir(&data).expect("readable") {
        let file = file.expect("readable").path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).expect("set");
    assert_refused(&sandbox.run(&["tenant", "list"]), 78, &["data", "chmod go-w"]);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("set");
    assert_eq!(sandbox.run(&["tenant", "list"]).code, 0, "looking in is not writing");
}

#[test]
fn files_of_the_database_that_others_can_read_are_made_private() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate"]).code, 0);
    let names = ["data/tenantatlas.db", "data/tenantatlas.db-wal", "data/tenantatlas.db-shm"];
    let paths = names.map(|name| sandbox.path().join(name));
    for path in paths.iter().filter(|path| path.exists()) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("set");
    }
    assert_eq!(sandbox.run(&["tenant", "list"]).code, 0);
    for path in paths.iter().filter(|path| path.exists()) {
        let mode = fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}
