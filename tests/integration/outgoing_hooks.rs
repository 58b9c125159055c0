//! Outgoing webhooks: a real server, a real receiver, and everything that may fail between them.

use crate::support::caddy::Caddy;
use crate::support::hooks::{create_outgoing, hooked, listed, numbers, try_now};
use crate::support::host::on_each_database;
use crate::support::receiver::{NO_ANSWER, Receiver};
use crate::support::{Client, Database, Server, Site, database, eventually, tempdir};
use serde_json::json;
use std::time::Instant;

on_each_database!(
    events_are_delivered_in_order_and_signed,
    a_text_that_was_deleted_meanwhile_is_blank,
    a_receiver_that_does_not_answer_delays_no_other,
    a_server_that_stops_ends_its_deliveries,
    without_the_setting_nothing_is_delivered,
    hooks_that_nobody_can_end_any_more_are_removed,
);

async fn events_are_delivered_in_order_and_signed(site: Site) {
    let receiver = Receiver::start(200).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("before", "before the hook").await;
    let (id, secret) = create_outgoing(&site, "harbour", &receiver.url());
    ann.say("a", "naïve 😀").await;
    ann.send(json!({"type": "edit", "id": "b", "target": 2, "text": "better"})).await;
    ann.send(json!({"type": "delete", "id": "c", "target": 1})).await;
    for n in 5..=120 {
        ann.post(&format!("m{n}"), &format!("number {n}")).await;
    }
    let taken = receiver.taken_up_to(120).await;
    assert_eq!(numbers(&taken), (2..=120).collect::<Vec<_>>(), "in order, from the hook's creation on");
    let frame = json!({"type": "message", "seq": 2, "id": "a", "message": "naïve 😀"});
    for (name, value) in frame.as_object().expect("an object") {
        assert_eq!(&taken[0][name], value);
    }
    assert_eq!((&taken[1]["type"], &taken[2]["type"]), (&json!("edited"), &json!("deleted")));
    let epoch = ann.welcome["epoch"].as_str().expect("an epoch");
    for delivery in receiver.deliveries() {
        delivery.verify(&secret);
        let (body, events) = (delivery.json(), numbers(&delivery.events()));
        assert_eq!((&body["room"], &body["epoch"]), (&json!("harbour"), &json!(epoch)));
        let (first, last) = (events[0], events[events.len() - 1]);
        assert_eq!(delivery.id(), format!("{id}.{epoch}.{first}-{last}"));
    }
    let hooks = listed(&site);
    assert_eq!((&hooks[0]["id"], &hooks[0]["failing_since"]), (&json!(id), &json!(null)), "{hooks:?}");
    assert!(site.command(&["hook", "revoke", &id]).0);
    ann.say("after", "after the hook").await;
    assert!(!site.command(&["hook", "revoke", &id]).0, "it has ended already");
    assert_eq!(receiver.taken_up_to(120).await.len(), 119);
}

async fn a_text_that_was_deleted_meanwhile_is_blank(site: Site) {
    let receiver = Receiver::start(500).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    // The receiver refuses it first, and is not asked again until the text is gone.
    ann.say("1", "harmless").await;
    receiver.requests(1).await;
    ann.say("2", "regretted").await;
    ann.send(json!({"type": "delete", "id": "3", "target": 3})).await;
    ann.answer_to("3").await;
    receiver.answer(200);
    try_now(&site).await;
    let taken = receiver.taken_up_to(4).await;
    let told: Vec<_> = taken.iter().map(|event| (event["type"].clone(), event["message"].clone())).collect();
    assert_eq!(told[0], (json!("message"), json!("harmless")));
    assert_eq!(told[1], (json!("message"), json!("")));
    assert_eq!(told[2].0, json!("deleted"));
}

