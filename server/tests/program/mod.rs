//! The program that the tests of this folder start.

use std::path::PathBuf;

/// The binary that cargo made with these tests, or a copy of it: `make test` compiles the release to the same place while they
/// run, and names a copy.
pub fn path() -> PathBuf {
    std::env::var_os("TENANTATLAS_TEST_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_tenantatlas").into(), PathBuf::from)
}
