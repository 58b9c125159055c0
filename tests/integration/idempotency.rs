//! A message that is sent any number of times with one id is in the log once.

use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    a_post_sent_a_hundred_times_at_once_takes_one_number,
    the_same_id_with_another_text_is_a_conflict,
    a_repetition_after_kill_9_is_answered_with_the_stored_event,
    an_id_belongs_to_its_author_and_room,
    a_post_without_id_is_a_post_of_its_own_each_time,
    a_trimmed_text_is_the_same_text,
);

/// Every sender's answer, when each sends the same post over a socket of its own, all at once.
async fn at_once(servers: &[&Server], cookie: &str, senders: usize, each: usize) -> Vec<Value> {
    let mut sending = Vec::new();
    for n in 0..senders {
        let server = servers[n % servers.len()];
        let mut client = Door::of("harbour").identity(cookie, server).join(server).await;
        sending.push(tokio::spawn(async move {
            for _ in 0..each {
                client.post("once", "only once").await;
            }
            client.answer_to("once").await
        }));
    }
    let mut answers = Vec::new();
    for sender in sending {
        answers.push(sender.await.expect("every sender is answered"));
    }
    answers
}

async fn is_there_once(site: &Site, answers: &[Value]) {
    assert_eq!(answers[0]["type"], "message", "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "everybody gets the stored event: {answers:?}");
    let stored = database::messages(&site.database_url, "harbour").await;
    assert_eq!(stored, [json!({"seq": answers[0]["seq"], "id": "once", "message": "only once"})]);
}

async fn a_post_sent_a_hundred_times_at_once_takes_one_number(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let answers = at_once(&[&server], &cookie, 10, 10).await;
    is_there_once(&site, &answers).await;
    let mut other = Client::join(&server, "harbour").await;
    assert_eq!(other.say("next", "x").await["seq"], 2, "repetitions take no number");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_sent_to_two_servers_at_once_takes_one_number() {
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.start(), site.start());
    let cookie = http::identity(&one).await;
    let answers = at_once(&[&one, &two], &cookie, 10, 10).await;
    is_there_once(&site, &answers).await;
}

async fn the_same_id_with_another_text_is_a_conflict(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let first = client.say("a", "one").await;
    let refused = client.say("a", "two").await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("rejected"), &json!("id_conflict")), "{refused}");
    assert_eq!(client.say("a", "one").await, first);
    // Both in one batch: one is stored, the other refused.
    client.post("b", "one").await;
    client.post("b", "two").await;
    let answers = [client.next().await, client.next().await];
    let kinds: Vec<_> = answers.iter().map(|answer| answer["type"].as_str().expect("a type")).collect();
    assert!(kinds.contains(&"message") && kinds.contains(&"rejected"), "{answers:?}");
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 2);
}

async fn a_repetition_after_kill_9_is_answered_with_the_stored_event(site: Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    let mut client = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let first = client.say("a", "one").await;
    server.kill();
    let server = site.start();
    let mut client = Door::of("harbour").after(0).identity(&cookie, &server).join(&server).await;
    assert_eq!(client.expect_message("one").await, first);
    assert_eq!(client.say("a", "one").await, first);
    assert_eq!(client.say("a", "two").await["code"], "id_conflict");
    assert_eq!(client.say("b", "two").await["seq"], 2);
}

async fn an_id_belongs_to_its_author_and_room(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let mut bob = Client::join(&server, "harbour").await;
    assert_eq!(ann.say("a", "from Ann").await["seq"], 1);
    bob.expect_message("from Ann").await;
    assert_eq!(bob.say("a", "from Bob").await["seq"], 2);
    let mut elsewhere = Door::of("tavern").identity(&cookie, &server).join(&server).await;
    assert_eq!(elsewhere.say("a", "something else").await["seq"], 1);
}

async fn a_post_without_id_is_a_post_of_its_own_each_time(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    for seq in 1..=3 {
        client.send(json!({"message": "again"})).await;
        assert_eq!(client.expect_message("again").await["seq"], seq);
    }
}

async fn a_trimmed_text_is_the_same_text(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let first = client.say("a", "one\ntwo").await;
    assert_eq!(client.say("a", "  one\r\ntwo ").await, first);
}
