//! Timing: for strangers, a private room that is closed to them costs the same as a room that does not exist.

use crate::support::host::on_each_database;
use crate::support::{Door, Server, Site, http};
use std::collections::BTreeMap;

on_each_database!(a_shut_room_asks_the_database_what_a_missing_one_does);

/// Number of queries of each kind so far.
async fn queries(server: &Server) -> BTreeMap<String, u64> {
    let text = http::get(server, "/metrics").await.body;
    let counts = text.lines().filter_map(|line| {
        let (operation, rest) = line.strip_prefix("parlour_database_seconds_count{operation=\"")?.split_once('"')?;
        Some((operation.to_owned(), rest.rsplit(' ').next()?.parse().ok()?))
    });
    counts.collect()
}

/// Number of queries of each kind that a stranger's visits at every door cause: the least of three rounds, because the
/// server's own queries come in between.
async fn asked_for(server: &Server, name: &str, cookie: &str) -> BTreeMap<String, u64> {
    let mut least = visits(server, name, cookie).await;
    for _ in 1..3 {
        for (kind, count) in visits(server, name, cookie).await {
            least.entry(kind).and_modify(|least| *least = count.min(*least)).or_insert(0);
        }
    }
    least.retain(|_, count| *count > 0);
    least
}

async fn visits(server: &Server, name: &str, cookie: &str) -> BTreeMap<String, u64> {
    let before = queries(server).await;
    for path in [
        format!("/{name}/"),
        format!("/{name}/1"),
        format!("/{name}/names?prefix=a"),
        format!("/api/load_quotes?room_name={name}&seqs[0]=1"),
        format!("/{name}/?invitation={}", "b".repeat(25) + "a"),
        format!("/api/open_room?room_name={name}"),
        format!("/api/load_history?room_name={name}"),
        format!("/api/count_unread?rooms[0][room]={name}&rooms[0][read]=0"),
    ] {
        http::get_as(server, &path, cookie).await;
    }
    let list = http::browser().post(server.url("/api/preview_rooms")).header("cookie", cookie);
    assert_eq!(
        http::send(list.form(&[("rooms", format!("{name} 0 "))])).await.body,
        r#"{"changed":[],"unchanged":[]}"#
    );
    let post = http::browser().post(server.url(&format!("/{name}/"))).header("cookie", cookie);
    assert_eq!(http::send(post.form(&[("message", "hello")])).await.status, 404);
    Door::of(name).identity(cookie, server).turned_away(server).await;
    let after = queries(server).await;
    after.into_iter().map(|(kind, count)| (kind.clone(), count - before.get(&kind).copied().unwrap_or(0))).collect()
}

async fn a_shut_room_asks_the_database_what_a_missing_one_does(site: Site) {
    let server = site.start();
    let ann = http::identity(&server).await;
    let open = http::browser().post(server.url("/")).header("cookie", &ann).form(&[("room_name", "club")]);
    let location = http::send(open).await.location.expect("the way into the room");
    let name = location.trim_matches('/').to_owned();
    let mut owner = Door::of(&name).identity(&ann, &server).join(&server).await;
    owner.say("1", "between us").await;
    owner.send(serde_json::json!({"type": "moderate", "id": "renew", "action": "renew"})).await;
    assert_eq!(owner.answer_to("renew").await["type"], "moderated");
    drop(owner);
    let eve = http::identity(&server).await;
    let shut = asked_for(&server, &name, &eve).await;
    let missing = asked_for(&server, "club~abcdefghijklmnopqrstuvwxyz", &eve).await;
    assert_eq!(shut, missing);
    assert!(shut["room"] >= 8 && shut["standings"] >= 8, "{shut:?}");
}
