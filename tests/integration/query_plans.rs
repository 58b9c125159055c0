//! PostgreSQL plans queries on the log well, even before it has gathered statistics itself.

use crate::support::{Client, Database, Site, database, eventually};

#[tokio::test]
async fn a_fresh_database_soon_knows_how_large_a_room_is() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    database::execute(&site.database_url, "ALTER TABLE events SET (autovacuum_enabled = off)").await;
    let mut client = Client::join(&server, "harbour").await;
    for id in 1..=1500 {
        client.post(&id.to_string(), "the tide table for next week is up").await;
    }
    client.answer_to("1500").await;
    let expected = "SELECT (reltuples >= 1000)::text FROM pg_class WHERE relname = 'events'";
    eventually("the planner knows of a thousand events", async || {
        let rows = database::rows(&site.database_url, expected).await;
        (rows[0].try_get_by_index::<String>(0).expect("an answer") == "true").then_some(())
    })
    .await;
}
