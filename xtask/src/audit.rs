//! `xtask audit`: licences, sources, banned crates and pinned contents of everything that is built in, after the rules of
//! `deny.toml`, without a network; and, where cargo-deny is installed, its own opinion and the known vulnerabilities.
//!
//! cargo-deny does all of this, but it takes several minutes to install, and half of what it says needs the advisory
//! database from GitHub. What can be said from the lock files alone is said here, in every test run, in a second;
//! `scripts/setup test` installs cargo-deny where that database can be reached, and then a known vulnerability fails the
//! run. Where not, that is said, and the run goes on: it says nothing about vulnerabilities.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::packages::{Crate, Metadata, NpmPackage, checksums, npm_packages};

/// The only registry that crates may come from, as cargo names it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// The folders with npm packages.
const NPM_FOLDERS: [&str; 2] = [".", "end2end"];
/// The only registry that npm packages may come from.
const NPM_REGISTRY: &str = "https://registry.npmjs.org/";

/// Where the known vulnerabilities of crates are written down.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// `deny.toml` as far as it is read here (cargo-deny documentation, "Config").
#[derive(Debug, Deserialize)]
struct Rules {
    licenses: LicenceRules,
    bans: BanRules,
}

#[derive(Debug, Deserialize)]
struct LicenceRules {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BanRules {
    #[serde(default)]
    deny: Vec<Ban>,
    wildcards: String,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    reason: String,
    /// The crates that may ask for it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
}

impl Ban {
    /// Whether a crate is there although nobody who may ask for it does, or somebody else does as well.
    fn is_broken_by(&self, one: &Crate, metadata: &Metadata) -> bool {
        let mut askers = metadata.askers_of(one).peekable();
        let is_let_in = |name: &str| self.wrappers.iter().any(|wrapper| wrapper == name);
        self.name == one.name && (askers.peek().is_none() || !askers.all(is_let_in))
    }
}

/// Checks everything and says what was found.
///
/// # Errors
/// With one line for each rule that is broken.
pub fn run(root: &Path) -> Result<()> {
    let rules: Rules =
        toml::from_str(&fs::read_to_string(root.join("deny.toml")).context("deny.toml")?).context("deny.toml")?;
    let metadata = Metadata::load(root)?;
    let mut problems = crate_problems(&rules, &metadata, &checksums(root)?);
    let mut packages = 0;
    for folder in NPM_FOLDERS {
        let found = npm_packages(&root.join(folder))?;
        packages += found.len();
        problems.extend(found.iter().flat_map(|(name, one)| npm_problems(&rules, name, one)));
    }
    if !problems.is_empty() {
        bail!("what is built in breaks the rules of deny.toml:\n  {}", problems.join("\n  "));
    }
    println!(
        "audit: licences, sources and contents of {} crates and {packages} npm packages are as deny.toml asks",
        metadata.packages.len()
    );
    cargo_deny(root)
}

fn crate_problems(rules: &Rules, metadata: &Metadata, checksums: &HashMap<(String, String), String>) -> Vec<String> {
    let mut problems = Vec::new();
    for one in &metadata.packages {
        let mut tell = |problem: String| problems.push(format!("{} {}: {problem}", one.name, one.version));
        if let Some(problem) = licence_problem(&rules.licenses.allow, one.license.as_deref()) {
            tell(problem);
        }
        if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.is_broken_by(one, metadata)) {
            tell(format!("is banned: {}", ban.reason));
        }
        if metadata.workspace_members.contains(&one.id) {
            problems.extend(wildcard_problems(rules, one));
            continue;
        }
        if one.source.as_deref() != Some(CRATES_IO) {
            tell(format!("comes from {}, expected crates.io", one.source.as_deref().unwrap_or("a folder elsewhere")));
        }
        if !checksums.contains_key(&(one.name.clone(), one.version.clone())) {
            tell("has no checksum in Cargo.lock".to_owned());
        }
    }
    problems
}

