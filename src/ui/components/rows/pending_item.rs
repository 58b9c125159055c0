//! A command that is not in the log: pending, or refused with the reason.

use super::message_text::MessageText;
use super::quote_line::QuoteLine;
use crate::domain::Username;
use crate::ui::components::common::avatar::Avatar;
use crate::ui::components::common::copy_button::{CopyButton, CopySource};
use crate::ui::components::common::derived::text;
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::outbox::{OutboxCommand, PendingCommand};
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::html::Div;
use leptos::prelude::*;

/// The row. Where it follows another message of the visitor, the style hides avatar and name (`pending_list.css`).
#[component]
pub(super) fn PendingItem(pending: PendingCommand) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let PendingCommand { id, command, refused, .. } = pending;
    let is_refused = refused.is_some();
    let typed = command.text().to_owned();
    let typed_text = NodeRef::<Div>::new();
    let can_edit = !matches!(command, OutboxCommand::Delete { .. });
    let tag = room.page.with_untracked(|page| page.tag.clone());
    let (given, reply_to) = match &command {
        OutboxCommand::Post { username, reply_to, .. } => (username.clone(), *reply_to),
        _ => (None, None),
    };
    let username = given.or_else(|| room.identity.username.get_untracked());
    let username = username.map_or_else(Username::anonymous, Username::from_trusted);
    let choices = refused.map(|reason| {
        let copied = typed.clone();
        // If the composer asks for the name again, it announces the reason.
        let is_announced = room.identity.name_error.with_untracked(|error| error.as_ref() == Some(&reason));
        let role = (!is_announced).then_some("alert");
        let prefix = match command {
            OutboxCommand::Post { .. } => "",
            OutboxCommand::Edit { .. } => "Not edited: ",
            OutboxCommand::Delete { .. } => "Not removed: ",
            OutboxCommand::Moderate { .. } => "Not done: ",
        };
        view! {
            <p class="pending-reason" role=role>
                <Icon symbol=Symbol::Alert small=true />
                <span>{prefix}{reason}</span>
                <button class="button-plain" data-action="retry">"Try again"</button>
                <CopyButton class="button-plain" copied_text=text(move || copied.clone()) source=CopySource::Text(typed_text) />
                <button class="button-plain" data-action="discard">"Discard"</button>
            </p>
        }
    });
    let state = text(move || match room.connection.status.get() {
        _ if is_refused => "Not sent",
        ConnectionStatus::Live => "Sending…",
        _ => "Waiting",
    });
    // Not where the state is in the narrow column of the times.
    let reason = text(move || match room.connection.status.get() {
        ConnectionStatus::Live => "",
        _ if is_refused => "",
        _ => " for the network",
    });
    view! {
        <li class="pending" class:refused=is_refused data-id=id.as_str().to_owned()>
            <Avatar username=username.clone() tag=tag />
            <div class="message-body">
                <p class="message-byline">
                    <b class="message-author" dir="auto">{username.to_string()}</b>
                    <span class="pending-state">{state}<span>{reason}</span></span>
                </p>
                {reply_to.map(|seq| view! { <QuoteLine seq=seq /> })}
                <div node_ref=typed_text>
                    <MessageText text=typed note=None mentions=Vec::new() />
                </div>
                {choices}
            </div>
            <span class="pending-actions">
                <button class="icon-button" class:is-visible=can_edit data-action="edit-pending" aria-label="Edit" title="Edit">
                    <Icon symbol=Symbol::Edit />
                </button>
                <button class="icon-button" class:is-visible=!is_refused data-action="cancel" aria-label="Cancel" title="Cancel">
                    <Icon symbol=Symbol::Close />
                </button>
            </span>
        </li>
    }
}
