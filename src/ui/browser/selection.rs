//! Focus and selection in a part of the page whose elements are moved.

use super::dom;
use web_sys::{Element, HtmlElement, Node};

/// Focus and selection before elements are moved: a browser drops both when it takes an element out, also to put it
/// somewhere else.
pub(crate) struct KeptSelection {
    focused: Option<Element>,
    /// The two ends: node and offset.
    ends: Option<[(Node, u32); 2]>,
}

impl KeptSelection {
    /// Returns focus and selection within an element.
    pub(crate) fn within(element: &HtmlElement) -> Self {
        let is_inside = |node: &Node| element.contains(Some(node));
        let selection = dom::window().get_selection().ok().flatten();
        let ends = selection.and_then(|selection| {
            let anchor = selection.anchor_node().filter(is_inside)?;
            Some([(anchor, selection.anchor_offset()), (selection.focus_node()?, selection.focus_offset())])
        });
        Self { focused: dom::focused().filter(|focused| is_inside(focused)), ends }
    }

    /// Restores what was lost of them.
    pub(crate) fn restore(self) {
        if let Some(focused) = self.focused.filter(|focused| dom::focused().as_ref() != Some(focused)) {
            dom::focus(focused);
        }
        if let Some([(anchor, anchor_offset), (focus, focus_offset)]) = self.ends
            && let Ok(Some(selection)) = dom::window().get_selection()
            && selection.anchor_node().as_ref() != Some(&anchor)
        {
            let _ = selection.set_base_and_extent(&anchor, anchor_offset, &focus, focus_offset);
        }
    }
}
