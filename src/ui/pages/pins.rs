//! The page of a room's pinned messages.

use super::page_title::PageTitle;
use crate::domain::{Message, RoomName};
use crate::ui::components::{Icon, Symbol};
use leptos::prelude::*;

/// The pinned messages of a room.
#[derive(Clone, Debug)]
pub struct PinsPageData {
    /// The room.
    pub room: RoomName,
    /// The title of the room.
    pub title: String,
    /// The messages, the latest pin first.
    pub messages: Vec<Message>,
}

#[component]
pub(crate) fn PinsPage(data: PinsPageData) -> impl IntoView {
    let PinsPageData { room, title, messages } = data;
    let back = format!("Back to {title}");
    let path = room.path();
    let is_empty = messages.is_empty();
    let item = move |message: Message| {
        let Message { seq, username, text, sent_at, .. } = message;
        let at = format!("{}, {} UTC", sent_at.day_utc(), sent_at.time_utc());
        view! {
            <li class="row">
                <p class="hint">
                    <b dir="auto">{username.to_string()}</b> " "
                    <a href=format!("{path}{seq}")><time datetime=sent_at.rfc3339()>{at}</time></a>
                </p>
                <p class="pinned-text" dir="auto">{text}</p>
            </li>
        }
    };
    view! {
        <PageTitle text=format!("Pinned · {title} · Parlour") />
        <div class="settings-page">
            <header class="page-header">
                <a class="icon-button" href=room.path() aria-label=back.clone() title=back><Icon symbol=Symbol::Back /></a>
                <h1>"Pinned " <span class="soft small clip" dir="auto">{title.clone()}</span></h1>
            </header>
            <main class="pins">
                <ol class="group">{messages.into_iter().map(item).collect_view()}</ol>
                {is_empty.then(|| view! { <p class="hint">"Nothing is pinned here. The owner of the room pins messages."</p> })}
            </main>
        </div>
    }
}
