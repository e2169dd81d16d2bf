//! Builds the browser half of TenantAtlas: WebAssembly, its JavaScript glue and the styles, each under a name that
//! carries the hash of its content, with brotli and gzip siblings, and a manifest that the server embeds.
//!
//! `cargo run -p xtask -- audit` checks what is built in against `deny.toml`, `-- sbom` writes the list of components, and
//! `-- unused` looks for dependencies that nothing uses.
//!
//! `cargo run -p xtask -- web` writes `target/site`. It needs the wasm32 target and the npm packages of
//! `package.json` (wasm-opt and esbuild); `make` installs both. The wasm-bindgen step is linked in as a library, so
//! that its version is the one of `Cargo.lock` and can never drift from the crate's.
#![allow(clippy::print_stdout, reason = "a build tool tells what it does")]

mod assets;
mod audit;
mod bundle;
#[cfg(test)]
mod circles;
#[cfg(test)]
mod documents;
mod packages;
mod parts;
mod sbom;
mod short_names;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod styles;
mod unused;
mod weight;

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?.to_path_buf();
    match env::args().nth(1).as_deref() {
        Some("web") => {
            let bundle = bundle::build(&root)?;
            assets::publish(&root, &bundle)
        }
        Some("audit") => audit::run(&root),
        Some("sbom") => {
            println!("sbom: {}", sbom::write(&root)?.display());
            Ok(())
        }
        Some("unused") => unused::run(&root),
        other => bail!("expected `xtask web`, `xtask audit`, `xtask sbom` or `xtask unused`, got {other:?}"),
    }
}
