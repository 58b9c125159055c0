//! A page contains data of its own visitor only.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Door, Server, Site, http};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use tokio::task::JoinSet;

on_each_database!(values_of_one_visitor_reach_no_other, while_people_talk_everybody_gets_what_is_theirs_and_all_of_it,);

const VISITORS: usize = 200;

/// Number of visitors who post, and of messages from each.
const TALKERS: usize = 8;
const SAID: usize = 40;

async fn values_of_one_visitor_reach_no_other(site: Site) {
    let server = Arc::new(site.start());
    let mut talker = Client::join(&server, "harbour").await;
    for n in 0..60 {
        talker.say(&format!("m{n}"), "for everybody").await;
    }
    let mut visitors = JoinSet::new();
    for number in 0..VISITORS {
        let server = server.clone();
        visitors.spawn(async move {
            let name = format!("visitor{number:03}");
            let identity = http::identity(&server).await;
            let mut pages = Vec::new();
            while pages.len() < 3 {
                let page = http::get_as(&server, &format!("/harbour/?username={name}"), &identity).await;
                // This load may exceed the machine's capacity; clients that are rejected retry.
                if page.status != 503 {
                    pages.push(page);
                }
            }
            (name, identity, pages)
        });
    }
    let visitors = visitors.join_all().await;
    let mut forms = HashSet::new();
    for (name, identity, pages) in &visitors {
        for page in pages {
            assert_eq!(page.status, 200);
            assert!(page.body.contains(name.as_str()), "{name} is named in the own page");
            let strangers = page.body.matches("visitor").count() - page.body.matches(name.as_str()).count();
            assert_eq!(strangers, 0, "nobody else is named in the page of {name}");
            for (_, other, _) in visitors.iter().filter(|(_, other, _)| other != identity) {
                assert!(!page.body.contains(other.as_str()), "an identity is in a page");
                assert!(
                    !page.cookies.iter().any(|cookie| cookie.contains(other.as_str())),
                    "and in a cookie of another"
                );
            }
            // The id of the form that is sent without scripts is that of one message.
            let form = page.body.split(r#"name="id" value=""#).nth(1).and_then(|rest| rest.split('"').next());
            assert!(forms.insert(form.expect("a form").to_owned()), "a form's id is given out once");
        }
    }
}

/// One visit while others talk: the nonce, the numbers in the page, and those that are marked as the visitor's own.
async fn visit(server: &Server, cookie: &str, tag: &str, acknowledged: &AtomicI64) -> (String, Vec<i64>, Vec<i64>) {
    let at_least = acknowledged.load(SeqCst);
    let request = http::browser().get(server.url("/harbour/")).header("cookie", cookie);
    let answer = request.send().await.expect("an answer");
    let policy = answer.headers()["content-security-policy"].to_str().expect("a policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    let html = answer.text().await.expect("a body");
    assert_eq!(html.matches("nonce=").count(), html.matches(&format!("nonce=\"{nonce}\"")).count(), "{html}");
    let page = Page::parse(&html);
    let (head, numbers) = (page.number("data-head"), page.numbers());
    assert!(head >= at_least, "{head} {at_least}: what was acknowledged is in the page");
    let first = numbers.first().copied().unwrap_or(1);
    assert_eq!(numbers, (first..first + numbers.len() as i64).collect::<Vec<_>>(), "a piece of the log");
    assert!(numbers.last().is_none_or(|last| *last >= head), "{numbers:?} {head}");
    // The visitor's own tag, which scripts go by, and the messages that are marked.
    let data = html.split("\"tag\":\"").find(|rest| rest.contains("\"permalink\":"));
    assert!(data.is_some_and(|rest| rest.starts_with(tag)), "{html}");
    (nonce, numbers, page.own)
}

async fn while_people_talk_everybody_gets_what_is_theirs_and_all_of_it(site: Site) {
    let server = Arc::new(site.start());
    let acknowledged = Arc::new(AtomicI64::new(0));
    let (mut people, mut tags) = (JoinSet::new(), HashSet::new());
    for number in 0..TALKERS * 3 {
        let (server, acknowledged) = (server.clone(), acknowledged.clone());
        let (cookie, mut client, tag) = loop {
            let cookie = http::identity(&server).await;
            let client = Door::of("harbour").identity(&cookie, &server).join(&server).await;
            let tag = client.welcome["tag"].as_str().expect("a tag").to_owned();
            // To the page, those of one tag are one author.
            if tags.insert(tag.clone()) {
                break (cookie, client, tag);
            }
        };
        people.spawn(async move {
            let (mut said, mut nonces) = (HashSet::new(), Vec::new());
            for turn in 0..SAID {
                // Two of three only read.
                if number < TALKERS {
                    let said_it = client.say(&format!("{number}-{turn}"), "something").await;
                    let seq = said_it["seq"].as_i64().expect("a number");
                    said.insert(seq);
                    acknowledged.fetch_max(seq, SeqCst);
                }
                let (nonce, shown, own) = visit(&server, &cookie, &tag, &acknowledged).await;
                nonces.push(nonce);
                let expected: Vec<i64> = shown.into_iter().filter(|seq| said.contains(seq)).collect();
                assert_eq!(own, expected, "of {number}");
            }
            nonces
        });
    }
    let people = people.join_all().await;
    let nonces: Vec<_> = people.iter().flatten().collect();
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len(), "a nonce is given out once");
}
