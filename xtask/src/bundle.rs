//! From source to three files: one WebAssembly module, one JavaScript module, one style sheet.

use anyhow::{Context as _, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The three built files, not yet named after their content.
pub struct Bundle {
    /// The WebAssembly module after wasm-opt.
    pub wasm: PathBuf,
    /// The glue that loads it: one ES module with the snippets inlined.
    pub javascript: PathBuf,
    /// All styles, imports inlined, minified.
    pub css: PathBuf,
}

/// Compiles the frontend crate, runs wasm-bindgen, wasm-opt and esbuild.
///
/// # Errors
/// When a tool is missing or refuses its input; the message names the tool and how to get it.
pub fn build(root: &Path) -> Result<Bundle> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let work = target.join("web");
    fs::create_dir_all(&work).context("cannot create the working folder for the assets")?;

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).current_dir(root).args([
        "build",
        "--package=tenantatlas-frontend",
        "--lib",
        "--target=wasm32-unknown-unknown",
        "--profile=wasm-release",
        "--locked",
    ]))?;

    let module = target.join("wasm32-unknown-unknown/wasm-release/tenantatlas_frontend.wasm");
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&module)
        .out_name("tenantatlas")
        .web(true)?
        .typescript(false)
        .generate(&work)
        .context("wasm-bindgen refused the module")?;

    let wasm = work.join("tenantatlas.opt.wasm");
    run(Command::new(tool(root, "wasm-opt")?)
        .args([
            "-Oz",
            // Control flow taken apart and put together anew: one percent less to load.
            "--flatten",
            "--rereloop",
            "-Oz",
            "-Oz",
            // Exactly what every current browser runs; `--all-features` would emit what none does.
            "--enable-bulk-memory",
            "--enable-mutable-globals",
            "--enable-nontrapping-float-to-int",
            "--enable-reference-types",
            "--enable-sign-ext",
            "--strip-debug",
            "--strip-producers",
            "--strip-target-features",
        ])
        .arg(work.join("tenantatlas_bg.wasm"))
        .arg("-o")
        .arg(&wasm))?;

    let esbuild = tool(root, "esbuild")?;
    let javascript = work.join("tenantatlas.min.js");
    run(Command::new(&esbuild)
        .arg(work.join("tenantatlas.js"))
        .args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--log-level=warning"])
        .arg(format!("--outfile={}", javascript.display())))?;
    let css = work.join("tenantatlas.min.css");
    run(Command::new(&esbuild)
        .arg(root.join("style/main.css"))
        .args(["--bundle", "--minify", "--target=esnext", "--log-level=warning"])
        .arg(format!("--outfile={}", css.display())))?;
    Ok(Bundle { wasm, javascript, css })
}

fn tool(root: &Path, name: &str) -> Result<PathBuf> {
    let path = root.join("node_modules/.bin").join(name);
    if !path.exists() {
        bail!("{name} is not installed: run `npm ci` in the project folder (`make run` does)");
    }
    Ok(path)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}
