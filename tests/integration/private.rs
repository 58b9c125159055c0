//! Private rooms: strangers cannot detect them by any request. An invitation makes members, and can be renewed.

use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Client, Database, Door, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    to_strangers_a_private_room_is_not_there,
    a_visitor_with_the_link_is_a_member,
    a_renewed_invitation_ends_the_link_and_members_stay,
    a_removed_member_is_disconnected_and_finds_no_room,
    only_the_owner_of_a_private_room_renews_and_removes,
    a_locked_private_room_admits_its_members_alone,
    a_member_who_is_away_and_never_spoke_is_removed,
    a_guest_is_let_in_each_time_and_never_written_down,
);

/// A key that no room has.
const NOWHERE: &str = "abcdefghijklmnopqrstuvwxyz";

struct Private {
    server: Server,
    /// The owner's cookie.
    ann: String,
    /// `club~…`
    name: String,
}

impl Private {
    async fn opened(site: &Site) -> Self {
        let server = site.start();
        let ann = http::identity(&server).await;
        let open = http::browser().post(server.url("/")).header("cookie", &ann);
        let answer = http::send(open.form(&[("username", "Ann"), ("room_name", "Club")])).await;
        assert_eq!(answer.status, 303);
        let location = answer.location.expect("the way into the room");
        let name = location.strip_prefix('/').and_then(|rest| rest.strip_suffix("/?username=Ann"));
        let name = name.expect("an address of the room's own").to_owned();
        let key = name.strip_prefix("club~").expect("a title and a key");
        assert!(key.len() == 26 && key.bytes().all(|it| matches!(it, b'a'..=b'z' | b'2'..=b'7')), "{key}");
        Self { server, ann, name }
    }

    fn door(&self, cookie: &str) -> Door {
        Door::of(&self.name).identity(cookie, &self.server)
    }

    async fn status(&self, cookie: &str) -> u16 {
        http::get_as(&self.server, &format!("/{}/", self.name), cookie).await.status.as_u16()
    }

    /// The address that invites, as a member is told it.
    async fn invitation(&self, cookie: &str) -> String {
        let page = http::get_as(&self.server, &format!("/api/open_room?room_name={}", self.name), cookie).await;
        let page: Value = serde_json::from_str(&page.body).expect("a page");
        page["invitation"].as_str().expect("an invitation").to_owned()
    }

    async fn moderate(&self, client: &mut Client, act: Value) -> Value {
        let mut frame = json!({"type": "moderate", "id": act["action"]});
        frame.as_object_mut().expect("an object").extend(act.as_object().expect("an object").clone());
        client.send(frame).await;
        client.answer_to(act["action"].as_str().expect("a text")).await
    }
}

/// Returns all responses for the room `name` with `cookie`, without the parts that differ between any two responses.
async fn every_answer(server: &Server, name: &str, cookie: &str) -> Vec<String> {
    let mut answers = Vec::new();
    let get = [
        format!("/{name}/"),
        format!("/{name}"),
        format!("/{name}/1"),
        format!("/{name}/names?prefix=a"),
        format!("/{name}/?reply_to=1"),
        format!("/api/load_quotes?room_name={name}&seqs[0]=1"),
        format!("/{name}/?username=Eve&invitation={NOWHERE}"),
        format!("/api/open_room?room_name={name}"),
        format!("/api/load_history?room_name={name}"),
        format!("/api/count_unread?rooms[0][room]={name}&rooms[0][read]=0"),
    ];
    for path in get {
        let answer = http::get_as(server, &path, cookie).await;
        answers.push(format!("{} {:?} {:?}\n{}", answer.status, answer.location, answer.cookies, answer.body));
    }
    let name_line = format!("{name} 0 ");
    for (path, form) in [
        (format!("/{name}/"), vec![("message", "let me in"), ("id", "eve-1"), ("username", "Eve")]),
        ("/api/join_room".to_owned(), vec![("room_name", name), ("username", "Ann")]),
        ("/api/preview_rooms".to_owned(), vec![("rooms", name_line.as_str())]),
    ] {
        let answer = http::send(http::browser().post(server.url(&path)).header("cookie", cookie).form(&form)).await;
        answers.push(format!("{} {:?} {:?}\n{}", answer.status, answer.location, answer.cookies, answer.body));
    }
    for door in
        [Door::of(name).identity(cookie, server), Door::of(name).after(0), Door::of(name).asking("invitation", NOWHERE)]
    {
        answers.push(format!("{:?}", door.turned_away(server).await));
    }
    let nonce = |text: &str| {
        let mut parts = text.split("nonce=\"");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('"').map_or("", |(_, rest)| rest))
    };
    answers.iter().map(|answer| nonce(answer).replace(name, "NAME")).collect()
}

