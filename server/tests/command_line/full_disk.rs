//! A disk that is full or read-only. A small file system of its own is needed, which only root may mount: elsewhere
//! there is nothing to try.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Running, Sandbox};

/// A file system in memory, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(place: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&place).expect("a folder");
        let options = format!("size={size},mode=700");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&place).status();
        status.is_ok_and(|status| status.success()).then_some(Self(place))
    }

    /// Mounts it again with other options. Answers whether that was done.
    fn again(&self, options: &str) -> bool {
        let options = format!("remount,{options}");
        Command::new("mount").args(["-o", &options]).arg(&self.0).status().is_ok_and(|status| status.success())
    }

    /// Leaves no room in it.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn readiness_tells_that_the_disk_is_full_and_so_does_the_next_start() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::new(sandbox.path().join("small"), "8m") else { return };
    let folder = mount.path().display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir", &folder];
    let mut server = Running(sandbox.command(&serve).stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut lines = BufReader::new(server.0.stdout.take().expect("piped")).lines();
    let said = lines.next().expect("a line").expect("UTF-8");
    let address = said.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address").to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let ready = || async {
        let answer = client.get(format!("http://{address}/readyz")).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let wait_for = async |code: u16| {
        // Writing is tried every few seconds.
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = ready().await;
            if answer.0 == code {
                return answer.1;
            }
            assert!(Instant::now() < limit, "{answer:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert_eq!(ready().await, (200, "ready\n".to_owned()));
    mount.fill();
    assert_eq!(wait_for(503).await, "the disk of the database is full\n");
    drop(server);
    // Also where there is no room for the files that SQLite makes when it opens one.
    for name in ["tenantatlas.db-wal", "tenantatlas.db-shm"] {
        let _ = std::fs::remove_file(mount.path().join(name));
    }
    mount.fill();
    assert_refused(&sandbox.run(&serve), 74, &["the disk that holds the database is full"]);
}

#[test]
fn a_server_does_not_start_on_a_file_system_that_is_read_only() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::new(sandbox.path().join("small"), "8m") else { return };
    let folder = mount.path().display().to_string();
    assert_eq!(sandbox.run(&["migrate", "--data-dir", &folder]).code, 0);
    assert!(mount.again("ro"));
    let ended = sandbox.run(&["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir", &folder]);
    assert_refused(&ended, 74, &["ead-only"]);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::new(sandbox.path().join("small"), "200m") else { return };
    let folder = mount.path().display().to_string();
    let cloud = Cloud::start(&["--objects", "20000"]);
    let fact = |pointer: &str| cloud.facts.pointer(pointer).and_then(|fact| fact.as_str()).expect("text").to_owned();
    let secret = sandbox.file("s.txt", &fact("/tenants/0/client_secret")).display().to_string();
    let (entra, client) = (fact("/tenants/0/tenant_id"), fact("/tenants/0/client_id"));
    let (login, graph) = (fact("/login_url"), fact("/graph_url"));
    let tenant =
        ["tenant", "add", "--data-dir", &folder, "--name", "Contoso", "--entra-id", &entra, "--client-id", &client];
    let connection =
        ["--client-secret-file", &secret, "--cloud", "custom", "--login-url", &login, "--graph-url", &graph];
    for command in [&["migrate", "--data-dir", &folder][..], &[&tenant[..], &connection[..]].concat()] {
        assert_eq!(sandbox.run(command).code, 0);
    }
    // Room for a part of what is to be read, however large an empty database is.
    let taken: u64 = std::fs::read_dir(mount.path())
        .expect("a folder")
        .map(|file| file.and_then(|file| file.metadata()).expect("a file").len())
        .sum();
    if !mount.again(&format!("size={}k", taken / 1_024 + 600)) {
        return;
    }
    let ended = sandbox.run(&["sync", "--tenant", "Contoso", "--data-dir", &folder]);
    // With room again the same folder goes on as if nothing had been.
    assert!(mount.again("size=200m"));
    let again = sandbox.run(&["sync", "--tenant", "Contoso", "--data-dir", &folder]);
    assert!([1, 74].contains(&ended.code), "{}: {}{}", ended.code, ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("is full"), "{}", ended.stderr);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
}
