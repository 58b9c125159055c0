//! A page is its visitor's alone.

use crate::support::host::on_each_database;
use crate::support::{Client, Site, http};
use tokio::task::JoinSet;

on_each_database!(what_is_of_one_visitor_reaches_no_other);

const VISITORS: usize = 200;

async fn what_is_of_one_visitor_reaches_no_other(site: Site) {
    let server = std::sync::Arc::new(site.start());
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
            for _ in 0..3 {
                pages.push(http::get_as(&server, &format!("/harbour/?username={name}"), &identity).await);
            }
            (name, identity, pages)
        });
    }
    let visitors = visitors.join_all().await;
    let mut forms = std::collections::HashSet::new();
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
