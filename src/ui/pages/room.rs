//! The page of a room: its metadata, and the island.

use crate::domain;
use crate::ui::components::Room;
use crate::ui::island_props::IslandProp;
use crate::ui::rejected_form::RejectedForm;
use leptos::prelude::*;
use leptos_meta::{Link, Meta, Title};

const DESCRIPTION: &str = "A room to talk in. Open the link and you are there.";

#[component]
pub(crate) fn RoomPage(page: domain::RoomView, rejected: Option<RejectedForm>) -> impl IntoView {
    view! {
        <Title text=format!("{} · Parlour", page.room.title()) />
        <Meta property="og:title" content=page.room.title().to_owned() />
        <Meta property="og:description" content=DESCRIPTION />
        <Meta name="description" content=DESCRIPTION />
        // Nothing is painted before all messages are there: later ones would push the focused message out of view.
        <Link rel="expect" href="#participants" blocking="render" />
        <Room page=IslandProp(page) rejected=IslandProp(rejected) />
    }
}
