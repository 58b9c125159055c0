//! Rooms, looked up by name with the newest number of each. `vacant` derives a room that has no row.

use crate::domain::history::Ownership;
use crate::domain::{AuthorTag, Epoch, RoomKey, RoomName, RoomText, Seq};
use crate::server::auth::identity::{AuthorId, tag_of};
use crate::server::random;
use crate::server::store::entity::{event, room};
use crate::server::store::{RetentionPolicy, Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, SelectModel, Selector,
    sea_query::{Expr, ExprTrait, Query},
};

/// The identity of a room: its id, name and epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomRef {
    pub(crate) id: i64,
    pub(crate) name: RoomName,
    pub(crate) epoch: Epoch,
}

/// A room with its settings and the extent of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomRecord {
    pub(crate) room: RoomRef,
    /// Newest number of the room's log.
    pub(crate) head: Seq,
    /// Oldest number that the log still holds; 0 if it holds none.
    pub(crate) first: Seq,
    owner: Option<Vec<u8>>,
    /// Of a private room: the key that admits visitors who are not members.
    invitation: Option<RoomKey>,
    /// Whether only members may enter.
    pub(crate) locked: bool,
    /// Minimum time between two messages of a participant, in seconds; 0 without slow mode.
    pub(crate) slow_mode: u32,
    /// Whether memberships must be looked up, because the room is private or its log has moderation events.
    pub(crate) moderated: bool,
    /// Title, if it is not the room's name.
    title: Option<String>,
    /// Topic, if there is one.
    pub(crate) topic: Option<String>,
    /// Retention as the host has set it.
    pub(crate) keep: RetentionPolicy,
    /// Retention as the owner has set it, in days.
    pub(crate) retention: Option<u32>,
    /// Whether reactions and pins must be looked up.
    pub(crate) annotated: bool,
    /// Number of erasures of authors who were in the room.
    pub(crate) erasures: i64,
    /// End of the visitor's mute, in UTC milliseconds; 0 if the visitor is not muted.
    pub(crate) muted_until: i64,
}

impl RoomRecord {
    /// Returns a room that has no row yet.
    pub(crate) fn vacant(room: RoomRef) -> Self {
        Self {
            room,
            head: 0,
            first: 0,
            owner: None,
            invitation: None,
            locked: false,
            slow_mode: 0,
            moderated: false,
            title: None,
            topic: None,
            keep: RetentionPolicy::Default,
            retention: None,
            annotated: false,
            erasures: 0,
            muted_until: 0,
        }
    }

    /// Returns the tag of the owner, if the room has one.
    pub(crate) fn owner_tag(&self) -> Option<AuthorTag> {
        self.owner.as_deref().map(tag_of)
    }

    /// Returns the room's ownership as seen by `author`.
    pub(crate) fn ownership(&self, author: &AuthorId) -> Ownership {
        match &self.owner {
            None => Ownership::Unowned,
            Some(owner) if owner == author.as_bytes() => Ownership::Own,
            Some(_) => Ownership::Other,
        }
    }

    /// Returns the title that visitors see.
    pub(crate) fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(self.room.name.title())
    }

    /// Returns the title, or `None` if it is the room's name.
    pub(crate) fn own_title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns whether a visitor who is not a member may enter with the key `brought`: a private room requires its
    /// invitation.
    pub(crate) fn invites(&self, brought: Option<RoomKey>) -> bool {
        !self.locked && (!self.room.name.is_private() || self.invitation.is_some() && self.invitation == brought)
    }

    /// Returns the path and query that invite others. A private room's own path is an invitation until the invitation
    /// is renewed.
    pub(crate) fn invitation(&self) -> String {
        let path = self.room.name.path();
        match self.invitation.filter(|invitation| self.room.name.key() != Some(*invitation)) {
            Some(invitation) => format!("{path}?invitation={invitation}"),
            None => path,
        }
    }
}

