//! Taking a name in the room.

use super::state::RoomState;
use crate::api::{ApiError, join_room};
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomState {
    /// Takes a name. If the server refuses it, the composer shows the reason and asks again. `focus_composer` gives the
    /// composer the focus afterwards.
    pub(crate) fn join(self, name: String, focus_composer: bool) {
        let (join, visit) = (self.identity.joins.begin(), self.visit.latest());
        spawn_local(async move {
            let response = join_room(self.name().to_string(), name.clone()).await;
            if !self.identity.joins.is_latest(join) || !self.visit.is_latest(visit) {
                return;
            }
            let username = match response {
                Ok(username) => username.to_string(),
                Err(ApiError::Refused(reason)) => return self.identity.name_error.set(Some(reason)),
                // Without a network the server judges the name with the next message.
                Err(_) => name,
            };
            self.identity.name_error.set(None);
            self.identity.username.set(Some(username));
            self.page.with_untracked(|page| self.connect(&page.room, page));
            if focus_composer {
                self.editing.focus();
            }
        });
    }
}