async fn a_receiver_that_does_not_answer_delays_no_other(site: Site) {
    let (dead, well) = (Receiver::start(NO_ANSWER).await, Receiver::start(200).await);
    let site = hooked(&site, &[&dead, &well]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hooks").await;
    for _ in 0..5 {
        create_outgoing(&site, "harbour", &dead.url());
    }
    create_outgoing(&site, "harbour", &well.url());
    ann.say("1", "to all").await;
    well.taken_up_to(2).await;
    dead.requests(5).await;
    ann.say("2", "to the one that answers").await;
    well.taken_up_to(3).await;
    assert_eq!(dead.taken().len(), 0);
}

async fn a_server_that_stops_ends_its_deliveries(site: Site) {
    let receiver = Receiver::start(NO_ANSWER).await;
    let site = hooked(&site, &[&receiver]);
    let mut server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    ann.say("1", "in flight").await;
    receiver.requests(1).await;
    receiver.answer(200);
    server.stop();
    assert!(!server.log().contains("did not close"), "{}", server.log());
    let _server = site.start();
    assert_eq!(numbers(&receiver.taken_up_to(2).await), [2], "the next server needs to wait for no lease");
}

async fn without_the_setting_nothing_is_delivered(site: Site) {
    let receiver = Receiver::start(200).await;
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    let allowed = site.with_flags(&["--webhook-hosts", &receiver.addr.to_string()]);
    let (well, said) = allowed.command(&["hook", "create", "harbour", "CI", "--to", &receiver.url()]);
    assert!(well && said.contains("--outgoing-webhooks on"), "{said}");
    ann.say("1", "stays here").await;
    for url in ["http://127.0.0.1/", "https://127.1/", "https://[::1]/", "https://localhost/", "ci.example.com"] {
        let (well, said) = site.command(&["hook", "create", "harbour", "CI", "--to", url]);
        assert!(!well && said.contains("address"), "{url}: {said}");
    }
    drop(server);
    let server = hooked(&site, &[&receiver]).start();
    assert_eq!(numbers(&receiver.taken_up_to(2).await), [2], "it is the first delivery");
    drop(server);
}

async fn hooks_that_nobody_can_end_any_more_are_removed(site: Site) {
    let receiver = Receiver::start(200).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    for room in ["harbour", "tavern"] {
        Client::join(&server, room).await.say("0", "before the hook").await;
        assert!(site.command(&["hook", "create", room, "in"]).0);
        create_outgoing(&site, room, &receiver.url());
    }
    drop(server);
    // As a node of the previous release deletes a room.
    let gone = "(SELECT id FROM rooms WHERE name = 'harbour')";
    for table in ["events", "names", "standings"] {
        database::execute(&site.database_url, &format!("DELETE FROM {table} WHERE room_id IN {gone}")).await;
    }
    database::execute(&site.database_url, "DELETE FROM rooms WHERE name = 'harbour'").await;
    let rows = async || {
        let both = "SELECT room_id FROM incoming_hooks UNION ALL SELECT room_id FROM outgoing_hooks";
        database::rows(&site.database_url, both).await.len()
    };
    assert_eq!(rows().await, 4);
    let server = site.start();
    eventually("the hooks of the room are gone", || async { (rows().await == 2).then_some(()) }).await;
    drop(server);
    database::execute(&site.database_url, "UPDATE outgoing_hooks SET ended_at = 1700000000000").await;
    let _server = site.start();
    eventually("the hook that ended long ago is gone", || async { (rows().await == 1).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_nodes_one_delivers() {
    let receiver = Receiver::start(200).await;
    let site = hooked(&Site::new(Database::Postgres).await, &[&receiver]);
    let (one, other) = (site.start(), site.start());
    let mut ann = Client::join(&one, "harbour").await;
    ann.say("0", "before the hook").await;
    let (_, secret) = create_outgoing(&site, "harbour", &receiver.url());
    let mut bob = Client::join(&other, "harbour").await;
    for n in 1..=40 {
        ann.say(&format!("a{n}"), "by one node").await;
        bob.say(&format!("b{n}"), "by the other").await;
    }
    let taken = receiver.taken_up_to(81).await;
    assert_eq!(numbers(&taken), (2..=81).collect::<Vec<_>>(), "each once");
    receiver.deliveries().iter().for_each(|delivery| delivery.verify(&secret));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restore_a_hook_goes_on_in_the_new_history() {
    let receiver = Receiver::start(200).await;
    let site = hooked(&Site::new(Database::Sqlite).await, &[&receiver]);
    let mut server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    ann.say("1", "in the backup").await;
    receiver.taken_up_to(2).await;
    let backup = tempdir::directory("backups").join("backup");
    assert!(site.command(&["backup", backup.to_str().expect("a path")]).0);
    ann.say("2", "lost").await;
    receiver.taken_up_to(3).await;
    server.stop();
    let restored = hooked(&Site::new(Database::Sqlite).await, &[&receiver]);
    assert!(restored.command(&["restore", backup.to_str().expect("a path")]).0);
    let server = restored.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("3", "in the new history").await;
    let delivery = eventually("the new history is delivered", || async {
        let deliveries = receiver.deliveries();
        deliveries.into_iter().find(|delivery| delivery.json()["epoch"] == ann.welcome["epoch"])
    })
    .await;
    let events = delivery.events();
    assert_eq!((numbers(&events), &events[0]["message"]), (vec![3], &json!("in the new history")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_delivered_at_once() {
    let receiver = Receiver::start(200).await;
    let site = hooked(&Site::new(Database::Sqlite).await, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    // The first delivery follows the poll that finds the hook; the later ones do not wait for it.
    ann.say("1", "found").await;
    receiver.taken_up_to(2).await;
    let said = Instant::now();
    for n in 3..=12 {
        ann.say(&n.to_string(), "at once").await;
        receiver.taken_up_to(n).await;
    }
    assert!(said.elapsed().as_secs() < 15, "ten polls would take twenty seconds: {:?}", said.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_with_tls_needs_a_certificate_that_is_trusted() {
    let receiver = Receiver::start(200).await;
    let (caddy, root) = Caddy::with_tls(receiver.addr);
    let host = format!("localhost:{}", caddy.addr.port());
    let site = Site::new(Database::Sqlite).await.with_flags(&["--outgoing-webhooks", "on", "--webhook-hosts", &host]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    let (_, secret) = create_outgoing(&site, "harbour", &format!("https://{host}/hook"));
    ann.say("1", "over TLS").await;
    eventually("a certificate of nobody is refused", || async {
        listed(&site)[0]["failure"].as_str().is_some_and(|failure| failure.contains("reached")).then_some(())
    })
    .await;
    assert!(receiver.deliveries().is_empty());
    drop(server);
    let _server = Server::start_with(&site.arguments(), &[("SSL_CERT_FILE", &root)]);
    try_now(&site).await;
    assert_eq!(numbers(&receiver.taken_up_to(2).await), [2]);
    receiver.deliveries()[0].verify(&secret);
}
