//! An event of a room's log. Only the oldest rows are ever removed, so that numbers have no gaps; a deletion blanks
//! `text`.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ArrayType, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, QueryResult, TryGetError, TryGetable, Value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The author's identity: 16 bytes of a hash.
    pub author: Vec<u8>,
    /// Id that the author gave the event: unique per room and author.
    pub id: String,
    pub kind: Kind,
    /// Time of the event, in UTC milliseconds.
    pub at: i64,
    pub username: String,
    /// Number of the message that an edit, a deletion, a moderation action or a reaction refers to, or that a message
    /// replies to.
    pub target: Option<i64>,
    /// Text as sent. Edits leave it unchanged, a deletion blanks it.
    pub text: String,
    /// Of a message: the number of the event with its newest text.
    pub edited_by: Option<i64>,
    /// Of a message: the number of the event that deleted it.
    pub deleted_by: Option<i64>,
}

/// The kind of an event. A later version may have written kinds that this one does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    Edited,
    Deleted,
    /// Its text is the moderation action as JSON.
    Moderated,
    /// Its text is `+` or `-` and the emoji; empty if its message or its author was removed.
    Reacted,
    /// A kind that this version does not know.
    Other(i16),
}

impl Kind {
    /// The kinds that this version knows.
    pub const KNOWN: [Self; 5] = [Self::Message, Self::Edited, Self::Deleted, Self::Moderated, Self::Reacted];
}

impl From<i16> for Kind {
    fn from(number: i16) -> Self {
        match number {
            0 => Self::Message,
            1 => Self::Edited,
            2 => Self::Deleted,
            3 => Self::Moderated,
            4 => Self::Reacted,
            _ => Self::Other(number),
        }
    }
}

impl From<Kind> for i16 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Message => 0,
            Kind::Edited => 1,
            Kind::Deleted => 2,
            Kind::Moderated => 3,
            Kind::Reacted => 4,
            Kind::Other(number) => number,
        }
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self::SmallInt(Some(kind.into()))
    }
}

impl TryGetable for Kind {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        i16::try_get_by(row, index).map(Self::from)
    }
}

impl ValueType for Kind {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <i16 as ValueType>::try_from(value).map(Self::from)
    }

    fn type_name() -> String {
        "Kind".to_owned()
    }

    fn array_type() -> ArrayType {
        i16::array_type()
    }

    fn column_type() -> ColumnType {
        i16::column_type()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_kind_and_keeps_its_value() {
        for number in [i16::MIN, -1, 0, 1, 2, 3, 4, 5, 99, i16::MAX] {
            let kind = Kind::from(number);
            assert_eq!(i16::from(kind), number);
            assert_eq!(Kind::KNOWN.contains(&kind), !matches!(kind, Kind::Other(_)), "{number}");
        }
    }
}
