//! The WASM module: hydrates the islands that the server has rendered. They are defined in `parlour::ui`.

use parlour as _; // links the islands, which the page names

/// Hydrates the islands of the page. Called by the page once the module is loaded.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
