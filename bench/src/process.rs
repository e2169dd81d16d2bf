//! The real binary as child processes: the simulated cloud, and commands whose peak memory is read while they run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// The binary that is measured: `TENANTATLAS_BINARY`, or what `make build` made.
pub fn binary() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/tenantatlas");
    std::env::var_os("TENANTATLAS_BINARY").map_or_else(built, PathBuf::from)
}

/// The simulated cloud as a process of its own.
pub struct Cloud {
    process: Child,
    /// Addresses, tenant, application, secret.
    pub facts: Value,
}

impl Cloud {
    /// Starts it on a free port.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(binary())
            .args(["graph-sim", "--address", "127.0.0.1:0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("the binary is not built: run make build")?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("piped")?).read_line(&mut line)?;
        Ok(Self { process, facts: serde_json::from_str(&line)? })
    }

    /// A fact by its JSON pointer.
    pub fn fact(&self, pointer: &str) -> String {
        self.facts.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Asks the control.
    pub async fn control(&self, what: &str) -> Result<Value> {
        self.tell(what, &Value::Null).await
    }

    /// Lets time pass in the tenant: in each step objects of every kind come, change and go.
    pub async fn evolve(&self, steps: u64) -> Result<()> {
        self.tell("evolve", &json!({"steps": steps})).await.map(drop)
    }

    /// Tells the control.
    pub async fn tell(&self, what: &str, details: &Value) -> Result<Value> {
        let url = format!("{}/{what}", self.fact("/login_url").replace("/login", "/_sim"));
        Ok(reqwest::Client::builder().no_proxy().build()?.post(url).json(details).send().await?.json().await?)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How a command ended.
pub struct Measured {
    /// Its JSON document.
    pub report: Value,
    /// From start to end.
    pub wall: Duration,
    /// `VmHWM`: the most memory it ever had, in kilobytes.
    pub peak_kb: u64,
}

/// Runs a command of the binary on a data folder and a database.
pub fn run(folder: &Path, database: &str, arguments: &[&str]) -> Result<Measured> {
    let started = Instant::now();
    let output = folder.join("output.json");
    let mut process = Command::new(binary())
        .args(arguments)
        .args(["--json", "--data-dir"])
        .arg(folder)
        .env("TENANTATLAS_DATABASE_URL", database)
        .env("TENANTATLAS_ALLOWED_NETWORKS", "127.0.0.1")
        .stdout(fs::File::create(&output)?)
        .stderr(Stdio::inherit())
        .spawn()?;
    let id = process.id();
    let mut peak_kb = 0;
    let ended = loop {
        peak_kb = peak_kb.max(memory_kb(id, "VmHWM:"));
        if let Some(ended) = process.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let wall = started.elapsed();
    if !ended.success() {
        bail!("{arguments:?} ended with {ended}");
    }
    Ok(Measured { report: serde_json::from_slice(&fs::read(output)?)?, wall, peak_kb })
}

/// A line of what the kernel says about the memory of a process, in kilobytes; 0 once it has ended.
pub fn memory_kb(process: u32, line: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = text.lines().find_map(|one| one.strip_prefix(line)).unwrap_or_default();
    value.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
}

/// Adds the tenant of a cloud.
pub fn add_tenant(folder: &Path, database: &str, cloud: &Cloud) -> Result<()> {
    let secret = folder.join("secret.txt");
    fs::write(&secret, cloud.fact("/tenants/0/client_secret"))?;
    let secret = secret.display().to_string();
    let fact = |name: &str| cloud.fact(name);
    run(
        folder,
        database,
        &[
            "tenant",
            "add",
            "--name",
            "Bench",
            "--entra-id",
            &fact("/tenants/0/tenant_id"),
            "--client-id",
            &fact("/tenants/0/client_id"),
            "--client-secret-file",
            &secret,
            "--cloud",
            "custom",
            "--login-url",
            &fact("/login_url"),
            "--graph-url",
            &fact("/graph_url"),
        ],
    )?;
    Ok(())
}
