//! Compiles the server again when the built assets changed: they are embedded in the binary.

fn main() {
    println!("cargo:rerun-if-changed=../target/site/manifest.txt");
    let manifest = std::fs::read_to_string("../target/site/manifest.txt").unwrap_or_default();
    println!("cargo:rustc-env=TENANTATLAS_ASSETS={}", manifest.trim().replace('\n', ","));
}
