//! `cargo run --release -p tenantatlas-fuzz -- [minutes] [target …]`: new mutations for a time, spread over the targets.
//!
//! An input that breaks something is written to `target/fuzz/<target>-<number>` and the program ends with an error; put it
//! into the corpus under a name that says what it broke, and mend what broke.
#![allow(clippy::print_stdout, reason = "a tool tells what it does")]

use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use tenantatlas_fuzz::mutate::{Numbers, mutated};
use tenantatlas_fuzz::{TARGETS, Target, corpus};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let minutes: f64 = arguments.next().map_or(Ok(5.0), |text| text.parse()).context("expected a number of minutes")?;
    let wanted: Vec<String> = arguments.collect();
    if let Some(unknown) = wanted.iter().find(|name| TARGETS.iter().all(|target| target.name != name.as_str())) {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        bail!("there is no target {unknown}; there are {}", names.join(", "));
    }
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == target.name)).collect();
    let share = Duration::from_secs_f64(minutes * 60.0 / chosen.len() as f64);
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    println!("fuzz: {} targets for {:.0} s each, seed {seed}", chosen.len(), share.as_secs_f64());
    let mut broken = Vec::new();
    for target in chosen {
        broken.extend(search(target, share, seed)?);
    }
    if !broken.is_empty() {
        bail!("did not hold, see {}", broken.join(", "));
    }
    Ok(())
}

/// Tries mutations for a time. Answers the file with the input that broke something.
fn search(target: &Target, share: Duration, seed: u64) -> Result<Option<String>> {
    let seeds = corpus::seeds(target.name)?;
    let mut numbers = Numbers::new(seed);
    let (begun, mut tried) = (Instant::now(), 0_u64);
    while begun.elapsed() < share {
        let input = mutated(&seeds, &mut numbers);
        if catch_unwind(|| (target.check)(&input)).is_err() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
            fs::create_dir_all(&folder)?;
            let file = folder.join(format!("{}-{tried}", target.name));
            fs::write(&file, &input)?;
            println!("fuzz: {} broke at input {tried}", target.name);
            return Ok(Some(file.display().to_string()));
        }
        tried += 1;
    }
    println!("fuzz: {} holds for {tried} inputs", target.name);
    Ok(None)
}
