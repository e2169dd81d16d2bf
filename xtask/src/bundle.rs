//! From source to the files that a browser loads: WebAssembly in parts, one JavaScript module, one style sheet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::assets::hashed_name;
use crate::{parts, short_names};

/// The built files, not yet named after their content.
pub struct Bundle {
    /// The WebAssembly module after wasm-opt: what every page loads.
    pub wasm: PathBuf,
    /// The same with the names of its functions, for the report.
    pub named: PathBuf,
    /// The parts of the module that are loaded on demand.
    pub parts: Vec<PathBuf>,
    /// Those that each lazy function or island needs, by its name.
    pub needs: BTreeMap<String, Vec<PathBuf>>,
    /// The glue that loads it: one ES module with the snippets inlined.
    pub javascript: PathBuf,
    /// All styles, imports inlined, minified.
    pub css: PathBuf,
}

/// Compiles the frontend crate, cuts it into parts, runs wasm-bindgen, wasm-opt and esbuild.
///
/// # Errors
/// When a tool is missing or refuses its input; the message names the tool and how to get it.
pub fn build(root: &Path) -> Result<Bundle> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let work = target.join("web");
    fs::create_dir_all(&work).context("cannot create the working folder for the assets")?;
    let split = parts::split(&compile(root, &target)?, &work.join("split"))?;

    let mut output = wasm_bindgen_cli_support::Bindgen::new()
        .input_bytes("tenantatlas", split.main.clone())
        .out_name("tenantatlas")
        .web(true)?
        .typescript(false)
        // The parts use the stack pointer and the table of the main part.
        .keep_lld_exports(true)
        .generate_output()
        .context("wasm-bindgen refused the module")?;
    let islands = islands(output.js());
    let renamed = short_names::apply(&mut output, &parts::taken(&split)?)?;
    output.emit(&work).context("cannot write what wasm-bindgen made")?;
    fs::write(work.join("tenantatlas.js"), renamed.glue)?;

    let wasm_opt = tool(root, "wasm-opt")?;
    let (named, wasm) = (work.join("tenantatlas.named.wasm"), work.join("tenantatlas.opt.wasm"));
    optimise(&wasm_opt, &work.join("tenantatlas_bg.wasm"), &named)?;
    strip(&wasm_opt, &named, &wasm)?;
    let mut optimised = BTreeMap::new();
    for (name, path) in &split.files {
        let (named, part) = (path.with_extension("named.wasm"), path.with_extension("opt.wasm"));
        optimise(&wasm_opt, path, &named)?;
        strip(&wasm_opt, &named, &part)?;
        optimised.insert(name.clone(), part);
    }
    let names = optimised
        .iter()
        .map(|(name, path)| Ok((name.clone(), format!("./{}", hashed_name(&fs::read(path)?, "wasm")))))
        .collect::<Result<_>>()?;
    fs::write(work.join(parts::LOADERS), parts::loaders(&split, &names, &renamed.imports, &islands)?)?;
    let files = |names: &Vec<String>| names.iter().map(|name| optimised[name].clone()).collect();
    let needs = split.needs.iter().map(|(part, names)| (part.clone(), files(names))).collect();

    let (javascript, css) = scripts_and_styles(root, &work)?;
    Ok(Bundle { wasm, named, parts: optimised.into_values().collect(), needs, javascript, css })
}

/// Compiles and links; returns the module.
fn compile(root: &Path, target: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).current_dir(root).args([
        "build",
        "--package=tenantatlas-frontend",
        "--lib",
        "--target=wasm32-unknown-unknown",
        "--profile=wasm-release",
        "--locked",
    ]))?;
    Ok(target.join("wasm32-unknown-unknown/wasm-release/tenantatlas_frontend.wasm"))
}

/// The functions that hydrate islands: of all that the glue exports, those that take an element.
fn islands(glue: &str) -> BTreeSet<String> {
    glue.lines()
        .filter_map(|line| line.strip_prefix("export function ").and_then(|rest| rest.strip_suffix("(el) {")))
        .map(str::to_owned)
        .collect()
}

/// Exactly what every current browser runs; `--all-features` would emit what none does.
const FEATURES: [&str; 5] = [
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

fn optimise(wasm_opt: &Path, from: &Path, to: &Path) -> Result<()> {
    run(Command::new(wasm_opt)
        .args([
            "-Oz",
            // Control flow taken apart and put together anew: one percent less to load.
            "--flatten",
            "--rereloop",
            "-Oz",
            "-Oz",
            // The names of the functions stay, for the report.
            "-g",
        ])
        .args(FEATURES)
        .arg(from)
        .arg("-o")
        .arg(to))
}

fn strip(wasm_opt: &Path, from: &Path, to: &Path) -> Result<()> {
    run(Command::new(wasm_opt)
        .args(["--strip-debug", "--strip-producers", "--strip-target-features"])
        .args(FEATURES)
        .arg(from)
        .arg("-o")
        .arg(to))
}

fn scripts_and_styles(root: &Path, work: &Path) -> Result<(PathBuf, PathBuf)> {
    let esbuild = tool(root, "esbuild")?;
    let entry = work.join("entry.js");
    fs::write(
        &entry,
        "export * from \"./tenantatlas.js\";\nexport { default } from \"./tenantatlas.js\";\nexport { parts } from \"./parts.js\";\n",
    )?;
    let javascript = work.join("tenantatlas.min.js");
    run(Command::new(&esbuild)
        .arg(entry)
        .args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--log-level=warning"])
        .arg(format!("--outfile={}", javascript.display())))?;
    let css = work.join("tenantatlas.min.css");
    run(Command::new(&esbuild)
        .arg(root.join("style/main.css"))
        .args(["--bundle", "--minify", "--target=esnext", "--log-level=warning"])
        .arg(format!("--outfile={}", css.display())))?;
    Ok((javascript, css))
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
