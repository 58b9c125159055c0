//! The page with which a visitor reacts to a message without a script, and the owner pins it.

use super::page_title::PageTitle;
use crate::domain::emoji::QUICK_EMOJI;
use crate::domain::{Emoji, Message, Reactors, RoomName};
use crate::ui::components::{Icon, Symbol};
use leptos::prelude::*;

/// The reactions to a message, as this visitor sees them.
#[derive(Clone, Debug)]
pub struct ReactPageData {
    /// The room.
    pub room: RoomName,
    /// The title of the room.
    pub title: String,
    /// The token of the visitor's forms.
    pub token: String,
    /// The message.
    pub message: Message,
    /// The emoji with which the visitor reacts.
    pub own: Vec<Emoji>,
    /// The people who reacted, by emoji.
    pub reactors: Vec<Reactors>,
    /// Whether the visitor owns the room, and so may pin the message.
    pub is_owner: bool,
    /// The reason for which the last form was refused, if it was.
    pub problem: Option<String>,
}

#[component]
pub(crate) fn ReactPage(data: ReactPageData) -> impl IntoView {
    let ReactPageData { room, title, token, message, own, reactors, is_owner, problem } = data;
    let Message { seq, username, text, pinned, .. } = message;
    let (back, here) = (format!("{}{seq}", room.path()), format!("{}{seq}/react", room.path()));
    let is_own = move |emoji: &str| own.iter().any(|own| own.as_str() == emoji);
    let button = move |emoji: &'static str, name: &'static str| {
        let pressed = is_own(emoji).to_string();
        view! { <button class="emoji" name="emoji" value=emoji title=name aria-label=name aria-pressed=pressed>{emoji}</button> }
    };
    let quick: Vec<_> = QUICK_EMOJI.iter().map(|emoji| button(emoji, name_of(emoji))).collect();
    let groups: Vec<_> = emojis::Group::iter()
        .map(|group| {
            let buttons: Vec<_> = group.emojis().map(|emoji| button(emoji.as_str(), emoji.name())).collect();
            view! { <h2>{group_name(group)}</h2><div class="emoji-grid">{buttons}</div> }
        })
        .collect();
    let reacted = (!reactors.is_empty()).then(|| {
        let row = |reactors: Reactors| view! { <li dir="auto">{told(&reactors)}</li> };
        view! { <ul class="reactors">{reactors.into_iter().map(row).collect_view()}</ul> }
    });
    let (pin_token, pin_path) = (token.clone(), format!("{}{seq}/pin", room.path()));
    let pin = is_owner.then(|| {
        let (on, label) = if pinned { ("false", "Unpin this message") } else { ("true", "Pin this message") };
        view! {
            <form method="post" action=pin_path>
                <input type="hidden" name="token" value=pin_token />
                <button class="button-quiet" name="on" value=on>{label}</button>
            </form>
        }
    });
    view! {
        <PageTitle text=format!("React · {title} · Parlour") />
        <div class="settings-page">
            <header class="page-header">
                <a class="icon-button" href=back aria-label="Back to the message" title="Back to the message"><Icon symbol=Symbol::Back /></a>
                <h1>"React " <span class="soft small clip" dir="auto">{title.clone()}</span></h1>
            </header>
            <main class="react">
                <blockquote class="group row">
                    <p class="hint"><b dir="auto">{username.to_string()}</b></p>
                    <p class="pinned-text" dir="auto">{text}</p>
                </blockquote>
                {problem.map(|detail| view! { <p class="problem" role="alert"><Icon symbol=Symbol::Alert small=true /><span dir="auto">{detail}</span></p> })}
                {reacted}
                {pin}
                <form method="post" action=here>
                    <input type="hidden" name="token" value=token />
                    <p class="hint">"Choose an emoji. Choosing it again takes it back."</p>
                    <div class="emoji-grid quick">{quick}</div>
                    {groups}
                </form>
            </main>
        </div>
    }
}

/// Returns who reacted with an emoji, in a line.
fn told(Reactors { emoji, count, names, others }: &Reactors) -> String {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    match others {
        0 => {}
        1 => names.push("1 other".to_owned()),
        _ => names.push(format!("{others} others")),
    }
    format!("{} {count} · {}", emoji.as_str(), names.join(", "))
}

fn name_of(emoji: &str) -> &'static str {
    emojis::get(emoji).map_or("", emojis::Emoji::name)
}

fn group_name(group: emojis::Group) -> &'static str {
    match group {
        emojis::Group::SmileysAndEmotion => "Smileys",
        emojis::Group::PeopleAndBody => "People",
        emojis::Group::AnimalsAndNature => "Animals and nature",
        emojis::Group::FoodAndDrink => "Food and drink",
        emojis::Group::TravelAndPlaces => "Travel and places",
        emojis::Group::Activities => "Activities",
        emojis::Group::Objects => "Objects",
        emojis::Group::Symbols => "Symbols",
        emojis::Group::Flags => "Flags",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The palette's fragment, which `public/palette.js` loads.
    const FRAGMENT: &str = include_str!("../../../public/emoji.html");

    /// Maximum version of the emoji in the fragment: systems draw later ones as empty boxes.
    const MAX_VERSION: u32 = 16;

    #[test]
    fn the_palette_has_the_emoji_of_the_list() {
        let mut expected = String::new();
        for group in emojis::Group::iter() {
            let shown = group.emojis().filter(|emoji| emoji.emoji_version().major() <= MAX_VERSION);
            let buttons: String =
                shown.map(|emoji| format!("<button title=\"{}\">{}</button>", emoji.name(), emoji.as_str())).collect();
            expected += &format!("<h2>{}</h2><div class=\"emoji\">{buttons}</div>\n", group_name(group));
        }
        if std::env::var_os("UPDATE_EMOJI").is_some() {
            std::fs::write("public/emoji.html", &expected).unwrap();
        }
        assert!(FRAGMENT == expected, "run the test with UPDATE_EMOJI=1, and commit public/emoji.html");
    }

    #[test]
    fn people_who_reacted_are_told_in_a_line() {
        let names = ["Ann", "Ben"].map(|name| crate::domain::Username::parse(name).unwrap()).to_vec();
        let reactors =
            |others| Reactors { emoji: Emoji::parse("👍").unwrap(), count: 2 + others, names: names.clone(), others };
        assert_eq!(told(&reactors(0)), "👍 2 · Ann, Ben");
        assert_eq!(told(&reactors(1)), "👍 3 · Ann, Ben, 1 other");
        assert_eq!(told(&reactors(7)), "👍 9 · Ann, Ben, 7 others");
    }
}
