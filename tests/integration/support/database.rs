//! Direct access to the database, bypassing the server.

use super::client::Frame;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use serde_json::json;

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the database answers")
}

/// Runs one statement.
pub async fn execute(url: &str, sql: &str) {
    let connection = connect(url).await;
    connection.execute_unprepared(sql).await.expect("the statement is sound");
    connection.close().await.expect("connections close");
}

/// The rows that `sql` selects.
pub async fn rows(url: &str, sql: &str) -> Vec<QueryResult> {
    let connection = connect(url).await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect("the statement is sound");
    connection.close().await.expect("connections close");
    rows
}

/// The names of all rooms.
pub async fn room_names(url: &str) -> Vec<String> {
    let rows = rows(url, "SELECT name FROM rooms ORDER BY name").await;
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect()
}

/// Stores the row of a room without messages, as earlier releases did at the first visit.
pub async fn store_room(url: &str, room: &str) {
    execute(url, &format!("INSERT INTO rooms (name, epoch, head, last_at) VALUES ('{room}', 'earlier1', 0, 0)")).await;
}

/// The messages of a room as the database has them, in their order: `seq`, `id` and `message`.
pub async fn messages(url: &str, room: &str) -> Vec<Frame> {
    let sql = format!(
        "SELECT e.seq, e.id, e.text FROM events e JOIN rooms r ON r.id = e.room_id WHERE r.name = '{room}' ORDER BY e.seq"
    );
    let message = |row: &QueryResult| {
        let seq: i64 = row.try_get_by_index(0).expect("a number");
        let id: String = row.try_get_by_index(1).expect("an id");
        let text: String = row.try_get_by_index(2).expect("a text");
        json!({"seq": seq, "id": id, "message": text})
    };
    rows(url, &sql).await.iter().map(message).collect()
}

/// An event of a kind that no release writes, as a node of a later one might append it.
#[derive(Clone, Debug)]
pub struct UnknownEvent<'a> {
    pub id: &'a str,
    /// The number of the message whose author wrote it, and that it refers to.
    pub target: i64,
    pub text: &'a str,
}

/// Appends an event of kind 99 to a room, which has a message. Returns its number.
pub async fn append_unknown(url: &str, room: &str, UnknownEvent { id, target, text }: UnknownEvent<'_>) -> i64 {
    let connection = connect(url).await;
    let sqlite = connection.get_database_backend() == sea_orm::DatabaseBackend::Sqlite;
    let of_room = format!("WHERE r.name = '{room}'");
    // The room is locked first, as every writer does.
    let lock = if sqlite { String::new() } else { format!("SELECT 1 FROM rooms r {of_room} FOR UPDATE;") };
    let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let append = format!(
        "{begin}; {lock} INSERT INTO events
        SELECT r.id, r.head + 1, e.author, '{id}', 99, r.last_at, 'Zoe of 99', {target}, '{text}', NULL, NULL
        FROM rooms r JOIN events e ON e.room_id = r.id AND e.seq = {target} {of_room};
        UPDATE rooms SET head = head + 1 WHERE name = '{room}'; COMMIT"
    );
    connection.execute_unprepared(&append).await.expect("the event is appended");
    connection.close().await.expect("connections close");
    let sql = format!("SELECT e.seq FROM events e JOIN rooms r ON r.id = e.room_id {of_room} AND e.id = '{id}'");
    rows(url, &sql).await[0].try_get_by_index(0).expect("a number")
}

/// The write lock on rooms: nothing can be committed in them until it is released.
pub struct Held(DatabaseConnection);

/// A lock on one room's row in PostgreSQL, as an administrator's session might hold it.
pub async fn hold_room(url: &str, room: &str) -> Held {
    let connection = connect(url).await;
    let lock = format!("BEGIN; SELECT id FROM rooms WHERE name = '{room}' FOR UPDATE");
    connection.execute_unprepared(&lock).await.expect("the lock is free");
    Held(connection)
}

/// Takes it, as another writer might for a while.
pub async fn hold_rooms(url: &str) -> Held {
    let connection = connect(url).await;
    let sqlite = connection.get_database_backend() == sea_orm::DatabaseBackend::Sqlite;
    let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; SELECT id FROM rooms ORDER BY id FOR UPDATE" };
    connection.execute_unprepared(begin).await.expect("the lock is free");
    Held(connection)
}

/// Reads an embedded database as it is now, until it is released.
pub async fn hold_open(url: &str) -> Held {
    let connection = connect(url).await;
    connection.execute_unprepared("BEGIN; SELECT * FROM events LIMIT 1").await.expect("reading is free");
    Held(connection)
}

/// In PostgreSQL, blocks all queries of the holders of names.
pub async fn hold_names(url: &str) -> Held {
    hold(url, "LOCK TABLE names IN ACCESS EXCLUSIVE MODE").await
}

/// In PostgreSQL, holds whatever `lock` takes.
pub async fn hold(url: &str, lock: &str) -> Held {
    let connection = connect(url).await;
    connection.execute_unprepared(&format!("BEGIN; {lock}")).await.expect("the lock is free");
    Held(connection)
}

impl Held {
    /// Runs one more statement, and lets the others write again: they find it done.
    pub async fn commit(self, sql: &str) {
        self.0.execute_unprepared(sql).await.expect("the statement is sound");
        self.0.execute_unprepared("COMMIT").await.expect("the lock is held");
        self.0.close().await.expect("connections close");
    }

    /// Lets the others go on.
    pub async fn release(self) {
        self.0.execute_unprepared("ROLLBACK").await.expect("the lock is held");
        self.0.close().await.expect("connections close");
    }
}
