//! What an act of moderation means for those who are in the room just now, on this node.

use super::LiveRoom;
use super::fanout::Subscriber;
use crate::protocol::close;
use crate::server::auth::identity::AuthorId;
use crate::server::store::Membership;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long to wait before asking a database again that did not answer.
const ENFORCE_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Lets one task at a time look at a room's connections, however many acts there are meanwhile: it looks once more for
/// all of them.
#[derive(Clone, Default)]
pub(super) struct Enforcing(Arc<AtomicU64>);

impl Enforcing {
    /// Counts an act that is not looked at yet. Returns the turn to look, unless somebody has it.
    fn begin(&self) -> Option<Turn> {
        (self.0.fetch_add(1, Ordering::SeqCst) == 0).then(|| Turn { enforcing: self.clone(), over: false })
    }
}

/// Whoever holds this looks.
struct Turn {
    enforcing: Enforcing,
    over: bool,
}

impl Turn {
    /// Returns how many acts there are to look at.
    fn acts(&self) -> u64 {
        self.enforcing.0.load(Ordering::SeqCst)
    }

    /// Takes off those that were looked at. Returns the turn if others came meanwhile.
    fn end(mut self, acts: u64) -> Option<Self> {
        self.over = self.enforcing.0.fetch_sub(acts, Ordering::SeqCst) == acts;
        (!self.over).then_some(self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // It did not end well: the next act shall not wait for a look that does not come.
        if !self.over {
            self.enforcing.0.store(0, Ordering::SeqCst);
        }
    }
}

/// Whoever is banned or removed has to go, as soon as the database says who that is; whoever is in a room that is locked
/// may come back, if they have what they are known by.
pub(super) async fn enforce_moderation(live: Weak<LiveRoom>) {
    let Some(mut turn) = live.upgrade().and_then(|live| live.enforcing.begin()) else { return };
    while let Some(live) = live.upgrade() {
        let acts = turn.acts();
        match disconnect_banned(&live, &live.subscribers()).await {
            Ok(()) => {
                live.hub.looks.enforcing.over();
                match turn.end(acts) {
                    Some(again) => turn = again,
                    None => return,
                }
            }
            Err(error) => {
                live.hub.looks.enforcing.failed(&error);
                drop(live);
                tokio::time::sleep(ENFORCE_RETRY_DELAY).await;
            }
        }
    }
}

/// The same for some of its connections.
pub(super) async fn disconnect_banned(live: &LiveRoom, places: &[Arc<Subscriber>]) -> Result<(), DbErr> {
    let (store, room_id) = (&live.hub.store, live.room.id);
    let mut authors: Vec<AuthorId> = places.iter().map(|place| place.author).collect();
    authors.sort_unstable_by_key(|author| author.to_bytes());
    authors.dedup_by_key(|author| author.to_bytes());
    let standings = store.memberships(room_id, &authors).await?;
    let known: HashMap<[u8; 16], Membership> = authors.iter().map(|author| author.to_bytes()).zip(standings).collect();
    let (locked, owner) = store.lock_and_owner(room_id).await?;
    for place in places {
        let standing = known.get(&place.author.to_bytes()).copied().unwrap_or_default();
        // An owner who is muted by the host speaks all the same.
        let is_owner = owner.as_deref() == Some(place.author.as_bytes());
        place.mute(if is_owner { 0 } else { standing.muted_until });
        if standing.banned_until.is_some() {
            place.disconnect_with(if standing.is_removed() { close::NO_ACCESS } else { close::BANNED });
        }
    }
    if locked {
        let stays = |author: &AuthorId| {
            let standing = known.get(&author.to_bytes()).copied().unwrap_or_default();
            standing.banned_until.is_none() && !standing.member && !author.is_guest()
        };
        authors.retain(stays);
        store.add_members(room_id, &authors).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_looks_for_all_acts_and_once_more_for_those_that_come_meanwhile() {
        let enforcing = Enforcing::default();
        let turn = enforcing.begin().unwrap();
        assert!(enforcing.begin().is_none() && enforcing.begin().is_none(), "somebody looks already");
        let acts = turn.acts();
        assert!(enforcing.begin().is_none());
        let turn = turn.end(acts).expect("one came meanwhile");
        let acts = turn.acts();
        assert!(turn.end(acts).is_none());
        drop(enforcing.begin().expect("nobody looks"));
        assert!(enforcing.begin().is_some(), "also after a look that did not end well");
    }
}
