//! One target led by coverage, built by cargo-fuzz: `FUZZ_TARGET=redact cargo fuzz run --fuzz-dir fuzz --features coverage
//! --sanitizer none coverage fuzz/corpus/redact`. Without `unsafe` code of ours a sanitiser would find little, and without
//! one the stable compiler is enough (rust-fuzz/cargo-fuzz#440).
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tenantatlas_fuzz::{TARGETS, Target};

static CHOSEN: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
});

fuzz_target!(|input: &[u8]| (CHOSEN.check)(input));
