//! The WebAssembly entry: starts the runtime and links the islands. The pages themselves never leave the server.

use leptos::server_fn::client::try_set_server_url;
use tenantatlas_app::{address, enhance};
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the reactive runtime and the enhancement of the page. The script of the page calls it once, before it hydrates the
/// islands.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    // On a page of a tenant the server functions are reached below its address.
    let path = leptos::prelude::window().location().pathname().unwrap_or_default();
    if let Some(tenant) = address::tenant_in(&path) {
        let _ = try_set_server_url(address::tenant(tenant).root().to_owned().leak());
    }
    enhance::start();
}
