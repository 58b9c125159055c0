//! The page of a room: its metadata, and the island.

use super::message_form::{AddressedMessage, MessageForm};
use super::page_title::PageTitle;
use crate::domain::RoomView;
use crate::ui::components::Room;
use crate::ui::rejected_form::RejectedForm;
use crate::ui::room_data::{ROOM_DATA_ID, RoomData};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{Link, Meta};
use std::sync::LazyLock;

const DESCRIPTION: &str = "A room to talk in. Open the link and you are there.";

#[component]
pub(crate) fn RoomPage(page: RoomView, rejected: Option<RejectedForm>) -> impl IntoView {
    let title = page.title().to_owned();
    let description = page.topic.clone().unwrap_or_else(|| DESCRIPTION.to_owned());
    // An edit belongs to the form of its message, and anything else to the composer.
    let is_edit = rejected.as_ref().is_some_and(|form| form.edited.is_some());
    let (rejected_edit, rejected) = if is_edit { (rejected, None) } else { (None, rejected) };
    let addressed = AddressedMessage::of(&page);
    let data = RoomData::new(page, rejected);
    let script = data.to_script();
    provide_context(data);
    view! {
        <PageTitle text=format!("{title} · Parlour") />
        <Meta property="og:title" content=title />
        <Meta property="og:description" content=description.clone() />
        <Meta name="description" content=description />
        // Nothing is painted before all messages have arrived, because later ones would push the focused message out of
        // view.
        <Link rel="expect" href="#participants" blocking="render" />
        <Room />
        {addressed.map(|message| view! { <MessageForm message rejected=rejected_edit /> })}
        <script type="application/json" id=ROOM_DATA_ID nonce=use_nonce()>{script}</script>
        <script type="text/plain" id="skeleton" data-nodes="0" nonce=use_nonce()>{skeleton()}</script>
    }
}

/// Returns the HTML of an empty room, which `repair.js` puts in place of a changed page. It contains `|` instead of
/// `<`, so that extensions and proxies see no elements or comments to change.
fn skeleton() -> &'static str {
    static SKELETON: LazyLock<String> = LazyLock::new(|| Owner::new().with(empty_room).replace('<', "|"));
    &SKELETON
}

fn empty_room() -> String {
    provide_context(RoomData::empty());
    view! { <Room /> }.to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_room_comes_back_from_its_skeleton() {
        let html = Owner::new().with(empty_room);
        assert!(html.starts_with("<leptos-island ") && html.ends_with("</leptos-island>"), "{html}");
        assert!(!html.contains(['|', '`']) && !html.contains("<script"), "{html}");
        assert_eq!(skeleton().replace('|', "<"), html);
    }
}
