//! Outgoing webhooks whose receivers or servers fail: nothing is lost, and nothing overtakes anything.

use crate::support::hooks::{create_outgoing, hooked, listed, numbers, try_now};
use crate::support::host::on_each_database;
use crate::support::receiver::{NO_ANSWER, Receiver};
use crate::support::{Client, Site, database, eventually};
use serde_json::json;

on_each_database!(
    a_receiver_that_fails_for_a_while_gets_everything_in_order,
    a_delivery_that_was_not_recorded_is_repeated,
    a_receiver_that_is_gone_is_asked_no_more,
    a_day_of_failures_ends_a_hook,
    events_that_retention_removed_are_a_gap,
);

async fn a_receiver_that_fails_for_a_while_gets_everything_in_order(site: Site) {
    let receiver = Receiver::start(500).await;
    let site = hooked(&site, &[&receiver]);
    let mut server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    let (_, secret) = create_outgoing(&site, "harbour", &receiver.url());
    for n in 1..=60 {
        ann.say(&format!("a{n}"), "while the receiver is down").await;
    }
    receiver.requests(1).await;
    eventually("the failure is listed", || async {
        let hook = listed(&site).pop().expect("a hook");
        hook["failure"].as_str().is_some_and(|failure| failure.contains("500")).then_some(())
    })
    .await;
    server.kill();
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    for n in 1..=60 {
        ann.say(&format!("b{n}"), "after the server was killed").await;
    }
    try_now(&site).await;
    receiver.answer(200);
    let taken = receiver.taken_up_to(121).await;
    assert_eq!(numbers(&taken), (2..=121).collect::<Vec<_>>());
    let deliveries = receiver.deliveries();
    deliveries.iter().for_each(|delivery| delivery.verify(&secret));
    assert_eq!(deliveries[0].status, 500);
    eventually("the hook is well again", || async { listed(&site)[0]["failing_since"].is_null().then_some(()) }).await;
}

async fn a_delivery_that_was_not_recorded_is_repeated(site: Site) {
    let receiver = Receiver::start(NO_ANSWER).await;
    let site = hooked(&site, &[&receiver]);
    let mut server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    ann.say("1", "delivered twice").await;
    let first = receiver.requests(1).await.remove(0);
    server.kill();
    receiver.answer(200);
    // The lease of a killed node lasts for a while; another node need not wait for it here.
    database::execute(&site.database_url, "UPDATE outgoing_hooks SET leased_until = 0").await;
    let _server = site.start();
    receiver.taken_up_to(2).await;
    let again = receiver.deliveries().pop().expect("a delivery");
    assert_eq!((first.id(), first.json()), (again.id(), again.json()));
}

async fn a_receiver_that_is_gone_is_asked_no_more(site: Site) {
    let receiver = Receiver::start(410).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    let (id, _) = create_outgoing(&site, "harbour", &receiver.url());
    ann.say("1", "nobody wants this").await;
    eventually("the hook ends", || async { listed(&site)[0]["ended_at"].is_i64().then_some(()) }).await;
    let hook = listed(&site).remove(0);
    assert!(hook["id"] == id.as_str() && hook["failure"].as_str().is_some_and(|it| it.contains("410")), "{hook}");
    let secrets = database::rows(&site.database_url, "SELECT 1 FROM outgoing_hooks WHERE length(secret) > 0").await;
    assert!(secrets.is_empty(), "the secret is gone, too");
    assert_eq!(receiver.deliveries().len(), 1);
}

async fn a_day_of_failures_ends_a_hook(site: Site) {
    let receiver = Receiver::start(302).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    create_outgoing(&site, "harbour", &receiver.url());
    ann.say("1", "not taken").await;
    for tries in 1..=8 {
        receiver.requests(tries).await;
        eventually("the failure is stored", || async {
            let failures = format!("SELECT 1 FROM outgoing_hooks WHERE failures = {tries} OR ended_at IS NOT NULL");
            (!database::rows(&site.database_url, &failures).await.is_empty()).then_some(())
        })
        .await;
        assert_eq!(listed(&site)[0]["ended_at"].is_i64(), tries == 8, "after {tries} tries");
        try_now(&site).await;
    }
    let failure = listed(&site)[0]["failure"].as_str().expect("a reason").to_owned();
    assert!(failure.contains("302") && failure.contains("day"), "{failure}");
}

async fn events_that_retention_removed_are_a_gap(site: Site) {
    let receiver = Receiver::start(500).await;
    let site = hooked(&site, &[&receiver]);
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("0", "before the hook").await;
    let (_, secret) = create_outgoing(&site, "harbour", &receiver.url());
    for n in 1..=9 {
        ann.say(&n.to_string(), "while the receiver is down").await;
    }
    receiver.requests(1).await;
    database::execute(&site.database_url, "DELETE FROM events WHERE seq <= 6").await;
    receiver.answer(200);
    try_now(&site).await;
    let taken = receiver.taken_up_to(10).await;
    assert_eq!(taken[0], json!({"type": "gap", "from": 2, "to": 6}));
    assert_eq!(numbers(&taken), [7, 8, 9, 10]);
    receiver.deliveries().pop().expect("a delivery").verify(&secret);
    // A log that was purged as a whole.
    receiver.answer(500);
    ann.say("11", "removed, too").await;
    let tries = receiver.deliveries().len();
    receiver.requests(tries.max(3)).await;
    database::execute(&site.database_url, "DELETE FROM events").await;
    receiver.answer(200);
    try_now(&site).await;
    let taken = receiver.taken_up_to(11).await;
    assert_eq!(taken.last(), Some(&json!({"type": "gap", "from": 11, "to": 11})));
}
