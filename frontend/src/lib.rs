//! The WebAssembly entry: starts the runtime and links the islands. The pages themselves never leave the server.

use tenantatlas_app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the reactive runtime. The script of the page calls it once, before it wakes the islands.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
