//! What must hold for any input from outside, as functions over bytes.
//!
//! A target is a file in `src/target` with a function that panics when something does not hold, and its line in
//! [`TARGETS`]. Three callers share it: the tests (`tests/corpus.rs`: the corpus and some thousand mutations, the same ones
//! each time), `make fuzz` (`src/main.rs`: new mutations for minutes), and cargo-fuzz (`src/coverage.rs`: led by coverage, where
//! that is installed). The corpus (`corpus/<target>`) is small and made by hand; an input that broke something is added to
//! it, with a name that says what it broke.

pub mod corpus;
mod input;
pub mod mutate;
mod target;

pub use target::{TARGETS, Target};
