//! The conversation that the front page shows to whoever has no room yet.

use crate::domain::{AuthorTag, Username};
use crate::ui::components::Avatar;
use leptos::prelude::*;

/// Author, hue of the avatar, time, quoted line and text of each message.
const MESSAGES: [(&str, u8, &str, Option<(&str, &str)>, &str); 4] = [
    ("Jonas", 13, "8:25 PM", None, "Who is bringing the tent?"),
    ("Pim", 20, "8:26 PM", None, "I have one, but the poles are broken 😅"),
    (
        "Ann",
        9,
        "8:27 PM",
        Some(("Pim", "I have one, but the poles are broken 😅")),
        "My brother has poles. And no tent.",
    ),
    ("Jonas", 13, "8:27 PM", None, "Then that is settled."),
];

/// The conversation. It is a picture: nothing in it can be used.
#[component]
pub(crate) fn SampleConversation() -> impl IntoView {
    let message = |(author, hue, time, quote, text): (&'static str, u8, &'static str, Option<(_, _)>, &'static str)| {
        let username = Username::from_trusted(author.to_owned());
        view! {
            <div class="sample-message" class:own=quote.is_some()>
                <Avatar username tag=AuthorTag::new([0, hue]) />
                <div>
                    <p class="sample-byline"><b>{author}</b>" "<span class="time">{time}</span></p>
                    {quote.map(|(author, text): (&'static str, &'static str)| view! { <p class="sample-quote"><b>{author}</b>" "{text}</p> })}
                    <p>{text}</p>
                </div>
            </div>
        }
    };
    view! {
        <section class="sample" aria-label="What a room looks like">
            <p class="sample-day">"Today"</p>
            {MESSAGES.map(message).collect_view()}
        </section>
    }
}
