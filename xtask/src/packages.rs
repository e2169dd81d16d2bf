//! What the project is made of: the crates of `cargo metadata` and the npm packages of the lock files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What is released runs here …
pub const SERVER_TARGET: &str = "x86_64-unknown-linux-gnu";
/// … and in the browser.
pub const BROWSER_TARGET: &str = "wasm32-unknown-unknown";
/// The packages that are released.
const ROOTS: [&str; 2] = ["tenantatlas-server", "tenantatlas-frontend"];

/// The answer of `cargo metadata --format-version 1` (The Cargo Book, "cargo metadata"), as far as it is needed.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every crate for the two targets.
    pub packages: Vec<Crate>,
    /// The ids of our own.
    pub workspace_members: HashSet<String>,
    resolve: Resolve,
}

/// One crate.
#[derive(Debug, Clone, Deserialize)]
pub struct Crate {
    /// Opaque and unique.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// An SPDX expression.
    pub license: Option<String>,
    /// Where it comes from; none for a folder of this repository.
    pub source: Option<String>,
    /// What it does, in a line.
    pub description: Option<String>,
    /// Where its code is.
    pub repository: Option<String>,
    /// What it asks for.
    pub dependencies: Vec<Requirement>,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Crate {
    /// Whether it is a macro, which runs while others are compiled.
    fn is_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }
}

/// A line of `[dependencies]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Requirement {
    /// The name of the crate.
    pub name: String,
    /// The versions that are accepted.
    pub req: String,
    /// The folder, for one of our own.
    pub path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

/// An entry of a `package-lock.json` (npm documentation, lockfileVersion 3).
#[derive(Debug, Clone, Deserialize)]
pub struct NpmPackage {
    /// Its version; none for a link within the folder.
    pub version: Option<String>,
    /// Where it was fetched.
    pub resolved: Option<String>,
    /// The hash of what was fetched (W3C Subresource Integrity).
    pub integrity: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
}

#[derive(Debug, Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Debug, Deserialize)]
struct CargoLock {
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// How a crate takes part in what is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Only in making it: build scripts, macros, and what they need.
    Build,
    /// Linked into it.
    Run,
}

impl Metadata {
    /// The names of the crates that are compiled with another one. What they might ask for with other features does not count.
    pub fn askers_of<'a>(&'a self, one: &Crate) -> impl Iterator<Item = &'a str> {
        let id = one.id.clone();
        let asks = self.resolve.nodes.iter().filter(move |node| node.deps.iter().any(|edge| edge.pkg == id));
        asks.filter_map(|node| self.packages.iter().find(|package| package.id == node.id))
            .map(|package| package.name.as_str())
    }

    /// Asks cargo, for the locked versions.
    pub fn load(root: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let answer = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", SERVER_TARGET, "--filter-platform", BROWSER_TARGET])
            .current_dir(root)
            .output()
            .context("cargo metadata cannot be started")?;
        if !answer.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&answer.stderr));
        }
        serde_json::from_slice(&answer.stdout).context("the answer of cargo metadata")
    }

    /// What is released is made of: the ids of all crates below the server and the frontend, with their part in it.
    pub fn released(&self) -> Result<BTreeMap<&str, Part>> {
        let nodes: HashMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let macros: HashSet<&str> =
            self.packages.iter().filter(|one| one.is_macro()).map(|one| one.id.as_str()).collect();
        let mut parts: BTreeMap<&str, Part> = BTreeMap::new();
        let mut open: Vec<(&str, Part)> = Vec::new();
        for root in ROOTS {
            let id = self.packages.iter().find(|one| one.name == root && one.source.is_none());
            open.push((id.with_context(|| format!("there is no package {root}"))?.id.as_str(), Part::Run));
        }
        while let Some((id, part)) = open.pop() {
            let part = if macros.contains(id) { Part::Build } else { part };
            if parts.get(id).is_some_and(|known| *known >= part) {
                continue;
            }
            parts.insert(id, part);
            let node = nodes.get(id).with_context(|| format!("cargo metadata does not resolve {id}"))?;
            for edge in &node.deps {
                let kinds: BTreeSet<Option<&str>> = edge.dep_kinds.iter().map(|kind| kind.kind.as_deref()).collect();
                if kinds.contains(&None) {
                    open.push((&edge.pkg, part));
                } else if kinds.contains(&Some("build")) {
                    open.push((&edge.pkg, Part::Build));
                }
            }
        }
        Ok(parts)
    }

    /// What a released crate is made of, dependencies for tests left out.
    pub fn dependencies(&self, id: &str) -> Vec<&str> {
        let node = self.resolve.nodes.iter().find(|node| node.id == id);
        let edges = node.map(|node| node.deps.as_slice()).unwrap_or_default();
        let needed = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
        edges.iter().filter(needed).map(|edge| edge.pkg.as_str()).collect()
    }
}

/// The SHA-256 of each published crate, as `Cargo.lock` holds it, by name and version.
pub fn checksums(root: &Path) -> Result<HashMap<(String, String), String>> {
    let text = fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock")?;
    let lock: CargoLock = toml::from_str(&text).context("Cargo.lock")?;
    let known = |one: Locked| Some(((one.name, one.version), one.checksum?));
    Ok(lock.package.into_iter().filter_map(known).collect())
}

/// The packages of a folder's `package-lock.json` by name; the folder itself left out.
pub fn npm_packages(folder: &Path) -> Result<Vec<(String, NpmPackage)>> {
    let lock: NpmLock = read_json(&folder.join("package-lock.json"))?;
    let name = |path: &str| path.rsplit("node_modules/").next().unwrap_or(path).to_owned();
    Ok(lock.packages.into_iter().filter(|(path, _)| !path.is_empty()).map(|(path, one)| (name(&path), one)).collect())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
