//! Removal of reactions and pins: with their message, with their author, and those that a node of the previous release
//! has left behind.

use crate::domain::{Emoji, Seq, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::database::chunks::{chunked, pair_in};
use crate::server::store::entity::{event, pin, reaction, reaction_count};
use crate::server::store::{AppendRequest, AppendResult, Locking, NewEvent, NewReaction, Store, StoreError};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Maximum number of reactions removed per transaction, and of an author's reactions per query.
const REACTION_REMOVAL_BATCH: u64 = 500;

/// Maximum number of counts and of pins whose messages are looked up in one sweep.
const STRAY_PAGE: u64 = 10_000;

/// Removes the reactions and the pins of messages that the transaction deletes.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_annotations(
    transaction: &impl ConnectionTrait,
    messages: &[(i64, Seq)],
) -> Result<(), DbErr> {
    for messages in chunked(transaction.get_database_backend(), messages) {
        let reactions = pair_in([reaction::Column::RoomId, reaction::Column::Target], messages);
        reaction::Entity::delete_many().filter(reactions).exec(transaction).await?;
        let counts = pair_in([reaction_count::Column::RoomId, reaction_count::Column::Target], messages);
        reaction_count::Entity::delete_many().filter(counts).exec(transaction).await?;
        let pins = pair_in([pin::Column::RoomId, pin::Column::Seq], messages);
        pin::Entity::delete_many().filter(pins).exec(transaction).await?;
    }
    Ok(())
}

/// Removes the reactions and the pins of a room, in the transaction that deletes it.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_annotations_in(transaction: &impl ConnectionTrait, room_id: i64) -> Result<(), DbErr> {
    reaction::Entity::delete_many().filter(reaction::Column::RoomId.eq(room_id)).exec(transaction).await?;
    forget_counts_and_pins(transaction, room_id, Seq::MAX).await
}

/// Removes the counts and the pins of the messages of a room up to `last`, in the transaction that removes these.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_counts_and_pins(
    transaction: &impl ConnectionTrait,
    room_id: i64,
    last: Seq,
) -> Result<(), DbErr> {
    let counts = reaction_count::Column::RoomId.eq(room_id).and(reaction_count::Column::Target.lte(last));
    reaction_count::Entity::delete_many().filter(counts).exec(transaction).await?;
    let pins = pin::Column::RoomId.eq(room_id).and(pin::Column::Seq.lte(last));
    pin::Entity::delete_many().filter(pins).exec(transaction).await?;
    Ok(())
}

impl Store {
    /// Removes the reactions to the messages of a room up to `last`, which are gone, in small transactions.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_reactions_up_to(&self, room_id: i64, last: Seq) -> Result<(), StoreError> {
        use reaction::Column::{Author, Emoji, RoomId, Target};
        loop {
            let some: Vec<(Seq, String, Vec<u8>)> = reaction::Entity::find()
                .select_only()
                .columns([Target, Emoji, Author])
                .filter(RoomId.eq(room_id).and(Target.lte(last)))
                .order_by_asc(Target)
                .limit(REACTION_REMOVAL_BATCH)
                .into_tuple()
                .all(&self.reader)
                .await?;
            let Some((up_to, ..)) = some.last() else { return Ok(()) };
            // All of one message go together: it has a bounded number of them.
            let gone = RoomId.eq(room_id).and(Target.lte(*up_to));
            reaction::Entity::delete_many().filter(gone).exec(&self.writer).await?;
        }
    }

    /// Ends an author's reactions in a room, each by an event that names neither the author nor the emoji.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn end_reactions(&self, room_id: i64, author: &AuthorId) -> Result<(), StoreError> {
        use reaction::Column::{Author, Emoji as Symbol, RoomId, Target};
        let own = || Author.eq(author.as_bytes()).and(RoomId.eq(room_id));
        loop {
            let some: Vec<(Seq, String)> = reaction::Entity::find()
                .select_only()
                .columns([Target, Symbol])
                .filter(own())
                .order_by_asc(Target)
                .limit(REACTION_REMOVAL_BATCH)
                .into_tuple()
                .all(&self.reader)
                .await?;
            let end = |(target, emoji): &(Seq, String)| {
                let (emoji, username) = (Emoji::from_trusted(emoji.clone()), Username::anonymous());
                let end = NewReaction { target: *target, emoji, on: false, username, is_erasure: true };
                let (id, new_event) = (random::event_id(), NewEvent::React(end));
                AppendRequest { room_id, begins: None, author: *author, id, new_event }
            };
            let ended = self.append(&some.iter().map(end).collect::<Vec<_>>(), Locking::Wait).await?;
            if !ended.iter().any(|ended| matches!(ended, AppendResult::Appended(_))) {
                break;
            }
        }
        // Those of messages that are gone.
        reaction::Entity::delete_many().filter(own()).exec(&self.writer).await?;
        Ok(())
    }

    /// Removes reactions and pins whose message is deleted or gone: a node or a command of the previous release does not
    /// know of them. Looks at a bounded number, and returns whether it removed some.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_stray_annotations(&self) -> Result<bool, StoreError> {
        let message = Alias::new("message");
        let kept = |room_id: Expr, seq: Expr| {
            Query::select()
                .expr(Expr::value(1))
                .from_as(event::Entity, message.clone())
                .and_where(Expr::col((message.clone(), event::Column::RoomId)).eq(room_id))
                .and_where(Expr::col((message.clone(), event::Column::Seq)).eq(seq))
                .and_where(Expr::col((message.clone(), event::Column::DeletedBy)).is_null())
                .take()
        };
        let reacted = |column| Expr::col((reaction::Entity, column));
        let strays: Vec<(i64, Seq)> = reaction::Entity::find()
            .select_only()
            .columns([reaction::Column::RoomId, reaction::Column::Target])
            .distinct()
            .filter(Expr::exists(kept(reacted(reaction::Column::RoomId), reacted(reaction::Column::Target))).not())
            .limit(STRAY_PAGE)
            .into_tuple()
            .all(&self.reader)
            .await?;
        let pinned = |column| Expr::col((pin::Entity, column));
        let unpinned: Vec<(i64, Seq)> = pin::Entity::find()
            .select_only()
            .columns([pin::Column::RoomId, pin::Column::Seq])
            .filter(Expr::exists(kept(pinned(pin::Column::RoomId), pinned(pin::Column::Seq))).not())
            .limit(STRAY_PAGE)
            .into_tuple()
            .all(&self.reader)
            .await?;
        let strays = [strays, unpinned].concat();
        for some in strays.chunks(50) {
            forget_annotations(&self.writer, some).await?;
        }
        Ok(!strays.is_empty())
    }
}
