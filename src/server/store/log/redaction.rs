//! Blanking of edit texts whose message was deleted or has expired. One message may have very many edits, so the
//! deleting transaction blanks only some. It records the rest, which are blanked in small steps afterwards, if
//! necessary by another process.

use super::mentions::forget_mentions;
use crate::domain::Seq;
use crate::server::store::database::chunks::chunked;
use crate::server::store::entity::event::{Column, Entity, Kind, Model};
use crate::server::store::entity::site;
use crate::server::store::{Store, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Select};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Maximum number of edits blanked in the transaction that removes their message.
const MAX_INLINE_REDACTIONS: usize = 1000;

/// Maximum number of remaining edits per query, and per transaction.
const REDACTION_PAGE: u64 = 20_000;
const REDACTION_BATCH: usize = 250;

/// Delay between two such transactions, so that other writers get their turn.
const REDACTION_DELAY: Duration = Duration::from_millis(5);

/// Prefix of the names of the `site` rows that record a message whose edits remain to be blanked.
const PENDING_REDACTION_PREFIX: &str = "redact:";

/// The kinds of events that show no text of the message they refer to.
const WITHOUT_TEXT_OF_TARGET: [Kind; 3] = [Kind::Message, Kind::Deleted, Kind::Moderated];

/// A lock that lets one caller at a time blank the recorded edits.
#[derive(Clone, Default)]
pub(crate) struct RedactionLock(Arc<Mutex<()>>);

/// Points an edited message at its newest text, or blanks all texts of a deleted one. Returns whether there are too
/// many edits to blank in this transaction.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(super) async fn update_target(transaction: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    let message = Column::RoomId.eq(row.room_id).and(Column::Seq.eq(row.target));
    let update = Entity::update_many();
    match row.kind {
        Kind::Message | Kind::Moderated | Kind::Reacted | Kind::Other(_) => return Ok(false),
        Kind::Edited => {
            update.col_expr(Column::EditedBy, Expr::value(row.seq)).filter(message).exec(transaction).await?;
        }
        Kind::Deleted => {
            update
                .col_expr(Column::Text, Expr::value(""))
                .col_expr(Column::DeletedBy, Expr::value(row.seq))
                .filter(message)
                .exec(transaction)
                .await?;
            forget_mentions(transaction, row.room_id, row.target.as_slice()).await?;
            return redact_edits(transaction, row.room_id, row.target.as_slice()).await;
        }
    }
    Ok(false)
}

/// Blanks the edits of these messages. Returns whether some are left to [`Store::redact_pending`].
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn redact_edits(
    transaction: &impl ConnectionTrait,
    room_id: i64,
    targets: &[Seq],
) -> Result<bool, DbErr> {
    let (mut left, mut has_rest) = (MAX_INLINE_REDACTIONS, false);
    for &target in targets {
        let mut found: Vec<Seq> =
            readable_edits(room_id, target).limit(left as u64 + 1).into_tuple().all(transaction).await?;
        if found.len() > left {
            found.truncate(left);
            has_rest = true;
            let name = format!("{PENDING_REDACTION_PREFIX}{room_id}:{target}");
            let rest = site::ActiveModel { name: Set(name), value: Set(Vec::new()) };
            let once = OnConflict::column(site::Column::Name).do_nothing().to_owned();
            site::Entity::insert(rest).on_conflict(once).exec_without_returning(transaction).await?;
        }
        left -= found.len();
        blank(transaction, room_id, &found).await?;
    }
    Ok(has_rest)
}

/// Returns a query for the numbers of a message's edits and reactions that still have a text. Events of an unknown kind
/// that refer to the message count as edits of it; replies do not, and are not even read, however many there are. The
/// literal 0 repeats the condition of the partial index.
pub(crate) fn readable_edits(room_id: i64, target: Seq) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::RoomId.eq(room_id).and(Column::Target.eq(target)))
        .filter(Expr::col(Column::Kind).ne(Expr::cust("0")))
        .filter(Column::Kind.is_not_in(WITHOUT_TEXT_OF_TARGET).and(Column::Text.ne("")))
}

/// Blanks the texts of these events, and removes their mentions.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn blank(transaction: &impl ConnectionTrait, room_id: i64, seqs: &[Seq]) -> Result<(), DbErr> {
    for seqs in chunked(transaction.get_database_backend(), seqs) {
        let these = Column::RoomId.eq(room_id).and(Column::Seq.is_in(seqs.iter().copied()));
        // A reaction without its emoji needs no name.
        let is_reaction = Expr::col(Column::Kind).eq(i16::from(Kind::Reacted));
        let username = Expr::case(is_reaction, Expr::value("")).finally(Expr::col(Column::Username));
        Entity::update_many()
            .col_expr(Column::Text, Expr::value(""))
            .col_expr(Column::Username, username.into())
            .filter(these)
            .exec(transaction)
            .await?;
    }
    forget_mentions(transaction, room_id, seqs).await
}

