//! The document around every page.

use super::components::IconSprite;
use super::pages::{Page, PageView};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{Meta, MetaTags, provide_meta_context};

/// Script that hydrates the islands of a page.
const HYDRATE_SCRIPT: &str = include_str!("hydrate.js");

/// Script that tells the styles which rooms this browser knows.
const KNOWN_ROOMS_SCRIPT: &str = include_str!("known_rooms.js");

/// Renders the document of a page. `assets` is the path of styles, scripts and pictures; `origin` is the origin of the
/// site, empty if it is not known.
pub fn shell(options: LeptosOptions, assets: String, origin: String, page: Page) -> impl IntoView {
    provide_meta_context();
    let (is_settings, sheet, script) = (page.is_settings(), page.own_sheet(), page.own_script());
    let is_indexed = matches!(&page, Page::Front(front) if front.is_indexed);
    let image = format!("{origin}{assets}/icon-512.png");
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                {(!is_indexed).then(|| view! { <meta name="robots" content="noindex" /> })}
                // Phone numbers in messages stay text: a link around one would differ from the page that is hydrated.
                <meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no" />
                <link id="leptos" rel="stylesheet" href=format!("{assets}/pkg/parlour.css") />
                {sheet.map(|sheet| view! { <link rel="stylesheet" href=format!("{assets}/{sheet}") /> })}
                {script.map(|script| view! { <script type="module" src=format!("{assets}/{script}") nonce=use_nonce()></script> })}
                <link rel="icon" href=format!("{assets}/favicon.svg") type="image/svg+xml" />
                <link rel="apple-touch-icon" href=format!("{assets}/icon-180.png") />
                <link rel="manifest" href=format!("{assets}/manifest.webmanifest") />
                <meta name="theme-color" content="#fbfaf8" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#17181a" media="(prefers-color-scheme: dark)" />
                <meta property="og:site_name" content="Parlour" />
                <meta property="og:type" content="website" />
                <AutoReload options=options.clone() />
                {(!is_settings).then(|| view! { <HydrationScript assets /> })}
                <MetaTags />
            </head>
            <body>
                <Meta property="og:image" content=image />
                <IconSprite />
                <PageView page />
            </body>
        </html>
    }
}

#[component]
fn HydrationScript(assets: String) -> impl IntoView {
    if let Some(context) = Owner::current_shared_context() {
        // The document itself is not hydrated; the islands set this.
        context.set_is_hydrating(false);
    }
    view! {
        <script nonce=use_nonce()>{known_rooms_script()}</script>
        <link rel="modulepreload" href=format!("{assets}/pkg/parlour.js") nonce=use_nonce() />
        <link rel="preload" href=format!("{assets}/pkg/parlour.wasm") r#as="fetch" r#type="application/wasm" crossorigin="" />
        <script type="module" nonce=use_nonce()>{hydrate_script(&assets)}</script>
    }
}

/// Returns the script for a page whose assets are at this path, without comments and indentation.
fn hydrate_script(assets: &str) -> String {
    format!("const root = {assets:?};\n{}\n", code(HYDRATE_SCRIPT))
}

/// Returns the script that runs before the page is painted.
fn known_rooms_script() -> String {
    code(KNOWN_ROOMS_SCRIPT)
}

/// Returns a script without comments and indentation.
fn code(script: &str) -> String {
    script.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::browser::storage::{DRAFT_KEY_PREFIX, READ_KEY_PREFIX};
    use crate::ui::browser::visited_rooms::RAIL_KEY;

    /// Scripts that `hydrate.js` loads where they are needed.
    const REPAIR_SCRIPT: &str = include_str!("../../public/repair.js");

    #[test]
    fn the_script_uses_the_storage_keys_of_the_program() {
        let script = hydrate_script("/assets/x") + REPAIR_SCRIPT;
        let keys: Vec<&str> = script.split("parlour:").skip(1).filter_map(|rest| rest.split("${").next()).collect();
        assert_eq!(keys.iter().map(|key| format!("parlour:{key}")).collect::<Vec<_>>(), [DRAFT_KEY_PREFIX]);
        let script = known_rooms_script();
        for key in
            [format!("{READ_KEY_PREFIX:?}"), format!("slice({})", READ_KEY_PREFIX.len()), format!("{RAIL_KEY:?}")]
        {
            assert!(script.contains(&key), "{key}");
        }
    }

    #[test]
    fn the_script_uses_the_classes_of_the_components() {
        let sources = [
            include_str!("components/room.rs"),
            include_str!("components/header/room_header.rs"),
            include_str!("components/messages/message_list.rs"),
            include_str!("components/rows/message_item.rs"),
            include_str!("components/common/notice.rs"),
            include_str!("pages/room.rs"),
        ]
        .concat();
        let script = hydrate_script("/assets/x") + REPAIR_SCRIPT;
        let names = [
            "is-hydrated",
            "connection-status",
            "message-list",
            "data-room",
            "data-nodes",
            "timeline",
            "notice",
            "skeleton",
        ];
        for name in names {
            assert!(script.contains(name.trim_start_matches("data-")), "{name}");
            assert!(sources.contains(name), "{name}");
        }
    }

    #[test]
    fn the_script_has_no_comments_and_all_of_the_code() {
        let script = hydrate_script("/assets/x");
        assert!(!script.contains("//"), "{script}");
        assert!(script.starts_with("const root = \"/assets/x\";\n") && script.contains("module.hydrate();"));
    }
}
