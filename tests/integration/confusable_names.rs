//! Names that look like a held name are the same name: other scripts, widths, spaces, cases or compositions of a
//! letter. Invisible characters are not allowed in names.

use crate::support::fuzz_corpus::encode;
use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site, http};
use serde_json::{Value, json};

on_each_database!(a_name_that_looks_like_anothers_is_taken, a_name_that_differs_is_free);

/// Names, each with its lookalikes.
const ALIKE: [(&str, &[&str]); 12] = [
    // Case, width, spaces, composition (RFC 8266, section 2).
    (
        "Marta Ivy",
        &["marta ivy", "MARTA IVY", "  Marta   Ivy ", "Marta\u{a0}Ivy", "Marta\u{3000}Ivy", "Ｍａｒｔａ Ｉｖｙ"],
    ),
    ("Žofie", &["z\u{30c}ofie", "ŽOFIE", "Z\u{30c}ofie"]),
    ("Ångström", &["\u{212b}ngström", "A\u{30a}ngstro\u{308}m", "ÅNGSTRÖM"]),
    ("ﬁona", &["fiona", "FIONA"]),
    // One letter of another script, and all of them (UTS 39, section 4).
    ("Pavel", &["Рavel", "Pаvel", "Pavеl", "РАVЕL", "Paveⅼ", "𝐏𝐚𝐯𝐞𝐥", "𝓟𝓪𝓿𝓮𝓵", "Ⓟavel", "pavel"]),
    ("scope", &["ѕсоре", "ѕcope", "scоpe", "SCOPE"]),
    ("Anna", &["Αnna", "Аnna", "Ꭺnna"]),
    ("НИНА", &["Нина", "нина"]),
    // Lookalikes within Latin.
    ("Ivy", &["lvy", "IVY", "1vy", "|vy"]),
    ("Bob", &["B0b", "BOB", "Воb"]),
    ("modern", &["modem", "rnodern"]),
    ("Will", &["Wi11", "WilI", "WiIl"]),
];

/// Put into a name, these are refused and not passed over.
const UNSEEN: [char; 12] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{200f}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{feff}',
    '\u{e0041}',
];

async fn somebody(server: &Server, room: &str) -> Client {
    let cookie = http::identity(server).await;
    Door::of(room).identity(&cookie, server).join(server).await
}

async fn say_as(client: &mut Client, name: &str, id: &str) -> Value {
    client.send(json!({"message": "x", "id": id, "username": name})).await;
    client.answer_to(id).await
}

async fn a_name_that_looks_like_anothers_is_taken(site: Site) {
    let server = site.start();
    for (at, (name, alike)) in ALIKE.iter().enumerate() {
        let room = format!("room-{at}");
        let mut owner = somebody(&server, &room).await;
        assert_eq!(say_as(&mut owner, name, "own").await["type"], "message", "{name}");
        let mut other = somebody(&server, &room).await;
        let mut guest = Client::join(&server, &room).await;
        for (n, copy) in alike.iter().enumerate() {
            for client in [&mut other, &mut guest] {
                let answer = say_as(client, copy, &format!("copy-{n}")).await;
                assert_eq!(answer["code"], "username_taken", "{copy} for {name}: {answer}");
            }
            let form = [("username", *copy), ("message", "x")];
            assert_eq!(http::post_form(&server, &format!("/{room}/"), &form).await.status, 409, "{copy} for {name}");
            let there = Door::of(&room).username(&encode(copy)).join(&server).await;
            assert_eq!(there.welcome["username"], "Anonymous", "{copy} for {name}");
            assert_eq!(
                say_as(&mut owner, copy, &format!("own-{n}")).await["type"],
                "message",
                "{copy} is the owner's too"
            );
        }
        for unseen in UNSEEN {
            let mut hidden = name.to_string();
            hidden.insert(hidden.char_indices().nth(1).expect("two letters").0, unseen);
            let answer = say_as(&mut other, &hidden, &format!("hidden-{}", u32::from(unseen))).await;
            assert_eq!(answer["code"], "username_invalid", "{hidden:?}: {answer}");
        }
    }
}

async fn a_name_that_differs_is_free(site: Site) {
    let server = site.start();
    for (at, name) in ["Ann", "Anna", "Anne", "Ann 2", "Ann-2", "Hanna", "Анна", "אנה", "アン", "安"].iter().enumerate()
    {
        let mut client = somebody(&server, "harbour").await;
        let answer = say_as(&mut client, name, &at.to_string()).await;
        assert_eq!((&answer["type"], &answer["username"]), (&json!("message"), &json!(name)), "{answer}");
    }
}