impl Store {
    /// Blanks the recorded edits in a background task.
    pub(crate) fn schedule_redaction(&self) {
        let store = self.clone();
        tokio::spawn(async move {
            if let Err(error) = store.redact_pending().await {
                tracing::warn!(%error, "Redacting removed texts failed; retrying later");
            }
        });
    }

    /// Blanks the edits that earlier transactions recorded instead of blanking them.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn redact_pending(&self) -> Result<(), StoreError> {
        let _turn = self.redacting.0.lock().await;
        let rest = || site::Entity::find().filter(site::Column::Name.starts_with(PENDING_REDACTION_PREFIX));
        while let Some(row) = rest().one(&self.reader).await? {
            let target_of_row =
                row.name.strip_prefix(PENDING_REDACTION_PREFIX).and_then(|target_of_row| target_of_row.split_once(':'));
            if let Some((Ok(room_id), Ok(target))) =
                target_of_row.map(|(room_id, target)| (room_id.parse(), target.parse()))
            {
                self.redact_all(room_id, target).await?;
            }
            site::Entity::delete_by_id(row.name).exec(&self.writer).await?;
            self.schedule_checkpoint();
        }
        Ok(())
    }

    async fn redact_all(&self, room_id: i64, target: Seq) -> Result<(), StoreError> {
        loop {
            let found: Vec<Seq> =
                readable_edits(room_id, target).limit(REDACTION_PAGE).into_tuple().all(&self.reader).await?;
            if found.is_empty() {
                return Ok(());
            }
            if !self.blank_in_steps(room_id, &found).await? {
                return Ok(());
            }
        }
    }

    /// Blanks the texts of these events in small transactions. Returns `false` if there is no such room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn blank_in_steps(&self, room_id: i64, seqs: &[Seq]) -> Result<bool, StoreError> {
        for chunk in seqs.chunks(REDACTION_BATCH) {
            let Some(transaction) = self.begin_in(room_id).await? else { return Ok(false) };
            blank(&transaction, room_id, chunk).await?;
            transaction.commit().await?;
            tokio::time::sleep(REDACTION_DELAY).await;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, MessageText, RoomName, Username};
    use crate::server::auth::identity::IdentitySigner;
    use crate::server::store::{AppendRequest, Locking, NewEvent};
    use sea_orm::PaginatorTrait;

    /// Returns the number of edits that still have a text.
    async fn readable(store: &Store) -> u64 {
        Entity::find().filter(Column::Text.eq("edited")).count(&store.reader).await.unwrap()
    }

    #[tokio::test]
    async fn of_very_many_edits_some_go_at_once_and_the_rest_in_steps() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/chat.db", directory.path().display())).await.unwrap();
        let room_id = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room.id;
        let author = IdentitySigner::guest();
        let entry = |id: &str, new_event| AppendRequest {
            room_id,
            begins: None,
            author,
            id: EventId::parse(id).unwrap(),
            new_event,
        };
        let text = MessageText::parse("said").unwrap();
        let said = entry("said", NewEvent::message(Username::anonymous(), text));
        store.append(&[said], Locking::Wait).await.unwrap();
        let edits = "INSERT INTO events WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 3001) \
                     SELECT room_id, n, author, 'e' || n, 1, at, '', 1, 'edited', NULL, NULL FROM n, events";
        store.writer.execute_unprepared(edits).await.unwrap();
        store.writer.execute_unprepared("UPDATE rooms SET head = 3001").await.unwrap();
        assert_eq!(readable(&store).await, 3000);

        // Holding the lock keeps the background task from blanking the rest.
        let turn = store.redacting.0.lock().await;
        store.append(&[entry("gone", NewEvent::Delete { target: 1 })], Locking::Wait).await.unwrap();
        assert_eq!(readable(&store).await, 3000 - MAX_INLINE_REDACTIONS as u64);
        for event in store.events_after(room_id, 0, 4000).await.unwrap() {
            assert!(!format!("{:?}", event.body).contains("edited\""), "what is left is shown to nobody: {event:?}");
        }
        drop(turn);
        store.redact_pending().await.unwrap();
        assert_eq!(readable(&store).await, 0);
        let rest = site::Entity::find().filter(site::Column::Name.starts_with(PENDING_REDACTION_PREFIX));
        assert_eq!(rest.count(&store.reader).await.unwrap(), 0);
        store.close().await.unwrap();
    }
}
