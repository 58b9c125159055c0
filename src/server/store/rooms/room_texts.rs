//! Title, topic and retention of a room, in the transaction of the action that sets them. A text that is replaced is
//! blanked in the log, so that one version of it exists at a time.

use crate::domain::moderation::{DAY_SECONDS, Moderation, ModerationAction};
use crate::domain::{RoomText, Seq, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::event::{Column, Entity};
use crate::server::store::entity::room;
use crate::server::store::{AppendResult, NewEvent, Store, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// The event of a text that another has replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReplacedText {
    room_id: i64,
    seq: Seq,
    action: ModerationAction,
}

impl ReplacedText {
    /// Blanks the text.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn blank(self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let blank = serde_json::to_string(&Moderation::new(self.action)).expect("an act is plain data");
        let event = Column::RoomId.eq(self.room_id).and(Column::Seq.eq(self.seq));
        Entity::update_many().col_expr(Column::Text, Expr::value(blank)).filter(event).exec(transaction).await?;
        Ok(())
    }
}

/// Applies the action to the room's row, and adds its values to `done`. `seq` is the number of its event. Returns the
/// text that it replaces, if there is one.
pub(crate) fn apply(
    room: &mut room::Model,
    author: &AuthorId,
    (seconds, text): (Option<u32>, Option<&RoomText>),
    seq: Seq,
    done: &mut Moderation,
) -> Option<ReplacedText> {
    let action = done.action;
    if action == ModerationAction::Retention {
        let days = seconds.unwrap_or_default() / DAY_SECONDS;
        room.retention = i32::try_from(days).ok().filter(|days| *days > 0);
        done.seconds = Some(days * DAY_SECONDS);
    }
    let text = text.filter(|_| action.has_text())?;
    done.text = Some(text.as_str().to_owned());
    let shown = text.non_empty().map(str::to_owned);
    let by = shown.as_ref().map(|_| author.as_bytes().to_vec());
    let before = if action == ModerationAction::Title {
        (room.title, room.title_by) = (shown, by);
        room.title_seq.replace(seq)
    } else {
        (room.topic, room.topic_by) = (shown, by);
        room.topic_seq.replace(seq)
    };
    before.map(|seq| ReplacedText { room_id: room.id, seq, action })
}

impl Store {
    /// Returns the rooms whose title or topic is by this author.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_described_by(&self, author: &AuthorId) -> Result<Vec<i64>, StoreError> {
        use room::Column::{Id, TitleBy, TopicBy};
        let own = Condition::any().add(TitleBy.eq(author.as_bytes())).add(TopicBy.eq(author.as_bytes()));
        let ids = room::Entity::find().select_only().column(Id).filter(own);
        Ok(ids.into_tuple().all(&self.reader).await?)
    }

    /// Returns the title and the topic of a room, if it has them, of one author or of all.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn description(
        &self,
        room_id: i64,
        author: Option<&AuthorId>,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        let Some(row) = room::Entity::find_by_id(room_id).one(&self.reader).await? else { return Ok((None, None)) };
        let is_wanted = |by: Option<Vec<u8>>| author.is_none_or(|author| by.as_deref() == Some(author.as_bytes()));
        Ok((row.title.filter(|_| is_wanted(row.title_by)), row.topic.filter(|_| is_wanted(row.topic_by))))
    }

    /// Removes the titles and topics by this author, each by an event of the log.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn remove_descriptions_by(&self, author: &AuthorId) -> Result<(), StoreError> {
        for id in self.rooms_described_by(author).await? {
            let Some(row) = room::Entity::find_by_id(id).one(&self.reader).await? else { continue };
            let is_own = |by: &Option<Vec<u8>>| by.as_deref() == Some(author.as_bytes());
            for (action, by) in [(ModerationAction::Title, &row.title_by), (ModerationAction::Topic, &row.topic_by)] {
                if is_own(by) {
                    let text = Some(RoomText::default());
                    let removal = NewEvent::Moderate {
                        action,
                        subject: None,
                        seconds: None,
                        text,
                        username: Username::anonymous(),
                    };
                    if let AppendResult::Rejected(rejection) = self.append_as_host(id, removal).await? {
                        tracing::warn!(room = id, %rejection, "Removing a text of a room failed");
                    }
                }
            }
        }
        Ok(())
    }
}
