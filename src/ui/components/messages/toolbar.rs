//! The toolbar of a message. There is one, which moves to the message that is pointed at or focused (`room::toolbar`).

use crate::ui::components::common::derived::text;
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::prelude::*;

/// The buttons that act on a message. Each names its action in `data-action`, which the list handles. The keyboard
/// reaches them from their message, so they are not in the Tab order.
#[component]
pub(crate) fn Toolbar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // Visible until the menu is closed, which gives the focus back.
    let is_open = text(move || room.dialogs.menu.get().is_some().to_string());
    view! {
        <div class="toolbar" role="group" aria-label="This message" node_ref=room.toolbar>
            <button class="icon-button" tabindex="-1" data-action="palette" aria-label="React" title="React" aria-haspopup="dialog">
                <Icon symbol=Symbol::React />
            </button>
            <button class="icon-button" tabindex="-1" data-action="reply" aria-label="Reply" title="Reply (R)">
                <Icon symbol=Symbol::Reply />
            </button>
            <button
                class="icon-button"
                tabindex="-1"
                data-action="more"
                aria-label="More"
                title="More"
                aria-haspopup="dialog"
                aria-expanded=is_open
            >
                <Icon symbol=Symbol::More />
            </button>
        </div>
    }
}
