//! Enforcement of moderation events for the subscribers of a live room on this node.

use super::LiveRoom;
use super::subscriber::Subscriber;
use crate::protocol::close;
use crate::server::auth::identity::AuthorId;
use crate::server::store::{Membership, StoreError};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Delay before retrying after the database did not answer.
const ENFORCE_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Ensures that one task at a time checks a room's subscribers. Events that arrive during a check are covered by one
/// further check.
#[derive(Clone, Default)]
pub(super) struct Enforcing(Arc<AtomicU64>);

impl Enforcing {
    /// Counts an event that is not enforced yet. Returns a turn, or `None` if another task has it.
    fn begin(&self) -> Option<EnforcementLease> {
        (self.0.fetch_add(1, Ordering::SeqCst) == 0).then(|| EnforcementLease { enforcing: self.clone(), over: false })
    }
}

/// The exclusive right to check the subscribers of a room.
struct EnforcementLease {
    enforcing: Enforcing,
    over: bool,
}

impl EnforcementLease {
    /// Returns the number of events that are not enforced yet.
    fn unenforced(&self) -> u64 {
        self.enforcing.0.load(Ordering::SeqCst)
    }

    /// Subtracts the events that were enforced. Returns the turn if further events arrived meanwhile.
    fn end(mut self, unenforced: u64) -> Option<Self> {
        self.over = self.enforcing.0.fetch_sub(unenforced, Ordering::SeqCst) == unenforced;
        (!self.over).then_some(self)
    }
}

impl Drop for EnforcementLease {
    fn drop(&mut self) {
        // The check has panicked or was cancelled: the next event must not wait for it.
        if !self.over {
            self.enforcing.0.store(0, Ordering::SeqCst);
        }
    }
}

/// Disconnects banned and removed subscribers as soon as the database can be read. In a locked room, adds the present
/// authors to the members so that they can reconnect, except guests, who have no persistent identity.
pub(super) async fn enforce_moderation(live: Weak<LiveRoom>) {
    let Some(mut lease) = live.upgrade().and_then(|live| live.enforcing.begin()) else { return };
    while let Some(live) = live.upgrade() {
        let unenforced = lease.unenforced();
        match disconnect_banned(&live, &live.subscribers()).await {
            Ok(()) => {
                live.hub.reconciliation.enforcing.over();
                match lease.end(unenforced) {
                    Some(again) => lease = again,
                    None => return,
                }
            }
            Err(error) => {
                live.hub.reconciliation.enforcing.failed(&error);
                drop(live);
                tokio::time::sleep(ENFORCE_RETRY_DELAY).await;
            }
        }
    }
}

/// Like [`enforce_moderation`], but checks only these subscribers, once.
///
/// # Errors
///
/// Returns an error if the database cannot be read.
pub(super) async fn disconnect_banned(live: &LiveRoom, subscribers: &[Arc<Subscriber>]) -> Result<(), StoreError> {
    let (store, room_id) = (&live.hub.store, live.room.id);
    let mut authors: Vec<AuthorId> = subscribers.iter().map(|subscriber| subscriber.author).collect();
    authors.sort_unstable_by_key(|author| author.to_bytes());
    authors.dedup_by_key(|author| author.to_bytes());
    let memberships = store.memberships(room_id, &authors).await?;
    let known: HashMap<[u8; 16], Membership> =
        authors.iter().map(|author| author.to_bytes()).zip(memberships).collect();
    let (locked, owner) = store.lock_and_owner(room_id).await?;
    for subscriber in subscribers {
        let membership = known.get(&subscriber.author.to_bytes()).copied().unwrap_or_default();
        // An owner can speak even if the host has muted them.
        let is_owner = owner.as_deref() == Some(subscriber.author.as_bytes());
        subscriber.mute(if is_owner { 0 } else { membership.muted_until });
        if membership.banned_until.is_some() {
            subscriber.disconnect_with(if membership.is_removed() { close::NO_ACCESS } else { close::BANNED });
        }
    }
    if locked {
        let stays = |author: &AuthorId| {
            let membership = known.get(&author.to_bytes()).copied().unwrap_or_default();
            membership.banned_until.is_none() && !membership.member && !author.is_guest()
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
        let lease = enforcing.begin().unwrap();
        assert!(enforcing.begin().is_none() && enforcing.begin().is_none(), "somebody looks already");
        let unenforced = lease.unenforced();
        assert!(enforcing.begin().is_none());
        let lease = lease.end(unenforced).expect("one came meanwhile");
        let unenforced = lease.unenforced();
        assert!(lease.end(unenforced).is_none());
        drop(enforcing.begin().expect("nobody looks"));
        assert!(enforcing.begin().is_some(), "also after a look that did not end well");
    }
}
