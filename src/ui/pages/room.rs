//! The page of a room: its metadata, and the island.

use crate::domain::history::Ownership;
use crate::domain::{AuthorTag, Epoch, EventId, HistoryPage, RoomName, RoomView};
use crate::ui::components::Room;
use crate::ui::island_props::IslandProp;
use crate::ui::rejected_form::RejectedForm;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{Link, Meta, Title};

const DESCRIPTION: &str = "A room to talk in. Open the link and you are there.";

#[component]
pub(crate) fn RoomPage(page: RoomView, rejected: Option<RejectedForm>) -> impl IntoView {
    view! {
        <Title text=format!("{} · Parlour", page.room.title()) />
        <Meta property="og:title" content=page.room.title().to_owned() />
        <Meta property="og:description" content=DESCRIPTION />
        <Meta name="description" content=DESCRIPTION />
        // Nothing is painted before all messages have arrived, because later ones would push the focused message out of
        // view.
        <Link rel="expect" href="#participants" blocking="render" />
        <Room page=IslandProp(page) rejected=IslandProp(rejected) />
        <script type="text/plain" id="skeleton" data-nodes="0" nonce=use_nonce()>{skeleton()}</script>
    }
}

/// Returns the HTML of an empty room, which `repair.js` puts in place of a changed page. It contains `|` instead of
/// `<`, so that extensions and proxies see no elements or comments to change.
fn skeleton() -> String {
    empty_room().replace('<', "|")
}

fn empty_room() -> String {
    let page = RoomView {
        room: RoomName::from_trusted(String::new()),
        epoch: Epoch(String::new()),
        head: 0,
        username: None,
        tag: AuthorTag::from_trusted(String::new()),
        permalink: None,
        form_id: EventId::from_trusted(String::new()),
        history: HistoryPage::default(),
        ownership: Ownership::default(),
        invitation: String::new(),
        locked: false,
        slow_mode: None,
        muted_until: None,
    };
    view! { <Room page=IslandProp(page) rejected=IslandProp(None) /> }.to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_room_comes_back_from_its_skeleton() {
        let html = Owner::new().with(empty_room);
        assert!(html.starts_with("<leptos-island ") && html.ends_with("</leptos-island>"), "{html}");
        assert!(!html.contains(['|', '`']) && !html.contains("<script"), "{html}");
        assert_eq!(Owner::new().with(skeleton).replace('|', "<"), html);
    }
}
