//! `xtask sbom`: the list of components of a release, as CycloneDX 1.6 in JSON (ECMA-424).
//!
//! It names every crate that is linked into the binary and the WebAssembly, those that only take part in the build
//! (`scope: excluded`), and the npm packages of the asset build, with versions, licences and hashes. It is made from the
//! lock files alone and holds no time of day, so that the same commit gives the same file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::packages::{Crate, Metadata, NpmPackage, Part, checksums, npm_packages};

/// The name of the file beside the binary; `.cdx.json` is what CycloneDX asks for.
const FILE: &str = "target/release/tenantatlas.cdx.json";
/// The package that stands for the whole.
const APPLICATION: &str = "tenantatlas-server";

/// Writes the list beside the release binary.
///
/// # Errors
/// When cargo does not answer or the file cannot be written.
pub fn write(root: &Path) -> Result<PathBuf> {
    let document = document(root)?;
    let path = root.join(FILE);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, serde_json::to_string_pretty(&document)? + "\n").with_context(|| path.display().to_string())?;
    Ok(path)
}

fn document(root: &Path) -> Result<Value> {
    let metadata = Metadata::load(root)?;
    let (parts, checksums) = (metadata.released()?, checksums(root)?);
    let packages: BTreeMap<&str, &Crate> = metadata.packages.iter().map(|one| (one.id.as_str(), one)).collect();
    let released: Vec<(&Crate, Part)> =
        parts.iter().filter_map(|(id, part)| Some((*packages.get(id)?, *part))).collect();
    let application = released.iter().map(|(one, _)| *one).find(|one| one.name == APPLICATION).context("no server")?;

    let mut components: Vec<Value> = released
        .iter()
        .filter(|(one, _)| one.id != application.id)
        .map(|(one, part)| component(one, *part, &checksums))
        .collect();
    let npm = npm_packages(root)?;
    components.extend(npm.iter().map(|(name, one)| npm_component(name, one)));
    components.sort_by_key(|one| one["bom-ref"].as_str().unwrap_or_default().to_owned());
    components.dedup_by_key(|one| one["bom-ref"].clone());

    let mut dependencies: Vec<Value> = released
        .iter()
        .map(|(one, _)| {
            let needed = metadata.dependencies(&one.id);
            let mut names: Vec<String> = needed
                .into_iter()
                .filter(|id| parts.contains_key(id))
                .filter_map(|id| packages.get(id).map(|one| reference(one)))
                .collect();
            names.sort_unstable();
            names.dedup();
            json!({"ref": reference(one), "dependsOn": names})
        })
        .collect();
    dependencies.sort_by_key(|one| one["ref"].as_str().unwrap_or_default().to_owned());

    let serial = serial_number(&components);
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": reference(application), "name": "tenantatlas",
                "version": application.version, "licenses": licences(application.license.as_deref()),
            },
            "tools": {"components": [{"type": "application", "name": "xtask", "version": env!("CARGO_PKG_VERSION")}]},
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// A UUID (RFC 9562, version 8) made from the content: the same components, the same number.
fn serial_number(components: &[Value]) -> String {
    let hash = Sha256::digest(Value::from(components.to_vec()).to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// The package URL (purl specification), which is unique and so serves as reference too. A `+` of a version is written
/// as `%2B`, as the specification asks.
fn reference(one: &Crate) -> String {
    format!("pkg:cargo/{}@{}", one.name, one.version.replace('+', "%2B"))
}

fn licences(expression: Option<&str>) -> Value {
    // Older manifests write a slash for OR.
    let text = |text: &str| text.replace(" / ", " OR ").replace('/', " OR ");
    expression.map_or_else(|| json!([]), |licence| json!([{"expression": text(licence)}]))
}

fn scope(part: Part) -> &'static str {
    match part {
        Part::Run => "required",
        Part::Build => "excluded",
    }
}

fn component(one: &Crate, part: Part, checksums: &HashMap<(String, String), String>) -> Value {
    let mut component = json!({
        "type": "library", "bom-ref": reference(one), "name": one.name, "version": one.version, "scope": scope(part),
        "licenses": licences(one.license.as_deref()), "purl": reference(one),
    });
    if let Some(description) = &one.description {
        component["description"] = description.trim().into();
    }
    if let Some(checksum) = checksums.get(&(one.name.clone(), one.version.clone())) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    if let Some(repository) = &one.repository {
        component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
    }
    component
}

fn npm_component(name: &str, one: &NpmPackage) -> Value {
    let version = one.version.clone().unwrap_or_default();
    // The scope of a name is its namespace; its `@` is written as `%40`.
    let purl = format!("pkg:npm/{}@{version}", name.replacen('@', "%40", 1));
    let mut component = json!({
        "type": "library", "bom-ref": purl, "name": name, "version": version, "scope": "excluded",
        "licenses": licences(one.license.as_deref()), "purl": purl,
    });
    if let Some(hash) = one.integrity.as_deref().and_then(sha512) {
        component["hashes"] = json!([{"alg": "SHA-512", "content": hash}]);
    }
    component
}

/// The hash of a Subresource Integrity text, from base64 to hexadecimal.
fn sha512(integrity: &str) -> Option<String> {
    let bytes = BASE64.decode(integrity.strip_prefix("sha512-")?).ok()?;
    (bytes.len() == 64).then(|| hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn made() -> Value {
        document(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")).expect("a list")
    }

    fn is_hexadecimal(value: &Value, digits: usize) -> bool {
        value.as_str().is_some_and(|text| text.len() == digits && text.chars().all(|digit| digit.is_ascii_hexdigit()))
    }

    /// The required fields and the rules of the JSON schema of CycloneDX 1.6, where they concern what is written here.
    #[test]
    fn the_list_of_components_keeps_the_rules_of_cyclonedx() {
        let list = made();
        assert_eq!(
            (&list["bomFormat"], &list["specVersion"], &list["version"]),
            (&json!("CycloneDX"), &json!("1.6"), &json!(1))
        );
        let serial = list["serialNumber"].as_str().and_then(|text| text.strip_prefix("urn:uuid:")).expect("a number");
        assert_eq!(serial.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        let application = &list["metadata"]["component"];
        assert_eq!((&application["type"], &application["name"]), (&json!("application"), &json!("tenantatlas")));
        let mut references = HashSet::from([application["bom-ref"].as_str().expect("a reference")]);
        for one in list["components"].as_array().expect("components") {
            assert_eq!(one["type"], "library");
            assert!(one["name"].as_str().is_some_and(|name| !name.is_empty()), "{one}");
            assert!(one["version"].as_str().is_some_and(|version| !version.is_empty()), "{one}");
            assert!(["required", "excluded"].contains(&one["scope"].as_str().expect("a scope")), "{one}");
            assert!(one["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:")), "{one}");
            for licence in one["licenses"].as_array().expect("licences") {
                let expression = licence["expression"].as_str().expect("an expression");
                assert!(spdx::Expression::parse(expression).is_ok(), "{one}");
            }
            for hash in one["hashes"].as_array().into_iter().flatten() {
                let digits = if hash["alg"] == "SHA-256" { 64 } else { 128 };
                assert!(is_hexadecimal(&hash["content"], digits), "{one}");
            }
            assert!(references.insert(one["bom-ref"].as_str().expect("a reference")), "twice: {one}");
        }
        for one in list["dependencies"].as_array().expect("dependencies") {
            assert!(references.contains(one["ref"].as_str().expect("a reference")), "{one}");
            for name in one["dependsOn"].as_array().expect("names") {
                assert!(references.contains(name.as_str().expect("a name")), "{name} of {one}");
            }
        }
    }

    #[test]
    fn what_is_linked_in_is_told_from_what_only_builds_and_tests_are_left_out() {
        let list = made();
        let scope = |name: &str| {
            let components = list["components"].as_array().expect("components");
            components
                .iter()
                .find(|one| one["name"] == name)
                .map(|one| one["scope"].as_str().expect("a scope").to_owned())
        };
        for (name, expected) in [
            ("tokio", Some("required")),
            ("rustls", Some("required")),
            ("tenantatlas-domain", Some("required")),
            ("wasm-bindgen", Some("required")),
            ("serde_derive", Some("excluded")),
            ("esbuild", Some("excluded")),
            ("binaryen", Some("excluded")),
            ("proptest", None),
            ("wasm-bindgen-cli-support", None),
        ] {
            assert_eq!(scope(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_same_commit_gives_the_same_list() {
        assert_eq!(made(), made());
    }
}
