//! A data folder of its own, a simulated cloud of its own, and the binary run in them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// The simulated cloud as a process of its own, stopped when dropped.
pub struct Cloud {
    process: Child,
    /// What it said of itself: addresses, tenant, application, secret.
    pub facts: Value,
}

impl Cloud {
    /// Starts `tenantatlas graph-sim` on a free port.
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(program::path())
            .args(["graph-sim", "--address", "127.0.0.1:0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulated cloud starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("the cloud says where it is");
        let facts = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        Self { process, facts }
    }

    /// A text among what it said of itself, by its JSON pointer.
    pub fn fact(&self, pointer: &str) -> &str {
        self.facts.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {}", self.facts))
    }
}

impl Cloud {
    /// Lets time pass: objects of every kind come, change and go.
    pub fn evolve(&self) {
        self.control("evolve", &serde_json::json!({ "steps": 1 }));
    }

    /// Sends a control: `evolve` lets time pass, `faults` says what goes wrong from now on.
    pub fn control(&self, name: &str, body: &Value) {
        let host = self.fact("/login_url").trim_start_matches("http://").trim_end_matches("/login").to_owned();
        let mut stream = TcpStream::connect(&host).expect("the cloud is there");
        let body = body.to_string();
        let request = format!(
            "POST /_sim/{name} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A data folder and the binary that works in it.
pub struct Sandbox {
    folder: TempDir,
}

/// A process that is killed when dropped, so that none outlives a test that fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a command ended.
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// The JSON document on standard output.
    ///
    /// Every time in it is RFC 3339: a number of milliseconds since 1970 is none.
    pub fn json(&self) -> Value {
        let document = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}; standard error: {}", self.stdout, self.stderr));
        assert_times_are_rfc3339("", &document);
        document
    }
}

/// Fails for a number that can only be a time: between the years 2020 and 2100 in milliseconds.
fn assert_times_are_rfc3339(place: &str, value: &Value) {
    match value {
        Value::Object(members) => members
            .iter()
            // A line of the anchor file is verified as it was written.
            .filter(|(name, _)| !(*name == "at" && members.contains_key("mac")))
            .for_each(|(name, member)| assert_times_are_rfc3339(&format!("{place}/{name}"), member)),
        Value::Array(elements) => elements.iter().for_each(|element| assert_times_are_rfc3339(place, element)),
        Value::Number(number) => {
            let is_time =
                number.as_i64().is_some_and(|number| (1_577_836_800_000..4_102_444_800_000).contains(&number));
            assert!(!is_time, "{place} is {number}, no RFC 3339 time");
        }
        _ => {}
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Sandbox {
    /// An empty data folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The data folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the data folder.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    /// The binary, not yet started, with nothing of the surroundings but this data folder; the simulated clouds run on this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program::path());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("TENANTATLAS_DATA_DIR", self.path().join("data"))
            .env("TENANTATLAS_ALLOWED_NETWORKS", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("the binary starts").into()
    }

    /// Adds the tenant of a simulated cloud under a name.
    pub fn add_tenant(&self, name: &str, cloud: &Cloud) -> Ended {
        self.add_tenant_with_secret(name, cloud, cloud.fact("/tenants/0/client_secret"))
    }

    /// The same with a secret of one's own.
    pub fn add_tenant_with_secret(&self, name: &str, cloud: &Cloud, secret: &str) -> Ended {
        let secret = self.file("secret.txt", secret);
        self.run(&[
            "tenant",
            "add",
            "--name",
            name,
            "--entra-id",
            cloud.fact("/tenants/0/tenant_id"),
            "--client-id",
            cloud.fact("/tenants/0/client_id"),
            "--client-secret-file",
            &secret.display().to_string(),
            "--cloud",
            "custom",
            "--login-url",
            cloud.fact("/login_url"),
            "--graph-url",
            cloud.fact("/graph_url"),
            "--json",
        ])
    }
}
