//! The form of a message's page, for visitors without JavaScript. It is outside of the island, so the module does not
//! contain it.

use crate::domain::history::Ownership;
use crate::domain::{Message, RoomView, Seq};
use crate::ui::rejected_form::RejectedForm;
use leptos::prelude::*;

/// The message in the URL of a page, with what this visitor may do about it.
#[derive(Clone, Debug)]
pub(super) struct AddressedMessage {
    path: String,
    text: String,
    is_own: bool,
    may_change: bool,
    is_owner: bool,
    is_pinned: bool,
    seq: Seq,
}

impl AddressedMessage {
    /// Returns the message in the URL of this page, or `None` if there is none.
    pub(super) fn of(page: &RoomView) -> Option<Self> {
        let seq = page.permalink?;
        let message = page.history.messages.iter().find(|message| message.seq == seq && !message.is_deleted())?;
        let Message { tag, text, pinned, .. } = message;
        let is_own = *tag == page.tag;
        let is_owner = page.ownership == Ownership::Own;
        let may_change = is_own || is_owner;
        let path = format!("{}{seq}", page.room.path());
        Some(Self { path, text: text.clone(), is_own, may_change, is_owner, is_pinned: *pinned, seq })
    }
}

/// The form, shown until the page is hydrated.
#[component]
pub(super) fn MessageForm(
    message: AddressedMessage,
    /// The edit that the server has refused.
    rejected: Option<RejectedForm>,
) -> impl IntoView {
    let AddressedMessage { path, text, is_own, may_change, is_owner, is_pinned, seq } = message;
    let (react, pin) = (format!("{path}/react"), format!("{path}/pin"));
    let reply = format!("{path}?reply_to={seq}");
    let (text, reason) = match rejected {
        Some(form) => (form.message, Some(form.detail)),
        None => (text, None),
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    view! {
        <form class="message-form" method="post" action=path aria-label="This message">
            {reason.map(|reason| view! { <p class="form-error" role="alert">{reason}</p> })}
            {is_own.then(|| view! {
                <textarea name="message" rows="2" aria-label="Text of this message" dir="auto">{format!("\n{text}")}</textarea>
                <button class="button-quiet small">"Save"</button>
            })}
            <a class="button-quiet small" href=react>"React"</a>
            <a class="button-quiet small" href=reply>"Reply"</a>
            {may_change.then(|| view! {
                <button class="button-quiet small danger" name="remove" value="yes" formnovalidate>"Remove"</button>
            })}
        </form>
        {is_owner.then(|| view! {
            <form class="message-form" method="post" action=pin aria-label="Pin">
                <button class="button-quiet small" name="on" value=(!is_pinned).to_string()>{if is_pinned { "Unpin" } else { "Pin" }}</button>
            </form>
        })}
    }
}
