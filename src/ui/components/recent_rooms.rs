//! The rooms that this browser has visited, with what is unread in each.

use crate::api::count_unread;
use crate::domain::{ReadRoom, page::MAX_COUNTED};
use crate::ui::browser::{self, kept};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A room that was visited, and how many messages of others were not read there.
pub(super) type Recent = (ReadRoom, u64);

/// Reads what this browser knows, then asks the server what is new.
pub(super) fn refresh(rooms: RwSignal<Vec<Recent>>) {
    let recent = kept::recent();
    let before = rooms.get_untracked();
    let known = |it: &ReadRoom| before.iter().find(|(before, _)| before == it).map_or(0, |(_, unread)| *unread);
    rooms.set(recent.iter().map(|it| (it.clone(), known(it))).collect());
    if !recent.is_empty() {
        spawn_local(async move {
            if let Ok(unread) = count_unread(recent.clone()).await {
                rooms.set(recent.into_iter().zip(unread).collect());
            }
        });
    }
}

#[component]
pub(super) fn RecentRooms(
    rooms: RwSignal<Vec<Recent>>,
    /// What happens when one is chosen; nothing in particular on a page of its own.
    #[prop(into)]
    choose: Option<Callback<String>>,
) -> impl IntoView {
    let item = move |(ReadRoom { room, .. }, unread): Recent| {
        let path = room.path();
        let to = path.clone();
        let click = move |event: web_sys::MouseEvent| {
            if let Some(choose) = choose
                && browser::is_plain_click(&event)
            {
                event.prevent_default();
                choose.run(to.clone());
            }
        };
        let count = if unread >= MAX_COUNTED { format!("{}+", MAX_COUNTED - 1) } else { unread.to_string() };
        let badge = (unread > 0)
            .then(|| view! { <span class="recent-unread">{count}<span class="visually-hidden">" new"</span></span> });
        view! {
            <li>
                <a class="recent-room" href=path on:click=click><span dir="auto">{room.title().to_owned()}</span>{badge}</a>
            </li>
        }
    };
    view! { <ul class="recent-rooms">{move || rooms.get().into_iter().map(item).collect::<Vec<_>>()}</ul> }
}

/// The same for the front page.
#[island]
pub fn RecentRoomsSection() -> impl IntoView {
    let rooms = RwSignal::new(Vec::new());
    Effect::new(move || refresh(rooms));
    view! {
        <section class="front-recent" class:shown=Signal::derive(move || !rooms.with(Vec::is_empty)) aria-label="Recent rooms">
            <h2>"Recent rooms"</h2>
            <RecentRooms rooms=rooms choose=None />
        </section>
    }
}
