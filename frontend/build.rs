//! Lets the linker keep its relocations in the WebAssembly module: `cargo run -p xtask -- web` cuts the module into parts by
//! them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--emit-relocs");
    }
}
