//! Every writer in a room locks its row first, so that no two deadlock. It writes only the columns that it changes, so
//! that it does not revert a concurrent admission.

use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

/// Delays writers of standings before the database checks the foreign key to the room.
const SLOWLY: &str = r#"
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
    CREATE TRIGGER "A_slowly" AFTER INSERT OR UPDATE ON standings FOR EACH ROW EXECUTE FUNCTION slowly();"#;

const AS_IF_THEY_HAD_JUST_COME: &str = "
    SELECT id FROM rooms FOR UPDATE;
    UPDATE standings SET member = false, spoke_at = 0;
    UPDATE events SET author = (SELECT owner FROM rooms);
    UPDATE rooms SET locked = false;";

async fn deadlocks(site: &Site) -> i64 {
    let count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    database::rows(&site.database_url, count).await[0].try_get_by_index(0).expect("a number")
}

async fn members(site: &Site) -> usize {
    database::rows(&site.database_url, "SELECT 1 FROM standings WHERE member").await.len()
}

async fn moderate(client: &mut Client, id: &str, mut act: Value) {
    act["type"] = json!("moderate");
    act["id"] = json!(id);
    client.send(act).await;
    assert_eq!(client.answer_to(id).await["type"], "moderated");
}

async fn enter(server: &Server) -> Client {
    let cookie = http::identity(server).await;
    Door::of("harbour").identity(&cookie, server).join(server).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_posts_and_invitations_do_not_deadlock() {
    const PEOPLE: usize = 6;
    const ROUNDS: usize = 12;
    let site = Site::new(Database::Postgres).await;
    let (server, beside) = (site.start(), site.start());
    let mut owner = enter(&server).await;
    owner.say("mine", "mine").await;
    moderate(&mut owner, "slow", json!({"action": "slow_mode", "seconds": 1})).await;
    database::execute(&site.database_url, SLOWLY).await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(enter(if n % 2 == 0 { &server } else { &beside }).await);
    }
    for round in 0..ROUNDS {
        // There are no members, and only the owner has posted: only the visitors who are connected will be admitted.
        database::execute(&site.database_url, AS_IF_THEY_HAD_JUST_COME).await;
        let talk = async {
            for (n, client) in people.iter_mut().enumerate() {
                client.post(&format!("{round}-{n}"), "talking").await;
            }
            for (n, client) in people.iter_mut().enumerate() {
                let answer = client.answer_to(&format!("{round}-{n}")).await;
                assert_eq!(answer["type"], "message", "{answer}");
            }
        };
        let id = format!("lock{round}");
        tokio::join!(moderate(&mut owner, &id, json!({"action": "lock"})), talk);
        eventually("everybody was let in", || async { (members(&site).await > PEOPLE).then_some(()) }).await;
    }
    assert_eq!(deadlocks(&site).await, 0);
    for server in [&server, &beside] {
        assert!(!server.log().contains("deadlock"), "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_writes_only_what_it_changes_of_how_somebody_stands() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let mut owner = enter(&server).await;
    owner.say("mine", "mine").await;
    moderate(&mut owner, "slow", json!({"action": "slow_mode", "seconds": 1})).await;
    let mut bob = enter(&server).await;
    bob.say("first", "x").await;
    database::execute(&site.database_url, "UPDATE standings SET spoke_at = 0").await;
    // As a node of a release before lets him in: without the lock on the room. The batch has looked him up by then.
    let held = database::hold(&site.database_url, "UPDATE standings SET member = true").await;
    bob.post("second", "x").await;
    eventually("the batch waits to write how he stands", || async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO \"standings\"%'";
        (!database::rows(&site.database_url, waiting).await.is_empty()).then_some(())
    })
    .await;
    held.commit("SELECT 1").await;
    assert_eq!(bob.answer_to("second").await["type"], "message");
    let forgotten = "SELECT 1 FROM standings WHERE NOT member";
    assert!(database::rows(&site.database_url, forgotten).await.is_empty(), "the batch wrote over a membership");
}