/// Versions that accept anything, except of our own crates.
fn wildcard_problems(rules: &Rules, one: &Crate) -> Vec<String> {
    let any = |required: &&crate::packages::Requirement| required.req == "*" && required.path.is_none();
    if rules.bans.wildcards != "deny" {
        return Vec::new();
    }
    let named = one.dependencies.iter().filter(any);
    named.map(|required| format!("{}: accepts any version of {}", one.name, required.name)).collect()
}

fn npm_problems(rules: &Rules, name: &str, one: &NpmPackage) -> Vec<String> {
    let mut problems = Vec::new();
    let mut tell = |problem: String| problems.push(format!("npm {name}: {problem}"));
    if let Some(problem) = licence_problem(&rules.licenses.allow, one.license.as_deref()) {
        tell(problem);
    }
    // Where no address is written down, the registry that is configured serves it; the hash tells what it must be.
    if let Some(from) = one.resolved.as_ref().filter(|from| !from.starts_with(NPM_REGISTRY)) {
        tell(format!("comes from {from}, expected {NPM_REGISTRY}"));
    }
    if !one.integrity.as_ref().is_some_and(|hash| hash.starts_with("sha512-")) {
        tell("has no SHA-512 in package-lock.json".to_owned());
    }
    problems
}

/// What is wrong with a licence: it is not stated, no SPDX expression, or cannot be satisfied by what is allowed.
fn licence_problem(allowed: &[String], licence: Option<&str>) -> Option<String> {
    let Some(text) = licence else { return Some("names no licence".to_owned()) };
    let expression = match Expression::parse_mode(text, ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("the licence \"{text}\" is no SPDX expression ({})", error.reason)),
    };
    let allowed: HashSet<&str> = allowed.iter().map(String::as_str).collect();
    let satisfied = expression.evaluate(|required: &LicenseReq| allowed.contains(required.to_string().as_str()));
    (!satisfied).then(|| format!("the licence \"{text}\" is not among those that deny.toml allows"))
}

