//! The reactions to a message: toggle buttons of a form, which works without JavaScript.

use crate::domain::{ReactionCount, Seq};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::prelude::*;

/// The reactions. The list handles their clicks; the buttons stay while others react.
#[component]
pub(crate) fn ReactionList(seq: Seq) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let shown = Memo::new(move |_| room.shown_reactions(seq));
    let list = move || {
        let counts = shown.get();
        (!counts.is_empty()).then(|| {
            view! {
                <form class="reactions" method="post" action=format!("{}{seq}/react", room.path())>
                    {counts.into_iter().map(pill).collect_view()}
                    <a class="reaction" href=format!("{}{seq}/react", room.path()) data-action="palette" role="button" aria-label="Add a reaction" title="Add a reaction">
                        <Icon symbol=Symbol::React small=true />
                    </a>
                </form>
            }
        })
    };
    view! { {list} }
}

fn pill(ReactionCount { emoji, count, own }: ReactionCount) -> impl IntoView {
    let emoji = emoji.as_str().to_owned();
    let (value, name) = (emoji.clone(), emoji.clone());
    let people = if count == 1 { "person" } else { "people" };
    let label = format!("{emoji}, {count} {people}{}", if own { ", you too" } else { "" });
    view! {
        <button class="reaction" name="emoji" value=value data-action="react" data-emoji=name aria-pressed=own.to_string() aria-label=label>
            <span>{emoji}</span>
            <span>{count}</span>
        </button>
    }
}
