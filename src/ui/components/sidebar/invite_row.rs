//! The invitation link of the room in one row.

use super::share_link::invite_link;
use crate::ui::browser::dom;
use crate::ui::components::common::copy_button::{CopyButton, CopySource};
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(crate) fn InviteRow() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let shown = NodeRef::<Div>::new();
    let link = invite_link(room);
    // Without the scheme: the column is narrow.
    let short =
        text(move || link.with(|link| link.split_once("://").map_or(link.as_str(), |(_, rest)| rest).to_owned()));
    let is_code_shown = RwSignal::new(false);
    let path = text(move || room.page.with(|page| page.room.qr_code_path()));
    // Fetched when it is shown.
    let source = text(move || if is_code_shown.get() { path.get() } else { String::new() });
    let toggle = move |event: MouseEvent| {
        if dom::is_plain_click(&event) {
            event.prevent_default();
            is_code_shown.update(|shown| *shown = !*shown);
        }
    };
    let is_expanded = text(move || is_code_shown.get().to_string());
    view! {
        <div class="invite">
            <div class="invite-link" node_ref=shown><a class="clip" href=link title="Invite link">{short}</a></div>
            <CopyButton class="icon-button" copied_text=link source=CopySource::Text(shown) />
            <a
                class="icon-button"
                href=path
                aria-label="Show the QR code"
                title="Show the QR code"
                aria-expanded=is_expanded
                on:click=toggle
            >
                <Icon symbol=Symbol::QrCode />
            </a>
        </div>
        <div class="qr-code" class:is-visible=when(move || is_code_shown.get())>
            <img src=source alt="QR code of the invite link" width="136" height="136" />
            <p>"Scan it, or send the link."</p>
        </div>
    }
}
