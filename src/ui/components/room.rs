//! The island of a room's page.

use super::common::announcer::Announcer;
use super::common::derived::when;
use super::common::notice::Notice;
use super::composer::composer_form::Composer;
use super::composer::typing_indicator::TypingIndicator;
use super::dialogs::delete_dialog::DeleteDialog;
use super::dialogs::message_menu::MessageMenu;
use super::dialogs::moderation_dialog::ModerationDialog;
use super::dialogs::reaction_palette::ReactionPalette;
use super::dialogs::rename_dialog::RenameDialog;
use super::dialogs::room_menu::RoomMenu;
use super::dialogs::room_switcher::RoomSwitcher;
use super::header::connection_banner::ConnectionBanner;
use super::header::pinned_bar::PinnedBar;
use super::header::room_header::RoomHeader;
use super::messages::jump_button::JumpButton;
use super::messages::message_list::MessageList;
use super::room_rail::RoomRail;
use super::sidebar::participant_list::ParticipantList;
use crate::ui::room::RoomState;
use crate::ui::room::lifecycle::on_hydrate;
use crate::ui::room::recent_rooms::RecentRooms;
use crate::ui::room_data::RoomData;
use crate::ui::room_list_data::RoomListData;
use leptos::prelude::*;

/// A room: header, messages, composer and participants. Its data is in the document (`room_data`).
#[island]
pub fn Room() -> impl IntoView {
    let RoomData { page, rejected } = RoomData::of_island();
    let (room, recent) = (RoomState::new(page), RecentRooms::new(RoomListData::empty()));
    provide_context(room);
    Effect::new(move || on_hydrate(room));
    view! {
        // A translator would replace text nodes that the module changes, and the old texts would stay. Messages can be
        // translated.
        <div class="room" class:is-hydrated=when(move || room.hydrated.get()) translate="no">
            <RoomHeader />
            <RoomRail recent />
            <ConnectionBanner />
            <main class="room-body">
                <PinnedBar />
                <MessageList />
                <ParticipantList />
                <div class="room-footer">
                    <JumpButton />
                    <Notice />
                    <TypingIndicator />
                    <Composer rejected=rejected />
                </div>
            </main>
            <RoomSwitcher recent />
            <RoomMenu recent />
            <MessageMenu />
            <ReactionPalette />
            <RenameDialog />
            <DeleteDialog />
            <ModerationDialog />
            <Announcer />
        </div>
    }
}
