//! The room's page: fetches what is to be shown, and hands it to the island.

use super::NotFoundPage;
use crate::api::open_room;
use crate::domain::{KnownUsername, Username, event::parse_seq};
use crate::ui::Refused;
use crate::ui::components::{Handed, Room};
use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub(crate) fn RoomPage() -> impl IntoView {
    let params = use_params_map().get_untracked();
    let room_name = params.get("room_name").unwrap_or_default();
    let permalink = match params.get("seq").map(|seq| parse_seq(&seq)) {
        Some(None) => return Either::Left(view! { <NotFoundPage reason="No message has this number.".to_owned() /> }),
        seq => seq.flatten(),
    };
    // A link names nobody who has a name.
    let is_known = use_context::<KnownUsername>().is_some_and(|known| known.0.is_some());
    let username = use_query_map().read_untracked().get("username").filter(|_| !is_known);
    // A name that cannot be is given back with the reason, like a message that was refused.
    let refused_name = username.as_deref().filter(|name| !name.trim().is_empty()).and_then(|name| {
        let detail = Username::parse(name).err()?.to_string();
        Some(Refused { message: String::new(), username: Some(name.to_owned()), detail })
    });
    let refused = use_context::<Option<Refused>>().flatten().or(refused_name);
    let page = async move {
        match open_room(room_name, username, permalink).await {
            Ok(page) => Either::Left(view! {
                <Title text=format!("{} · Parlour", page.room.title()) />
                <Meta property="og:title" content=page.room.title().to_owned() />
                <Meta property="og:description" content="A room to talk in. Open the link and you are there." />
                <Room page=Handed(page) refused=Handed(refused) />
            }),
            Err(error) => Either::Right(view! { <NotFoundPage reason=error.to_string() /> }),
        }
    };
    Either::Right(view! { <Suspense>{Suspend::new(page)}</Suspense> })
}
