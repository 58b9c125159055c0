//! The thread that writes SQLite: a message takes one journey to it, however many statements its transaction has.

use crate::support::{Client, Database, Site};

/// Name of the thread.
const THREAD: &str = "sqlite-writer";

/// Number of messages, each sent after the acknowledgement of the one before.
const MESSAGES: usize = 200;

/// Maximum number of times that the thread waits per message. It waits once for the message, and about four times for
/// the disk. Waiting for each of the message's seven statements would make it more than twelve.
const MAX_WAITS: usize = 9;

#[tokio::test]
async fn a_message_is_written_in_one_journey_to_the_database() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("first", "The room begins.").await;
    let before = server.waits_of(THREAD);
    for number in 0..MESSAGES {
        let id = number.to_string();
        assert_eq!(ann.say(&id, "A message.").await["type"], "message");
    }
    let waited = server.waits_of(THREAD) - before;
    assert!(waited <= MAX_WAITS * MESSAGES, "{waited} waits for {MESSAGES} messages");
}
