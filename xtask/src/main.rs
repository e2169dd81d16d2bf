//! Builds the browser half.
fn main() {}
