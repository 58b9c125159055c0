//! Names are held for a while by the identity that last used them in a room, with all names that look alike.

use crate::support::host::on_each_database;
use crate::support::presence::told;
use crate::support::{Client, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    a_name_that_is_held_is_refused_to_everybody_else,
    a_free_name_is_suggested,
    guests_hold_no_name,
    anonymous_belongs_to_nobody,
    a_stored_message_is_acknowledged_whoever_holds_its_name_now,
    a_name_is_free_again_after_thirty_days,
    going_on_under_a_name_renews_it_once_a_day,
    nobody_appears_under_a_name_that_is_taken,
    presence_follows_the_name_of_the_last_message,
    a_refused_name_is_not_taken_on,
    of_many_who_want_a_name_at_once_one_gets_it,
    a_form_under_a_held_name_comes_back,
    of_many_who_want_a_held_name_each_is_told_one_that_is_free,
);

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Returns a visitor with a cookie, in the room `harbour`.
async fn somebody(server: &Server) -> Client {
    let cookie = http::identity(server).await;
    Door::of("harbour").identity(&cookie, server).join(server).await
}

async fn say_as(client: &mut Client, name: &str, id: &str) -> Value {
    client.send(json!({"type": "post", "id": id, "message": "x", "username": name})).await;
    client.answer_to(id).await
}

async fn accepted(client: &mut Client, name: &str, id: &str) -> Value {
    let answer = say_as(client, name, id).await;
    assert_eq!((&answer["type"], &answer["username"]), (&json!("message"), &json!(name)), "{answer}");
    answer
}

/// Returns the reason.
async fn refused(client: &mut Client, name: &str, id: &str) -> String {
    let answer = say_as(client, name, id).await;
    assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!("username_taken")), "{name}: {answer}");
    answer["detail"].as_str().expect("a reason").to_owned()
}

/// Lets time pass for the names.
async fn days_pass(site: &Site, days: i64) {
    database::execute(&site.database_url, &format!("UPDATE names SET at = at - {}", days * DAY)).await;
}

async fn used_at(site: &Site) -> Vec<i64> {
    let rows = database::rows(&site.database_url, "SELECT at FROM names ORDER BY skeleton").await;
    rows.iter().map(|row| row.try_get_by_index(0).expect("a time")).collect()
}

async fn a_name_that_is_held_is_refused_to_everybody_else(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut marta = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    accepted(&mut marta, "Marta Ivy", "1").await;
    for client in [&mut somebody(&server).await, &mut Client::join(&server, "harbour").await] {
        for (id, name) in ["Marta Ivy", "marta ivy", "Mаrta Ivy", "Marta lvy", " Marta  Ivy"].into_iter().enumerate() {
            refused(client, name, &format!("refused-{id}")).await;
        }
    }
    // It is hers on every connection, and so is every other name she uses.
    let mut again = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    assert_eq!(accepted(&mut again, "MARTA IVY", "2").await["seq"], 2, "refusals take no number");
    accepted(&mut again, "Mary", "3").await;
    let mut other = somebody(&server).await;
    refused(&mut other, "Mary", "4").await;
    refused(&mut other, "Marta Ivy", "5").await;
    // Every room has its own names.
    let mut tavern = Client::join(&server, "tavern").await;
    accepted(&mut tavern, "Marta Ivy", "1").await;
}

async fn a_free_name_is_suggested(site: Site) {
    let server = site.start();
    accepted(&mut somebody(&server).await, "Marta", "1").await;
    accepted(&mut somebody(&server).await, "marta-2", "1").await;
    let mut other = somebody(&server).await;
    assert_eq!(refused(&mut other, "Marta", "1").await, "Marta is in use in this room. Marta-3 is free.");
    accepted(&mut other, "Marta-3", "2").await;
    let long = "x".repeat(32);
    accepted(&mut other, &long, "3").await;
    let mut guest = Client::join(&server, "harbour").await;
    let detail = refused(&mut guest, &long, "1").await;
    assert_eq!(detail, format!("{long} is in use in this room. {}-2 is free.", "x".repeat(30)));
    accepted(&mut guest, &format!("{}-2", "x".repeat(30)), "2").await;
    for n in 2..=20 {
        say_as(&mut other, &format!("Marta-{n}"), &format!("all-{n}")).await;
    }
    let detail = refused(&mut guest, "Marta", "3").await;
    let suggested =
        detail.strip_prefix("Marta is in use in this room. ").and_then(|rest| rest.strip_suffix(" is free."));
    accepted(&mut guest, suggested.expect("a suggestion"), "4").await;
}

