//! The tenantatlas binary.
fn main() {}
