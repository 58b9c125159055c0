//! What an act of moderation means for those who are in the room just now, on this node.

use super::LiveRoom;
use super::row::Place;
use crate::protocol::close;
use crate::server::identity::Author;
use sea_orm::DbErr;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long to wait before asking a database again that did not answer.
const RETRY: Duration = Duration::from_millis(250);

/// Whoever is banned or removed has to go, as soon as the database says who that is; whoever is in a room that is locked
/// may come back, if they have what they are known by.
pub(super) async fn enforce(live: Weak<LiveRoom>) {
    while let Some(live) = live.upgrade() {
        match try_to(&live, &live.places()).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(room = live.room.id, %error, "a ban or a lock has to wait"),
        }
        drop(live);
        tokio::time::sleep(RETRY).await;
    }
}

/// The same for some of its connections.
pub(super) async fn try_to(live: &LiveRoom, places: &[Arc<Place>]) -> Result<(), DbErr> {
    let (store, room_id) = (&live.hub.store, live.room.id);
    let authors: Vec<Author> = places.iter().map(|place| place.author).collect();
    let standings = store.standings(room_id, &authors).await?;
    let mut staying = Vec::new();
    let (locked, owner) = store.lock_and_owner(room_id).await?;
    for (place, standing) in places.iter().zip(standings) {
        // An owner who is muted by the host speaks all the same.
        let is_owner = owner.as_deref() == Some(place.author.as_bytes());
        place.mute(if is_owner { 0 } else { standing.muted_until });
        if standing.banned_until.is_some() {
            place.expel(if standing.is_removed() { close::NO_ACCESS } else { close::BANNED });
        } else if !standing.member && !place.author.is_guest() {
            staying.push(place.author);
        }
    }
    if locked {
        staying.sort_unstable_by_key(|author| author.to_bytes());
        staying.dedup_by_key(|author| author.to_bytes());
        store.let_in(room_id, &staying).await?;
    }
    Ok(())
}
