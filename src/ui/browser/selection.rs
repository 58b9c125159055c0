//! Focus and selection in a part of the page whose elements are moved.

use super::dom;
use web_sys::{Element, HtmlElement, Node};

/// Focus and selection before elements are moved. A browser drops both when it removes an element, even to insert it
/// elsewhere.
pub(crate) struct KeptSelection {
    /// The element that has the focus, and a selector for its replacement in the same message.
    focused: Option<(Element, String)>,
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
        let focused = dom::focused().filter(|focused| is_inside(focused)).map(|focused| {
            let id = focused.closest("[id]").ok().flatten().map(|item| item.id()).unwrap_or_default();
            let action = focused.get_attribute("data-action");
            let part = action.map(|action| format!(" [data-action={action}]")).unwrap_or_default();
            (focused, format!("#{id}{part}"))
        });
        Self { focused, ends }
    }

    /// Restores the focus and the selection, if they were lost.
    pub(crate) fn restore(self) {
        if let Some((focused, like)) = self.focused
            && dom::focused().as_ref() != Some(&focused)
        {
            // The toolbar of messages is not in a message that was rendered again: the message gets the focus.
            let message = || dom::find(like.split(' ').next().unwrap_or_default());
            let here = if focused.is_connected() { Some(focused) } else { dom::find(&like).or_else(message) };
            here.into_iter().for_each(dom::focus_in_place);
        }
        if let Some([(anchor, anchor_offset), (focus, focus_offset)]) = self.ends
            && let Ok(Some(selection)) = dom::window().get_selection()
            && selection.anchor_node().as_ref() != Some(&anchor)
        {
            let _ = selection.set_base_and_extent(&anchor, anchor_offset, &focus, focus_offset);
        }
    }
}
