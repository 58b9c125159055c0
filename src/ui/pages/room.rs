//! The room's page: takes what the server has found, and hands it to the island.

use super::ErrorPage;
use crate::domain;
use crate::ui::Refused;
use crate::ui::components::{Handed, Room};
use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::{Link, Meta, Title};

#[component]
pub(crate) fn RoomPage() -> impl IntoView {
    let Some(page) = use_context::<domain::RoomPage>() else {
        return Either::Left(view! { <ErrorPage /> });
    };
    let refused = use_context::<Option<Refused>>().flatten();
    Either::Right(view! {
        <Title text=format!("{} · Parlour", page.room.title()) />
        <Meta property="og:title" content=page.room.title().to_owned() />
        <Meta property="og:description" content="A room to talk in. Open the link and you are there." />
        // Nothing is drawn before all messages are there: what came later would push the one that has the focus away.
        <Link rel="expect" href="#participants" blocking="render" />
        <Room page=Handed(page) refused=Handed(refused) />
    })
}
