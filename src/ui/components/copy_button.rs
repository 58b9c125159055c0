//! A button that puts a text on the clipboard.

use crate::ui::browser;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// So long it says that it has copied.
const SAID: Duration = Duration::from_secs(2);

#[component]
pub(super) fn CopyButton(
    class: &'static str,
    text: Signal<String>,
    /// Without a clipboard visitors copy themselves what this selects: the text is in it.
    selected: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let words = move || if copied.get() { "Copied" } else { "Copy" }.to_owned();
    let copy = move |_| {
        let selected = selected.clone();
        spawn_local(async move {
            if browser::copy(&text.get_untracked()).await {
                copied.set(true);
                set_timeout(move || copied.set(false), SAID);
            } else {
                browser::select(&selected);
            }
        });
    };
    view! { <button class=class type="button" on:click=copy>{Signal::derive(words)}</button> }
}
