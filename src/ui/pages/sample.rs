//! The conversation that the front page shows to whoever has no room yet.

use crate::domain::{AuthorTag, Username};
use crate::ui::components::Avatar;
use leptos::prelude::*;

/// A message of the conversation.
struct SampleMessage {
    author: &'static str,
    hue: u8,
    time: &'static str,
    /// Author and text of the message that it replies to.
    quote: Option<(&'static str, &'static str)>,
    text: &'static str,
    /// Emoji with their counts.
    reactions: &'static [&'static str],
}

const POLES: &str = "I have one, but the poles are broken 😅";

/// The messages, the oldest first. The one with a quote is the reader's own.
const SAMPLE_MESSAGES: [SampleMessage; 4] = [
    SampleMessage {
        author: "Jonas",
        hue: 13,
        time: "8:25 PM",
        quote: None,
        text: "Who is bringing the tent?",
        reactions: &[],
    },
    SampleMessage {
        author: "Pim", hue: 20, time: "8:26 PM", quote: None, text: POLES, reactions: &["😂 3", "🏕️ 1"]
    },
    SampleMessage {
        author: "Ann",
        hue: 9,
        time: "8:27 PM",
        quote: Some(("Pim", POLES)),
        text: "My brother has poles. And no tent.",
        reactions: &[],
    },
    SampleMessage {
        author: "Jonas",
        hue: 13,
        time: "8:27 PM",
        quote: None,
        text: "Then that is settled.",
        reactions: &[],
    },
];

/// The conversation. It is a picture: nothing in it can be used.
#[component]
pub(crate) fn SampleConversation() -> impl IntoView {
    view! {
        <section class="sample" aria-label="What a room looks like">
            <p class="sample-day">"Today"</p>
            {SAMPLE_MESSAGES.map(message_view).collect_view()}
        </section>
    }
}

fn message_view(message: SampleMessage) -> impl IntoView {
    let SampleMessage { author, hue, time, quote, text, reactions } = message;
    let username = Username::from_trusted(author.to_owned());
    let quote_line = |(author, text): (&'static str, &'static str)| {
        view! { <p class="sample-quote"><b>{author}</b>" "{text}</p> }
    };
    let pills = reactions.iter().map(|reaction| view! { <span>{*reaction}</span> }).collect_view();
    view! {
        <div class="sample-message" class:own=quote.is_some()>
            <Avatar username tag=AuthorTag::new([0, hue]) />
            <div>
                <p class="sample-byline"><b>{author}</b>" "<span class="sample-time">{time}</span></p>
                {quote.map(quote_line)}
                <p>{text}</p>
                {(!reactions.is_empty()).then(|| view! { <p class="sample-reactions">{pills}</p> })}
            </div>
        </div>
    }
}