impl Store {
    /// Returns the room of this name and the head of its log, or `None` if it has no row.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn room(&self, name: &RoomName) -> Result<Option<RoomRecord>, StoreError> {
        // A reused look-up would answer strangers sooner if a private room exists, because its members look it up.
        let is_reusable = !name.is_private();
        if is_reusable && let Some(found) = self.lookups.get(name) {
            return Ok(found);
        }
        let (reader, lookups, wanted) = (self.reader.clone(), self.lookups.clone(), name.clone());
        let query = move || {
            let (reader, lookups, wanted) = (reader.clone(), lookups.clone(), wanted.clone());
            async move {
                let state = lookups.state().filter(|_| is_reusable);
                let found =
                    timed("room", by_names(std::slice::from_ref(&wanted)).one(&reader)).await?.map(RoomRecord::from);
                lookups.put(&wanted, state, &found);
                Ok(found)
            }
        };
        self.found.try_run(name, query).await
    }

    /// Returns those of these rooms that have a row.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms(&self, names: &[RoomName]) -> Result<Vec<RoomRecord>, StoreError> {
        let found = timed("rooms", by_names(names).all(&self.reader)).await?;
        Ok(found.into_iter().map(RoomRecord::from).collect())
    }

    /// Creates a private room, which belongs to `owner`, and returns its name. `typed` is its title as the owner has typed
    /// it, and `title` the part of the address.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn create_private_room(
        &self,
        title: &RoomName,
        typed: Option<&RoomText>,
        owner: &AuthorId,
    ) -> Result<RoomName, StoreError> {
        let key = RoomKey::new(random::bits());
        let name = title.with_key(key);
        let typed = typed.and_then(RoomText::non_empty).filter(|typed| *typed != title.as_str());
        let new = room::ActiveModel {
            title: Set(typed.map(str::to_owned)),
            title_by: Set(typed.map(|_| owner.as_bytes().to_vec())),
            owner: Set(Some(owner.as_bytes().to_vec())),
            moderated: Set(true),
            invitation: Set(Some(key.to_string())),
            ..new(&name)
        };
        room::Entity::insert(new).exec_without_returning(&self.writer).await?;
        Ok(name)
    }

    /// Returns whether the author owns the room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn owns(&self, room_id: i64, author: &AuthorId) -> Result<bool, StoreError> {
        let row = room::Entity::find_by_id(room_id).one(&self.reader).await?;
        Ok(row.is_some_and(|row| row.owner.as_deref() == Some(author.as_bytes())))
    }

    /// Returns whether only members may enter this room, and its owner as stored, if any.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn lock_and_owner(&self, room_id: i64) -> Result<(bool, Option<Vec<u8>>), StoreError> {
        let row = room::Entity::find_by_id(room_id).one(&self.reader).await?;
        Ok(row.map_or((false, None), |row| (row.locked, row.owner)))
    }
}

/// A room's row, and the oldest number of its log.
#[derive(FromQueryResult)]
struct RoomRow {
    #[sea_orm(nested)]
    room: room::Model,
    first: Option<Seq>,
}

fn by_names(names: &[RoomName]) -> Selector<SelectModel<RoomRow>> {
    let of_room = Expr::col((event::Entity, event::Column::RoomId)).equals((room::Entity, room::Column::Id));
    let first = Query::select().expr(event::Column::Seq.min()).from(event::Entity).and_where(of_room).take();
    room::Entity::find()
        .filter(room::Column::Name.is_in(names.iter().map(RoomName::as_str)))
        .expr_as(Expr::SubQuery(None, Box::new(first.into())), "first")
        .into_model()
}

impl From<RoomRow> for RoomRecord {
    fn from(RoomRow { room: row, first }: RoomRow) -> Self {
        Self {
            room: RoomRef { id: row.id, name: RoomName::from_trusted(row.name), epoch: Epoch(row.epoch) },
            head: row.head,
            first: first.unwrap_or_default(),
            owner: row.owner,
            invitation: row.invitation.as_deref().and_then(RoomKey::parse),
            locked: row.locked,
            slow_mode: row.slow_mode.try_into().unwrap_or_default(),
            moderated: row.moderated,
            title: row.title,
            topic: row.topic,
            keep: RetentionPolicy::from_column(row.keep_days),
            retention: row.retention.and_then(|days| days.try_into().ok()),
            annotated: row.annotated,
            erasures: row.erasures,
            muted_until: 0,
        }
    }
}

pub(crate) fn new(name: &RoomName) -> room::ActiveModel {
    room::ActiveModel {
        name: Set(name.as_str().to_owned()),
        epoch: Set(new_epoch()),
        head: Set(0),
        last_at: Set(0),
        owner: Set(None),
        slow_mode: Set(0),
        locked: Set(false),
        moderated: Set(false),
        ..Default::default()
    }
}

/// Returns eight random characters.
pub(crate) fn new_epoch() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..8].to_owned()
}
