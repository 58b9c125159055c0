//! The rendered messages of the list.

use crate::domain::Seq;
use web_sys::{Element, HtmlCollection, HtmlElement};

/// The rendered messages of the list, from top to bottom. Dividers are not included, because the divider of the day in
/// view stays in place while the messages scroll.
pub(super) struct ListItems(HtmlCollection);

impl ListItems {
    /// Returns the messages in the element that scrolls.
    pub(super) fn of(container: &HtmlElement) -> Self {
        Self(container.get_elements_by_class_name("message"))
    }

    pub(super) fn get(&self, index: u32) -> Option<Element> {
        self.0.item(index)
    }

    /// Returns the number of a message.
    pub(super) fn seq(&self, index: u32) -> Option<Seq> {
        self.get(index)?.get_attribute("data-seq")?.parse().ok()
    }

    /// Returns the index of the first item for which `predicate` holds; it must hold for all that follow.
    pub(super) fn partition_point(&self, predicate: impl Fn(&Element) -> bool) -> u32 {
        let (mut from, mut to) = (0, self.0.length());
        while from < to {
            let middle = (from + to) / 2;
            if self.get(middle).is_some_and(|item| predicate(&item)) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        from
    }
}
