//! What the browser runs: wakes the islands that the server has rendered. They are defined in `ui`.

use parlour as _; // links the islands, which the page names

/// Called by the page once the module is loaded.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
