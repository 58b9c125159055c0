//! The keyboard focus in the message list, which is one Tab stop: the arrow keys move up and down between its messages,
//! left and right between the links and buttons of one, and Tab and Enter from a message to its toolbar.

use super::list_items::ListItems;
use super::state::RoomState;
use crate::domain::Seq;
use crate::ui::browser::dom;
use leptos::prelude::*;
use web_sys::{Element, HtmlCollection};

impl RoomState {
    /// Removes links and buttons of the messages from the Tab order. Without JavaScript they stay in it.
    pub(crate) fn skip_in_tab_order(self) {
        let Some(container) = self.scroll.container.get_untracked() else { return };
        let Ok(Some(list)) = container.query_selector("ol") else { return };
        let (links, buttons) = (list.get_elements_by_tag_name("a"), list.get_elements_by_tag_name("button"));
        let (code, more) =
            (list.get_elements_by_class_name("block"), container.get_elements_by_class_name("timeline-more"));
        for part in [links, buttons, code, more].into_iter().flat_map(elements) {
            if !part.has_attribute("tabindex") {
                let _ = part.set_attribute("tabindex", "-1");
            }
        }
    }

    /// Moves the focus by a key, if it is in the message list. Returns whether it did.
    pub(super) fn move_focus(self, key: &str) -> bool {
        self.next_focus(key).map(dom::focus).is_some()
    }

    fn next_focus(self, key: &str) -> Option<Element> {
        let container = self.scroll.container.get_untracked()?;
        let focused = dom::focused().filter(|focused| container.contains(Some(focused)))?;
        let items = ListItems::of(&container);
        let item = focused.closest(".message").ok()?;
        match (key, item) {
            // From the list itself, the focus moves to the last message in view.
            ("ArrowUp" | "ArrowDown", None) => {
                let last = self.scroll.last_in_view()?;
                items.get(items.partition_point(|item| number(item) >= Some(last)))
            }
            ("ArrowUp" | "ArrowDown", Some(item)) => {
                let index = items.partition_point(|other| number(other) >= number(&item));
                items.get(if key == "ArrowUp" { index.checked_sub(1)? } else { index + 1 })
            }
            ("Tab" | "Enter", Some(item)) => {
                let buttons = || elements(item.get_elements_by_tag_name("button"));
                buttons().find(|button| focused == item && dom::is_shown(button))
            }
            ("ArrowLeft" | "ArrowRight", Some(item)) => {
                // These keys scroll code that is too wide.
                let stays = focused.matches(".block").unwrap_or(false);
                let is_part =
                    |part: &Element| part.matches("a, button, .block").unwrap_or(false) && dom::is_shown(part);
                let parts = elements(item.get_elements_by_tag_name("*")).filter(is_part);
                let parts: Vec<Element> = std::iter::once(item.clone()).chain(parts).filter(|_| !stays).collect();
                let index = parts.iter().position(|part| *part == focused)?;
                let step = if key == "ArrowRight" { index + 1 } else { index.checked_sub(1)? };
                parts.get(step).cloned()
            }
            _ => None,
        }
    }
}

fn number(item: &Element) -> Option<Seq> {
    item.get_attribute("data-seq")?.parse().ok()
}

fn elements(list: HtmlCollection) -> impl Iterator<Item = Element> {
    (0..list.length()).filter_map(move |index| list.item(index))
}
