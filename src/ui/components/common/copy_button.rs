//! A button that copies a text to the clipboard.

use super::derived::text;
use super::icon::{Icon, Symbol};
use crate::ui::browser::dom;
use leptos::html::{Div, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// Time for which the button confirms that it has copied.
const COPIED_FEEDBACK: Duration = Duration::from_secs(2);

/// The element that shows the text. Without access to the clipboard, the button selects it so that the visitor can copy
/// it.
#[derive(Clone, Copy)]
pub(crate) enum CopySource {
    Field(NodeRef<Input>),
    Text(NodeRef<Div>),
}

impl CopySource {
    fn select(self) {
        match self {
            Self::Field(field) => {
                if let Some(field) = field.get_untracked() {
                    field.select();
                }
            }
            Self::Text(element) => {
                if let Some(element) = element.get_untracked() {
                    dom::select_text(&element);
                }
            }
        }
    }
}

/// The button. It shows an icon beside the word, or only the icon if the class is `icon-button`.
#[component]
pub(crate) fn CopyButton(class: &'static str, copied_text: Signal<String>, source: CopySource) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        spawn_local(async move {
            if dom::write_clipboard(&copied_text.get_untracked()).await {
                copied.set(true);
                set_timeout(move || copied.set(false), COPIED_FEEDBACK);
            } else {
                source.select();
            }
        });
    };
    let label = text(move || if copied.get() { "Copied" } else { "Copy" });
    view! {
        <button class=class class:is-copied=copied type="button" on:click=copy>
            <Icon symbol=Symbol::Copy small=true />
            <span class="copy-label">{label}</span>
        </button>
    }
}