async fn guests_hold_no_name(site: Site) {
    let server = site.start();
    let mut guest = Client::join(&server, "harbour").await;
    accepted(&mut guest, "Bob", "1").await;
    accepted(&mut Client::join(&server, "harbour").await, "Bob", "1").await;
    accepted(&mut somebody(&server).await, "Bob", "1").await;
    refused(&mut guest, "Bob", "2").await;
    // A form that comes without the cookie is a guest's too.
    for _ in 0..2 {
        let answer = http::post_form(&server, "/harbour/", &[("username", "Carl"), ("message", "x")]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
}

async fn anonymous_belongs_to_nobody(site: Site) {
    let server = site.start();
    for name in ["Anonymous", "anonymous"] {
        for _ in 0..2 {
            accepted(&mut somebody(&server).await, name, "1").await;
            accepted(&mut Client::join(&server, "harbour").await, name, "1").await;
        }
    }
    assert_eq!(used_at(&site).await, Vec::<i64>::new());
}

async fn a_stored_message_is_acknowledged_whoever_holds_its_name_now(site: Site) {
    let server = site.start();
    let mut guest = Client::join(&server, "harbour").await;
    let stored = accepted(&mut guest, "Bob", "once").await;
    accepted(&mut somebody(&server).await, "Bob", "1").await;
    guest.expect("message").await;
    assert_eq!(say_as(&mut guest, "Bob", "once").await, stored);
    refused(&mut guest, "Bob", "twice").await;
}

async fn a_name_is_free_again_after_thirty_days(site: Site) {
    let server = site.start();
    let (mut ann, mut eve) = (somebody(&server).await, somebody(&server).await);
    accepted(&mut ann, "Ivy", "1").await;
    days_pass(&site, 29).await;
    refused(&mut eve, "Ivy", "e1").await;
    days_pass(&site, 1).await;
    accepted(&mut eve, "Ivy", "e2").await;
    refused(&mut ann, "Ivy", "2").await;
    refused(&mut ann, "lvy", "3").await;
    // Her messages remain hers, whoever holds the name now.
    ann.send(json!({"type": "edit", "id": "4", "target": 1, "text": "y"})).await;
    assert_eq!(ann.answer_to("4").await["type"], "edited");
}

async fn going_on_under_a_name_renews_it_once_a_day(site: Site) {
    let server = site.start();
    let mut ann = somebody(&server).await;
    accepted(&mut ann, "Ann", "1").await;
    let first = used_at(&site).await;
    accepted(&mut ann, "Ann", "2").await;
    ann.say("3", "x").await;
    assert_eq!(used_at(&site).await, first);
    days_pass(&site, 2).await;
    accepted(&mut ann, "Ann", "4").await;
    assert!(used_at(&site).await >= first);
}

async fn nobody_appears_under_a_name_that_is_taken(site: Site) {
    let server = site.start();
    let mut marta = somebody(&server).await;
    accepted(&mut marta, "Marta", "1").await;
    let mut other = Door::of("harbour").username("marta").join(&server).await;
    assert_eq!(other.welcome["username"], "Anonymous");
    let mut seen = told(&mut marta, &["Anonymous", "Marta"]).await;
    assert_eq!(other.say("1", "x").await["username"], "Anonymous");
    refused(&mut other, "MARTA", "2").await;
    let _carl = Door::of("harbour").username("Carl").join(&server).await;
    seen.extend(told(&mut marta, &["Anonymous", "Carl", "Marta"]).await);
    let named_so = |name: &String| name.eq_ignore_ascii_case("marta");
    assert!(seen.iter().all(|here| here.iter().filter(|name| named_so(name)).count() <= 1), "{seen:?}");
}

async fn presence_follows_the_name_of_the_last_message(site: Site) {
    let server = site.start();
    let mut ann = somebody(&server).await;
    accepted(&mut ann, "Ann", "1").await;
    // Sent before the first is answered, the third is under the name of the second.
    for (id, name) in [("2", json!("Bea")), ("3", json!("Cleo")), ("4", json!(null))] {
        ann.send(json!({"type": "post", "id": id, "message": "x", "username": name})).await;
    }
    assert_eq!(ann.answer_to("4").await["username"], "Cleo");
    let mut watcher = Door::of("harbour").username("Zoe").join(&server).await;
    told(&mut watcher, &["Cleo", "Zoe"]).await;
}

async fn a_refused_name_is_not_taken_on(site: Site) {
    let server = site.start();
    accepted(&mut somebody(&server).await, "Marta", "1").await;
    let mut bob = Door::of("harbour").username("Bob").join(&server).await;
    refused(&mut bob, "Marta", "1").await;
    assert_eq!(bob.say("2", "x").await["username"], "Bob");
    let detail = refused(&mut bob, "Marta", "3").await;
    assert!(detail.contains("Marta-2"), "{detail}");
    accepted(&mut bob, "Marta-2", "4").await;
    assert_eq!(bob.say("5", "x").await["username"], "Marta-2");
}

async fn of_many_who_want_a_name_at_once_one_gets_it(site: Site) {
    let server = site.start();
    let mut crowd = Vec::new();
    for _ in 0..8 {
        crowd.push(somebody(&server).await);
    }
    for client in &mut crowd {
        client.send(json!({"type": "post", "id": "1", "message": "x", "username": "Ann"})).await;
    }
    let mut heard = 0;
    for client in &mut crowd {
        let mine = client.welcome["tag"].clone();
        // Tags are short and may collide: if the post is not rejected, the next message may be its own.
        let frames = client.until(|frame| frame["type"] == "rejected" || frame["tag"] == mine).await;
        heard += usize::from(frames.last().is_some_and(|frame| frame["type"] == "message"));
    }
    assert_eq!((heard, database::messages(&site.database_url, "harbour").await.len()), (1, 1));
}

async fn a_form_under_a_held_name_comes_back(site: Site) {
    let server = site.start();
    accepted(&mut somebody(&server).await, "Marta", "1").await;
    let answer = http::post_form(&server, "/harbour/", &[("username", "Marta"), ("message", "kept-text")]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("Marta-2 is free.") && answer.body.contains("kept-text"), "{}", answer.body);
    assert!(!answer.cookies.iter().any(|cookie| cookie.starts_with("parlour_username=")), "{:?}", answer.cookies);
}

#[tokio::test]
async fn a_name_is_held_on_every_server() {
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.start(), site.start());
    let cookie = http::identity(&one).await;
    accepted(&mut Door::of("harbour").identity(&cookie, &one).join(&one).await, "Ann", "1").await;
    refused(&mut Client::join(&two, "harbour").await, "Ann", "1").await;
    accepted(&mut Door::of("harbour").identity(&cookie, &two).join(&two).await, "Ann", "2").await;
}

async fn of_many_who_want_a_held_name_each_is_told_one_that_is_free(site: Site) {
    let server = site.start();
    let mut marta = somebody(&server).await;
    for name in ["Marta", "Marta-2", "Nora", "Nora-2", "Nora-3", "Nora-4", "Nora-5"] {
        accepted(&mut marta, name, name).await;
    }
    let mut guests = Vec::new();
    for _ in 0..20 {
        guests.push(Client::join(&server, "harbour").await);
    }
    for guest in &mut guests {
        for (id, name) in [("m", "Marta"), ("n", "Nora")] {
            guest.send(json!({"type": "post", "id": id, "message": "x", "username": name})).await;
        }
    }
    let mut told = 0;
    for guest in &mut guests {
        let mut details = Vec::new();
        // Of one connection, answers come in any order.
        while details.len() < 2 {
            let answer = guest.next().await;
            if answer["id"] == "m" || answer["id"] == "n" {
                assert_eq!(answer["code"], "username_taken", "{answer}");
                details.push(answer["detail"].as_str().expect("a reason").to_owned());
            }
        }
        for detail in details {
            let right = detail.ends_with("Marta-3 is free.") || detail.ends_with("Nora-6 is free.");
            assert!(right || detail.ends_with("Choose another."), "{detail}");
            told += usize::from(right);
        }
    }
    assert!(told > 0, "some are told");
    accepted(&mut guests[0], "Marta-3", "again").await;
}