async fn to_strangers_a_private_room_is_not_there(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    ann.say("a1", "between us").await;
    // The link that Eve has is an old one.
    room.moderate(&mut ann, json!({"action": "renew"})).await;
    let eve = http::identity(&room.server).await;
    let here = every_answer(&room.server, &room.name, &eve).await;
    let nowhere = every_answer(&room.server, &format!("club~{NOWHERE}"), &eve).await;
    assert_eq!(here, nowhere);
    assert!(here[0].starts_with("404") && here[0].contains("There’s no room here"), "{}", here[0]);
    assert!(here.iter().any(|answer| answer.contains("4504")), "{here:?}");
    assert!(!here.concat().contains("between us"));
    for form in [[("message", "let me in"), ("username", "Eve")], [("message", " "), ("username", "a\u{202e}b")]] {
        let post = http::browser().post(room.server.url(&format!("/{}/", room.name))).header("cookie", &eve);
        assert_eq!(http::send(post.form(&form)).await.status, 404, "{form:?}");
    }
    // Nothing of this reached those in the room.
    assert_eq!(ann.say("a2", "nobody came").await["seq"], 3);
    let listed = database::room_names(&site.database_url).await;
    assert_eq!(listed, [room.name], "no visit makes a private room");
}

async fn a_visitor_with_the_link_is_a_member(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    let bob = http::identity(&room.server).await;
    assert_eq!(room.invitation(&bob).await, format!("/{}/", room.name), "the address invites by itself");
    let mut door = room.door(&bob).username("Bob").join(&room.server).await;
    assert_eq!(door.say("b1", "hello").await["seq"], 1);
    ann.expect_message("hello").await;
    // A private room belongs to the visitor who created it, not to the author of the first message.
    assert_eq!(room.moderate(&mut door, json!({"action": "lock"})).await["code"], "forbidden");
    // A program without an identity comes in by the link as well.
    Client::join(&room.server, &room.name).await.say("g1", "beep").await;
    let page = http::get_as(&room.server, &format!("/{}/", room.name), &bob).await.body;
    assert!(page.contains("<title>Club · Parlour</title>") && page.contains("hello"), "{page}");
}

async fn a_renewed_invitation_ends_the_link_and_members_stay(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    let (bob, carol) = (http::identity(&room.server).await, http::identity(&room.server).await);
    let mut connected = room.door(&bob).username("Bob").join(&room.server).await;
    let renewed = room.moderate(&mut ann, json!({"action": "renew"})).await;
    assert_eq!(renewed["type"], "moderated");
    let invitation = room.invitation(&bob).await;
    let secret = invitation.strip_prefix(&format!("/{}/?invitation=", room.name)).expect("a new link");
    assert!(!renewed.to_string().contains(secret), "the log does not hold it");
    connected.say("b1", "still here").await;
    assert_eq!((room.status(&bob).await, room.status(&carol).await), (200, 404));

    let answer = http::get_as(&room.server, &format!("{invitation}&username=Carol"), &carol).await;
    assert_eq!((answer.status.as_u16(), answer.location), (303, Some(format!("/{}/", room.name))));
    assert!(answer.cookies.iter().any(|cookie| cookie.starts_with("parlour_username=Carol;")), "{:?}", answer.cookies);
    assert_eq!(room.status(&carol).await, 200);
    // A new visitor gets an identity with the same request, and programs present the invitation to the socket.
    let dora = http::get(&room.server, &invitation).await;
    let cookie = dora.cookies[0].split(';').next().expect("a pair").to_owned();
    assert_eq!((dora.status.as_u16(), room.status(&cookie).await), (303, 200));
    Door::of(&room.name).asking("invitation", secret).join(&room.server).await.say("g1", "beep").await;
    assert_eq!(Door::of(&room.name).turned_away(&room.server).await.0, 4504);

    room.moderate(&mut ann, json!({"action": "unlock"})).await;
    let mut again = room.door(&room.ann).join(&room.server).await;
    again.send(json!({"type": "moderate", "id": "renew-2", "action": "renew"})).await;
    again.answer_to("renew-2").await;
    let eve = http::identity(&room.server).await;
    assert_eq!(http::get_as(&room.server, &invitation, &eve).await.status, 404, "an older link leads nowhere");
    assert_eq!((room.status(&bob).await, room.status(&carol).await, room.status(&eve).await), (200, 200, 404));
}

