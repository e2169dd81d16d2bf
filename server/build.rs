//! Compiles the server again when the built assets changed: they are embedded in the binary.

fn main() {
    println!("cargo:rerun-if-changed=../target/site/manifest.txt");
}
