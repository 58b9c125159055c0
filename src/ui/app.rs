//! The document around every page, and which address leads to which page.

use super::pages::{ErrorPage, FrontPage, RoomPage};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

/// Loads the module and wakes the islands of the page. What Leptos would write here instead waits for an idle moment,
/// and gives its preload no nonce. If the module ever ends, the page is again what it was before: read, and written to by
/// its form; the key of the draft is that of `browser/kept.rs`.
const WAKE: &str = r#"
const ends = ({ error, reason }) => {
  const room = document.querySelector(".room.awake");
  if (!room || !((error ?? reason) instanceof WebAssembly.RuntimeError)) return;
  room.classList.remove("awake");
  room.querySelector(".connection-status").replaceChildren("Reading");
  const draft = `parlour:draft:${room.querySelector(".message-list").dataset.room}`;
  for (const event of ["submit", "keydown", "click", "input", "pagehide"])
    addEventListener(event, (it) => {
      it.stopImmediatePropagation();
      // What goes by the form is no draft any more.
      if (event === "submit") localStorage.removeItem(draft);
    }, true);
};
addEventListener("error", ends);
addEventListener("unhandledrejection", ends);
const module = await import(`${root}/pkg/parlour.js`);
await module.default({ module_or_path: `${root}/pkg/parlour.wasm` });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) module[island.dataset.component]?.(island);
"#;

/// The whole document. `assets` stands before the path of every style, script and picture.
pub fn shell(options: LeptosOptions, assets: String) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <meta name="robots" content="noindex" />
                <link id="leptos" rel="stylesheet" href=format!("{assets}/pkg/parlour.css") />
                <link rel="icon" href=format!("{assets}/favicon.svg") type="image/svg+xml" />
                <link rel="apple-touch-icon" href=format!("{assets}/icon-180.png") />
                <link rel="manifest" href=format!("{assets}/manifest.webmanifest") />
                <meta name="theme-color" content="#fbfaf8" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#17181a" media="(prefers-color-scheme: dark)" />
                <meta property="og:site_name" content="Parlour" />
                <meta property="og:type" content="website" />
                <AutoReload options=options.clone() />
                <Scripts assets />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

#[component]
fn Scripts(assets: String) -> impl IntoView {
    if let Some(context) = Owner::current_shared_context() {
        // Only islands are hydrated, and each knows that of itself.
        context.set_is_hydrating(false);
    }
    view! {
        <link rel="modulepreload" href=format!("{assets}/pkg/parlour.js") nonce=use_nonce() />
        <link rel="preload" href=format!("{assets}/pkg/parlour.wasm") r#as="fetch" r#type="application/wasm" crossorigin="" />
        <script type="module" nonce=use_nonce()>{format!("const root = {assets:?};{WAKE}")}</script>
    }
}

#[component]
fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=ErrorPage>
                <Route path=path!("/") view=FrontPage ssr=SsrMode::Async />
                <Route path=path!("/:room_name") view=RoomPage ssr=SsrMode::Async />
                <Route path=path!("/:room_name/:seq") view=RoomPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