async fn a_removed_member_is_disconnected_and_finds_no_room(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    let bob = http::identity(&room.server).await;
    let mut door = room.door(&bob).username("Bob").join(&room.server).await;
    door.say("b1", "hello").await;
    let mut carol = room.door(&http::identity(&room.server).await).join(&room.server).await;
    let removed = room.moderate(&mut ann, json!({"action": "remove", "target": 1})).await;
    assert_eq!(removed["subject"]["username"], "Bob");
    assert_eq!(door.close_code().await, Some(4504));
    let here = every_answer(&room.server, &room.name, &bob).await;
    assert_eq!(here, every_answer(&room.server, &format!("club~{NOWHERE}"), &bob).await);
    // The newest link does not admit them, and the previous link admits no visitor.
    let invitation = room.invitation(&room.ann).await;
    assert_eq!(http::get_as(&room.server, &invitation, &bob).await.status, 404);
    assert_eq!(room.status(&http::identity(&room.server).await).await, 404);
    carol.say("c1", "we go on").await;
    // A pardoned visitor may be invited again.
    room.moderate(&mut ann, json!({"action": "pardon", "target": 1})).await;
    assert_eq!(room.status(&bob).await, 404);
    assert_eq!(http::get_as(&room.server, &invitation, &bob).await.status, 303);
    assert_eq!(room.status(&bob).await, 200);
}

async fn only_the_owner_of_a_private_room_renews_and_removes(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    ann.say("a1", "mine").await;
    let mut bob = room.door(&http::identity(&room.server).await).join(&room.server).await;
    for act in [json!({"action": "renew"}), json!({"action": "remove", "target": 1})] {
        assert_eq!(room.moderate(&mut bob, act).await["code"], "forbidden");
    }
    // A public room is open to all who have its URL.
    let mut open = Door::of("harbour").identity(&room.ann, &room.server).join(&room.server).await;
    open.say("h1", "ahoy").await;
    assert_eq!(room.moderate(&mut open, json!({"action": "renew"})).await["code"], "invalid");
}

async fn a_locked_private_room_admits_its_members_alone(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    let (bob, carol) = (http::identity(&room.server).await, http::identity(&room.server).await);
    assert_eq!(room.status(&bob).await, 200);
    room.moderate(&mut ann, json!({"action": "lock"})).await;
    assert_eq!((room.status(&bob).await, room.status(&carol).await), (200, 404));
    room.moderate(&mut ann, json!({"action": "unlock"})).await;
    assert_eq!(room.status(&carol).await, 200);
}

async fn a_member_who_is_away_and_never_spoke_is_removed(site: Site) {
    let room = Private::opened(&site).await;
    let mut ann = room.door(&room.ann).username("Ann").join(&room.server).await;
    let bob = http::identity(&room.server).await;
    let silent = room.door(&bob).join(&room.server).await;
    let tag = silent.welcome["tag"].clone();
    drop(silent);
    let removed = room.moderate(&mut ann, json!({"action": "remove", "tag": tag})).await;
    assert_eq!(removed["subject"]["tag"], tag);
    assert_eq!(room.status(&bob).await, 404);
}

async fn a_guest_is_let_in_each_time_and_never_written_down(site: Site) {
    let room = Private::opened(&site).await;
    let members = async || database::rows(&site.database_url, "SELECT 1 FROM standings WHERE member").await.len();
    let first = room.name.split_once('~').expect("a key").1;
    for (function, n) in [("load_history", 1), ("open_room", 2)] {
        let path = format!("/api/{function}?room_name={}&invitation={first}", room.name);
        assert_eq!(http::get(&room.server, &path).await.status, 200);
        let door = Door::of(&room.name).asking("invitation", first);
        door.join(&room.server).await.say(&format!("g{n}"), "beep").await;
    }
    assert_eq!(members().await, 0, "nobody of them comes back");
    // A visitor who gets an identity with the same response becomes a member.
    let page = http::get(&room.server, &format!("/{}/?invitation={first}", room.name)).await;
    assert_eq!((page.cookies.len(), members().await), (1, 1));
}

#[tokio::test]
async fn a_private_room_needs_a_title_and_a_page_of_this_site() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let answer = http::post_form(&server, "/", &[("username", "Ann Lee"), ("room_name", "a/b")]).await;
    let back = "/?username=Ann%20Lee&room_name=a%2Fb&kind=private";
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some(back)));
    assert_eq!(http::get(&server, back).await.status, 422);
    let foreign = http::browser().post(server.url("/")).header("origin", "http://elsewhere.example");
    assert_eq!(http::send(foreign.form(&[("room_name", "club")])).await.status, 403);
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

#[tokio::test]
async fn new_private_rooms_of_an_address_are_counted() {
    let site = Site::new(Database::Sqlite).await.limited(&["--rooms-per-hour", "2"]);
    let server = site.start();
    let open = async || http::post_form(&server, "/", &[("room_name", "club")]).await.status.as_u16();
    assert_eq!([open().await, open().await, open().await], [303, 303, 429]);
}
