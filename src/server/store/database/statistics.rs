//! Statistics of the log for the query planners. Without them, planners assume few rows per room, and would read a
//! whole room to find one id.
//!
//! SQLite gets fixed statistics: <https://sqlite.org/fileformat2.html#stat1tab>. PostgreSQL must analyze the table. Its
//! own schedule does that once a minute, when a room may already be large.

use super::write_connection::WriteConnection;
use crate::server::store::Store;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Minimum number of events that this process must have appended before it analyzes the log. After that it does so each
/// time that the number has grown tenfold.
const ANALYZE_THRESHOLD: usize = 1000;

/// The number of events that this process has appended.
#[derive(Clone, Default)]
pub(crate) struct AppendCounter(Arc<AtomicUsize>);

impl Store {
    /// Counts appended events. Lets PostgreSQL analyze the log when the number reaches the next power of ten.
    pub(crate) fn record_appends(&self, events: usize) {
        let before = self.growth.0.fetch_add(events, Ordering::Relaxed);
        let after = before + events;
        let WriteConnection::Postgres(pool) = &self.writer else { return };
        if after >= ANALYZE_THRESHOLD && after.ilog10() > before.max(1).ilog10() {
            // Without a timeout, because no caller waits for it.
            let writer = pool.connection().clone();
            tokio::spawn(async move {
                if let Err(error) = writer.execute_unprepared("ANALYZE events").await {
                    tracing::warn!(%error, "Analyzing the log table failed");
                }
            });
        }
    }
}

/// Numbers of rows in the table, per room, and per further index column. The statistics say that messages are few among
/// the events because that holds in the rooms where it matters: there the index of messages is worth a second lookup
/// per row.
const SEED_STATISTICS: &str = "
    ANALYZE site;
    DELETE FROM sqlite_stat1 WHERE tbl = 'events';
    INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
        ('events', 'events', '1000000 10000 1'),
        ('events', 'events_once', '1000000 10000 1 1'),
        ('events', 'events_changes', '100000 1000 10'),
        ('events', 'events_edits', '10000 100 2'),
        ('events', 'events_messages', '100000 1000 1');
    ANALYZE sqlite_schema;";

/// Writes the statistics, so that connections opened from now on expect large rooms.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn seed_statistics(writer: &DatabaseConnection) -> Result<(), DbErr> {
    writer.execute_unprepared(SEED_STATISTICS).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::server::auth::identity::AuthorId;
    use crate::server::store::Store;
    use crate::server::store::database::chunks::pair_in;
    use crate::server::store::entity::event::{Column, Entity, Kind};
    use crate::server::store::entity::name;
    use crate::server::store::log::history::{PageDirection, messages, unread};
    use crate::server::store::log::mentions::unread_mentions;
    use crate::server::store::log::redaction::readable_edits;
    use sea_orm::{
        ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryTrait, Statement, sea_query::ExprTrait,
    };

    async fn plan(store: &Store, query: impl QueryTrait) -> String {
        explain(store, query.build(DbBackend::Sqlite)).await
    }

    async fn explain(store: &Store, Statement { sql, values, .. }: Statement) -> String {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let explain = Statement::from_sql_and_values(DbBackend::Sqlite, explain, values.expect("values"));
        let mut plan = String::new();
        let [read, written] = [store.reader.query_all_raw(explain.clone()), store.writer.query_all_raw(explain)];
        for row in [read.await.expect("a plan"), written.await.expect("a plan")].iter().flatten() {
            plan += &row.try_get_by::<String, _>("detail").expect("a line");
            plan += "\n";
        }
        plan
    }

    #[tokio::test]
    async fn nothing_reads_a_whole_room() {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite://{}/chat.db", directory.path().display());
        for _ in 0..2 {
            let store = Store::open(&url).await.expect("a store");
            for count in [1, 2, 256] {
                let ids: Vec<_> = (0..count).map(|number| (number % 3, format!("id{number}"))).collect();
                let known = plan(&store, Entity::find().filter(pair_in([Column::RoomId, Column::Id], &ids))).await;
                assert!(known.contains("events_once (room_id=? AND id=?)"), "{known}");
                assert!(!known.contains("SCAN events") && !known.contains("(room_id=?)"), "{known}");
                let names = name::Entity::find();
                let names = names.filter(pair_in([name::Column::RoomId, name::Column::Skeleton], &ids));
                let names = plan(&store, names).await;
                assert!(names.contains("(room_id=? AND skeleton=?)") && !names.contains("SCAN names"), "{names}");
            }
            let edits = Column::RoomId.eq(1).and(Column::Kind.eq(Kind::Edited)).and(Column::Target.eq(7));
            let blanked = plan(&store, Entity::find().filter(edits)).await;
            assert!(blanked.contains("events_changes (room_id=? AND target=?)"), "{blanked}");
            let readable = plan(&store, readable_edits(1, 7)).await;
            assert!(readable.contains("events_edits (room_id=? AND target=?)"), "replies are not read: {readable}");
            let mentions = explain(&store, DbBackend::Sqlite.build(&unread_mentions(1, 7, &AuthorId::HOST))).await;
            assert!(mentions.contains("mentions_by_author (author=? AND room_id=? AND message>?)"), "{mentions}");
            assert!(!mentions.contains("SCAN mentions") && !mentions.contains("SCAN message"), "{mentions}");
            let before = Entity::find().filter(Column::RoomId.eq(1)).filter(Column::Seq.lt(9000));
            let before = plan(&store, before).await;
            assert!(before.contains("PRIMARY KEY (room_id=? AND seq<?)"), "{before}");
            for (messages, found) in [
                (messages(1, Column::Seq.lt(9000), PageDirection::Back, 51), "seq<?"),
                (messages(1, Column::Seq.gte(9000), PageDirection::Forward, 51), "seq>?"),
                (
                    messages(1, Column::Seq.gt(9000), PageDirection::Forward, 500).filter(Column::DeletedBy.is_null()),
                    "seq>?",
                ),
            ] {
                let messages = plan(&store, messages).await;
                assert!(messages.contains(&format!("INDEX events_messages (room_id=? AND {found})")), "{messages}");
            }
            let unread = explain(&store, DbBackend::Sqlite.build(&unread(1, 7, &AuthorId::HOST))).await;
            assert!(unread.contains("events_messages (room_id=? AND seq>?)"), "{unread}");
            store.close().await.expect("closed");
        }
    }
}
