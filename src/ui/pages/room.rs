//! The room's page: fetches what is to be shown, and hands it to the island.

use super::NotFoundPage;
use crate::api::open_room;
use crate::domain::Seq;
use crate::ui::Refused;
use crate::ui::components::Room;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub(crate) fn RoomPage() -> impl IntoView {
    let (room_name, permalink) = {
        let params = use_params_map().read_untracked();
        (params.get("room_name").unwrap_or_default(), params.get("seq").and_then(|seq| seq.parse::<Seq>().ok()))
    };
    let username = use_query_map().read_untracked().get("username");
    let refused = use_context::<Option<Refused>>().flatten();
    let page = async move {
        match open_room(room_name, username, permalink).await {
            Ok(page) => Either::Left(view! {
                <Title text=format!("{} · Parlour", page.room) />
                <Room page=page refused=refused />
            }),
            Err(error) => Either::Right(view! { <NotFoundPage reason=error.to_string() /> }),
        }
    };
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}
