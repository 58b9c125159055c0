//! The settings of a room: the people whom its owner may moderate, the limit of its retention, and its deletion.

use super::Chat;
use crate::domain::history::Ownership;
use crate::domain::moderation::DAY_SECONDS;
use crate::domain::{Rejection, RejectionCode, RoomName, Seq, Timestamp, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::auth::visitor::Visitor;
use crate::server::store::{Membership, RoomRecord, RoomRef, StoreError};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroU32;

/// Somebody in a room, as its owner sees them.
#[derive(Clone, Debug)]
pub(crate) struct RoomPerson {
    pub(crate) author: AuthorId,
    pub(crate) username: Username,
    /// Number and time of their newest message, if it is known.
    pub(crate) wrote: Option<(Seq, Timestamp)>,
    /// Whether they have the room open.
    pub(crate) is_here: bool,
    pub(crate) membership: Membership,
}

impl RoomPerson {
    fn new(author: AuthorId) -> Self {
        let (username, membership) = (Username::anonymous(), Membership::default());
        Self { author, username, wrote: None, is_here: false, membership }
    }

    fn is_restricted(&self) -> bool {
        self.membership.banned_until.is_some() || self.membership.muted_until > 0
    }
}

impl Chat {
    /// Returns the people of a room, without its owner: those who are here first, then those who are muted or banned,
    /// then the other recent authors and members.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn people(&self, found: &RoomRecord) -> Result<Vec<RoomPerson>, StoreError> {
        let room_id = found.room.id;
        let mut people: HashMap<[u8; 16], RoomPerson> = HashMap::new();
        for recent in self.store.recent_authors(room_id, found.head).await? {
            let known = RoomPerson { username: recent.username, ..RoomPerson::new(recent.author) };
            let wrote = Some((recent.seq, recent.at));
            people.insert(recent.author.to_bytes(), RoomPerson { wrote, ..known });
        }
        for (author, username) in self.hub.participants(room_id) {
            let person = people.entry(author).or_insert_with(|| RoomPerson::new(author.into()));
            (person.username, person.is_here) = (username, true);
        }
        for author in self.store.marked_authors(room_id).await? {
            people.entry(author.to_bytes()).or_insert_with(|| RoomPerson::new(author));
        }
        let is_listed = |person: &RoomPerson| {
            !person.author.is_host()
                && !person.author.is_of_network()
                && found.ownership(&person.author) != Ownership::Own
        };
        let mut people: Vec<RoomPerson> = people.into_values().filter(is_listed).collect();
        let authors: Vec<AuthorId> = people.iter().map(|person| person.author).collect();
        let memberships = self.store.memberships(room_id, &authors).await?;
        let mut names = self.store.names_of_subjects(room_id, found.head).await?;
        let tokens = self.store.tokens(Some(room_id)).await?;
        names.extend(tokens.into_iter().map(|token| (token.author.tag(), token.label)));
        for (person, membership) in people.iter_mut().zip(memberships) {
            person.membership = membership;
            if person.wrote.is_none()
                && !person.is_here
                && let Some(name) = names.get(&person.author.tag())
            {
                person.username = name.clone();
            }
        }
        people.sort_by_cached_key(|person| {
            let wrote = Reverse(person.wrote.map(|(seq, _)| seq).filter(|_| !person.is_here));
            (!person.is_here, !person.is_restricted(), wrote, person.username.clone(), person.author.to_bytes())
        });
        Ok(people)
    }

    /// Returns for how many days at most the owner may keep the messages of a room, or `None` without a limit.
    pub(crate) fn retention_limit(&self, found: &RoomRecord) -> Option<NonZeroU32> {
        found.keep.days(*self.retention_days.borrow())
    }

    /// Checks that the owner may keep the messages of a room for so long.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the host keeps them for a shorter time.
    pub(super) async fn check_retention(&self, room: &RoomRef, seconds: Option<u32>) -> Result<(), Rejection> {
        let Some(found) = self.store.room(&room.name).await? else { return Ok(()) };
        match self.retention_limit(&found) {
            Some(limit) if seconds.unwrap_or_default() / DAY_SECONDS > limit.get() => {
                let detail = format!("This site keeps messages for {limit} days at most.");
                Err(Rejection::new(RejectionCode::Invalid, detail))
            }
            _ => Ok(()),
        }
    }

    /// Deletes a room with everything in it, on behalf of its owner. Goes on if the caller is cancelled.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the visitor is not the owner, sends too many requests, or if the database cannot be
    /// written.
    pub(crate) async fn delete_room(&self, name: &RoomName, visitor: &Visitor) -> Result<(), Rejection> {
        let found = self.admit(name, visitor).await?;
        if found.ownership(&visitor.author) != Ownership::Own {
            return Err(Rejection::new(RejectionCode::Forbidden, "Only the owner of the room can do this."));
        }
        if let Err(limited) = self.limiter.check_message(&visitor.author, visitor.network, 0) {
            return Err(limited.rejection("Slow down a little."));
        }
        let (store, hub, room_id) = (self.store.clone(), self.hub.clone(), found.room.id);
        let deletion = tokio::spawn(async move {
            store.delete_room(room_id).await?;
            tracing::info!(room = room_id, "A room was deleted by its owner");
            // Connections are closed when the hub misses the room.
            hub.request_reconcile();
            Ok::<_, StoreError>(())
        });
        deletion.await.map_err(|_| Rejection::unavailable())??;
        Ok(())
    }
}