/// Lets cargo-deny check where it is installed, with the advisory database where that can be fetched.
fn cargo_deny(root: &Path) -> Result<()> {
    let deny = |arguments: &[&str]| Command::new("cargo").arg("deny").args(arguments).current_dir(root).output();
    if !deny(&["--version"]).is_ok_and(|answer| answer.status.success()) {
        println!(
            "audit: NOT LOOKED AT: known vulnerabilities. cargo-deny is not installed; `scripts/setup test` installs it where \
             {ADVISORIES} can be reached"
        );
        return Ok(());
    }
    let check = |arguments: &[&str]| -> Result<()> {
        let answer = deny(arguments).context("cargo-deny")?;
        if !answer.status.success() {
            bail!("cargo deny {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&answer.stderr));
        }
        Ok(())
    };
    check(&["--offline", "check", "licenses", "bans", "sources"])?;
    let fetched = deny(&["fetch", "db"]).context("cargo-deny")?;
    if fetched.status.success() {
        check(&["--offline", "check", "advisories"])?;
        println!("audit: no advisory of RustSec concerns what is built in");
    } else {
        let told = String::from_utf8_lossy(&fetched.stderr).trim().to_owned();
        println!("audit: NOT LOOKED AT: known vulnerabilities. {ADVISORIES} cannot be fetched:\n{told}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(include_str!("../../deny.toml")).expect("deny.toml")
    }

    #[test]
    fn a_licence_must_be_satisfied_by_what_is_allowed() {
        let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(str::to_owned);
        for (licence, good) in [
            (Some("MIT OR Apache-2.0"), true),
            (Some("MIT/Apache-2.0"), true),
            (Some("GPL-3.0-only"), false),
            (Some("MIT AND GPL-3.0-only"), false),
            (Some("(MIT OR GPL-2.0-only) AND Unicode-3.0"), true),
            (Some("Apache-2.0 WITH LLVM-exception"), true),
            (Some("Apache-2.0"), false),
            (Some("whatever you like"), false),
            (None, false),
        ] {
            assert_eq!(licence_problem(&allowed, licence).is_none(), good, "{licence:?}");
        }
    }

    #[test]
    fn what_must_not_come_in_is_named_with_a_reason() {
        let rules = rules();
        for name in ["openssl-sys", "native-tls", "aws-lc-sys", "rsa"] {
            let ban = rules.bans.deny.iter().find(|ban| ban.name == name);
            assert!(ban.is_some_and(|ban| !ban.reason.is_empty()), "{name}");
        }
    }

    fn metadata(name: &str, source: &str, licence: &str) -> Metadata {
        let package = serde_json::json!({
            "id": "x", "name": name, "version": "1.0.0", "license": licence, "source": source, "dependencies": [],
            "targets": [],
        });
        let document = serde_json::json!({
            "packages": [package], "workspace_members": [], "resolve": {"nodes": []},
        });
        serde_json::from_value(document).expect("metadata")
    }

    #[test]
    fn a_banned_crate_another_registry_and_a_missing_checksum_are_told() {
        let checksums = HashMap::from([(("good".to_owned(), "1.0.0".to_owned()), "00".to_owned())]);
        let problems = |metadata: &Metadata| crate_problems(&rules(), metadata, &checksums).join("; ");
        assert_eq!(problems(&metadata("good", CRATES_IO, "MIT")), "");
        assert!(problems(&metadata("good", CRATES_IO, "AGPL-3.0-only")).contains("not among those"));
        assert!(problems(&metadata("good", "git+https://example.com/good", "MIT")).contains("expected crates.io"));
        assert!(problems(&metadata("other", CRATES_IO, "MIT")).contains("no checksum"));
        assert!(problems(&metadata("rsa", CRATES_IO, "MIT")).contains("is banned"));
    }

    #[test]
    fn a_banned_crate_is_let_in_for_those_alone_who_are_named() {
        let asking = |names: &[&str]| {
            let crate_of = |name: &str| {
                serde_json::json!({
                    "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": CRATES_IO,
                    // What is optional and left out is no asking.
                    "dependencies": [{ "name": "rsa", "req": "^0.10", "path": null }], "targets": [],
                })
            };
            let packages: Vec<_> = names.iter().chain(&["rsa", "optional"]).map(|name| crate_of(name)).collect();
            let asks = |name: &&str| serde_json::json!({ "id": name, "deps": [{ "pkg": "rsa", "dep_kinds": [] }] });
            let document = serde_json::json!({
                "packages": packages, "workspace_members": [],
                "resolve": { "nodes": names.iter().map(asks).collect::<Vec<_>>() },
            });
            let metadata: Metadata = serde_json::from_value(document).expect("metadata");
            crate_problems(&rules(), &metadata, &HashMap::new()).join("; ")
        };
        assert!(!asking(&["tenantatlas-engine"]).contains("is banned"));
        assert!(asking(&["tenantatlas-engine", "other"]).contains("is banned"));
    }

    #[test]
    fn an_npm_package_is_pinned_by_its_hash_and_comes_from_the_registry() {
        let package = |resolved: Option<&str>, integrity: &str| NpmPackage {
            version: Some("1.0.0".to_owned()),
            resolved: resolved.map(str::to_owned),
            integrity: Some(integrity.to_owned()),
            license: Some("MIT".to_owned()),
        };
        let registry = "https://registry.npmjs.org/a/-/a-1.0.0.tgz";
        assert!(npm_problems(&rules(), "a", &package(Some(registry), "sha512-AAAA")).is_empty());
        assert!(npm_problems(&rules(), "a", &package(None, "sha512-AAAA")).is_empty());
        assert_eq!(npm_problems(&rules(), "a", &package(None, "")).len(), 1);
        assert_eq!(npm_problems(&rules(), "a", &package(Some("https://evil.example/a.tgz"), "sha1-AAAA")).len(), 2);
    }

    #[test]
    fn a_version_that_accepts_anything_is_told() {
        let mut metadata = metadata("ours", CRATES_IO, "MIT");
        metadata.workspace_members.insert("x".to_owned());
        metadata.packages[0].dependencies =
            serde_json::from_str(r#"[{"name":"any","req":"*","path":null},{"name":"near","req":"*","path":"/near"}]"#)
                .expect("requirements");
        let problems = crate_problems(&rules(), &metadata, &HashMap::new());
        assert_eq!(problems, ["ours: accepts any version of any"]);
    }
}
