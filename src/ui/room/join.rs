//! Sets the visitor's name: for all rooms, or for the open room only if another visitor holds the remembered name
//! there.

use super::state::RoomState;
use crate::api::{ApiError, join_room};
use crate::domain::Username;
use crate::ui::browser::storage;
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomState {
    /// Sets the visitor's name. If the server refuses it, the composer shows the reason and asks again.
    /// `focus_composer` focuses the composer afterwards.
    pub(crate) fn join(self, name: String, focus_composer: bool) {
        // The visitor has another name in other rooms.
        let only_here = self.remembered_username().is_some();
        spawn_local(async move {
            match self.take_name(name, only_here).await {
                Some(Ok(())) if focus_composer => self.editing.focus(),
                Some(Err(reason)) => self.refuse_name(reason),
                _ => {}
            }
        });
    }

    /// Changes the visitor's name in all rooms. If the server refuses it in this one, the dialog shows the reason.
    pub(crate) fn rename(self, name: String) {
        spawn_local(async move {
            match self.take_name(name, false).await {
                Some(Err(reason)) => self.identity.rename_error.set(reason),
                _ => self.identity.is_renaming.set(false),
            }
        });
    }

    /// Sets the visitor's name, for the open room `only_here`. Returns the reason if the server refuses it, or `None` if
    /// the visitor has left the room or entered another name since.
    async fn take_name(self, name: String, only_here: bool) -> Option<Result<(), String>> {
        let (join, room) = (self.identity.joins.begin(), self.name());
        let response = join_room(room.as_str(), &name, only_here).await;
        if !self.identity.joins.is_latest(join) {
            return None;
        }
        // The visitor may have opened another room since.
        let is_here = room == self.name();
        let username = match response {
            Ok(username) => {
                if !only_here {
                    self.page.update_untracked(|page| page.username = Some(username.clone()));
                }
                username.to_string()
            }
            Err(ApiError::Refused(reason)) => return is_here.then_some(Err(reason)),
            // Without a network, the server checks the name with the next message.
            Err(_) => name,
        };
        if only_here {
            storage::save_room_username(&room, &self.remembered_username().unwrap_or_default(), &username);
        } else {
            storage::save_room_username(&room, "", "");
            storage::save_username(&username);
        }
        if is_here {
            self.identity.name_error.set(None);
        }
        self.use_name(if is_here { Some(username) } else { self.known_username() });
        is_here.then_some(Ok(()))
    }

    /// Returns the name that the server remembers for all rooms.
    fn remembered_username(self) -> Option<String> {
        self.page.with_untracked(|page| page.username.as_ref().map(ToString::to_string))
    }

    /// Returns the visitor's name in the room whose page is loaded. A name that the server does not know yet was
    /// entered offline.
    pub(super) fn known_username(self) -> Option<String> {
        let remembered = self.remembered_username();
        let room_name = storage::room_username(&self.name(), remembered.as_deref().unwrap_or_default());
        if let Some(remembered) = &remembered {
            storage::save_username(remembered);
        }
        room_name.or(remembered).or_else(storage::username)
    }

    /// Makes the server remember a name that was entered offline.
    pub(super) fn confirm_name(self) {
        if let Some(name) = self.identity.username.get_untracked().filter(|_| self.remembered_username().is_none()) {
            self.join(name, false);
        }
    }

    /// Adopts the name that the visitor has entered in another tab.
    pub(super) fn follow_name(self) {
        if let Some(name) = storage::username().filter(|name| self.remembered_username().as_ref() != Some(name)) {
            self.page.update_untracked(|page| page.username = Some(Username::from_trusted(name)));
            self.identity.name_error.set(None);
            self.use_name(self.known_username());
        }
    }

    /// Shows why the server refuses the name, and drops the name, which is not the visitor's anywhere.
    pub(super) fn refuse_name(self, reason: String) {
        let remembered = self.remembered_username();
        storage::save_room_username(&self.name(), "", "");
        if remembered.is_none() {
            storage::save_username("");
        }
        self.identity.username.set(remembered);
        self.identity.name_error.set(Some(reason));
    }

    fn use_name(self, username: Option<String>) {
        if self.identity.username.get_untracked() != username {
            self.identity.username.set(username);
            if !self.is_stale.get_value() {
                self.page.with_untracked(|page| self.connect(&page.room, page));
            }
        }
    }
}
