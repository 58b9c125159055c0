//! The bots in `examples/` answer each message once, through kills of the server and of the bot.

use crate::fan_out_load::ROOM;
use crate::rolling::start;
use crate::support::host::on_each_database;
use crate::support::process::{Process, free_port};
use crate::support::{DEADLINE, Server, Site, database, eventually, http, tempdir};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

on_each_database!(the_bot_in_python_answers_each_message_once, the_bot_in_shell_answers_each_message_once);

/// How a bot is started, and where it keeps its position.
struct Bot {
    program: [&'static str; 2],
    room: String,
    position: PathBuf,
    token: String,
}

impl Bot {
    fn start(&self) -> Process {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let mut command = Command::new(self.program[0]);
        command.arg(examples.join(self.program[1])).arg(&self.room).arg(&self.position);
        command.env("ROOM_TOKEN", &self.token).stdin(Stdio::null()).stdout(Stdio::null());
        Process::start(&mut command, "KILL").unwrap_or_else(|error| panic!("{}: {error}", self.program[0]))
    }
}

/// Posts a message until it is stored.
async fn say(addr: SocketAddr, id: &str, text: &str) {
    eventually(&format!("{id} is stored"), async || {
        let request = http::browser().post(format!("http://{addr}/{ROOM}/")).timeout(DEADLINE);
        let request = request.header("content-type", "text/plain").header("idempotency-key", id).body(text.to_owned());
        request.send().await.is_ok_and(|answer| answer.status() == 201).then_some(())
    })
    .await;
}

/// Messages and answers, in their order.
async fn said(site: &Site) -> Vec<String> {
    let log = database::messages(&site.database_url, ROOM).await;
    log.iter().map(|message| message["message"].as_str().expect("a text").to_owned()).collect()
}

/// Waits until so many messages are answered.
async fn is_answered(site: &Site, count: usize) {
    eventually(&format!("{count} answers"), async || {
        (said(site).await.iter().filter(|text| *text == "pong").count() >= count).then_some(())
    })
    .await;
}

async fn answers_each_message_once(site: Site, program: [&'static str; 2]) {
    let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut server: Server = start(&site, addr);
    let (created, token) = site.command(&["token", "create", "ping"]);
    assert!(created, "{token}");
    let token = token.split_whitespace().find(|word| word.starts_with("plr_")).expect("a token").to_owned();
    say(addr, "before", "!ping").await;
    let position = tempdir::directory("bot").join("position");
    let bot = Bot { program, room: format!("http://{addr}/{ROOM}/"), position, token };
    let mut running = bot.start();
    eventually("the bot has a position", async || bot.position.metadata().is_ok_and(|it| it.len() > 0).then_some(()))
        .await;

    say(addr, "1", "!ping").await;
    is_answered(&site, 1).await;
    // The server is killed in mid-stream.
    server.kill();
    server = start(&site, addr);
    say(addr, "2", "!ping").await;
    say(addr, "3", "say \"!ping\" to me, not {\"message\":\"!ping\"}").await;
    is_answered(&site, 2).await;
    // The bot is killed, perhaps between an answer and the position after it, and misses nothing meanwhile.
    say(addr, "4", "!ping").await;
    running.kill();
    say(addr, "5", "!ping").await;
    running = bot.start();
    is_answered(&site, 4).await;
    // Both, and the server stops in peace.
    server.terminate();
    running.kill();
    let ended = tokio::task::block_in_place(|| server.wait(DEADLINE)).expect("it drains and ends");
    assert!(ended.success(), "{ended}");
    running = bot.start();
    server = start(&site, addr);
    say(addr, "6", "!ping").await;
    say(addr, "7", "!ping").await;
    is_answered(&site, 6).await;
    say(addr, "8", "!ping").await;
    is_answered(&site, 7).await;

    let said = said(&site).await;
    assert_eq!(said.iter().filter(|text| *text == "!ping").count(), 8, "{said:#?}");
    // One of them was there before the bot.
    assert_eq!(said.iter().filter(|text| *text == "pong").count(), 7, "{said:#?}");
    let asked = |index: usize| said[..index].iter().filter(|text| *text == "!ping").count() - 1;
    for (answers, (index, _)) in said.iter().enumerate().filter(|(_, text)| *text == "pong").enumerate() {
        assert!(answers < asked(index), "an answer before its question: {said:#?}");
    }
    running.kill();
    drop(server);
}

async fn the_bot_in_python_answers_each_message_once(site: Site) {
    answers_each_message_once(site, ["python3", "ping_bot.py"]).await;
}

async fn the_bot_in_shell_answers_each_message_once(site: Site) {
    answers_each_message_once(site, ["sh", "ping_bot.sh"]).await;
}
