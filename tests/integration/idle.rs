//! Idle connections: no bytes, half a request head, a byte now and then, a response that is never read. They are closed
//! within seconds and keep no visitor out, even if there are more of them than the server has file descriptors.

use crate::support::{Client, DEADLINE, Database, Door, Server, Site, eventually, http, raw, server, tempdir};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Number of connections: those of an attacker, or half of the files that this process may open.
const ATTACKERS: u64 = 4000;

/// Reads to the end of the stream, and returns the bytes before it.
async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("the server hangs up in time");
    rest
}

/// Begins with `beginning`, then sends `drop` again and again; the status of the answer, if one comes before the end.
async fn drip(server: &Server, beginning: &str, drop: &str) -> Option<u16> {
    let (mut reader, mut writer) = raw::connect(server).await.into_split();
    writer.write_all(beginning.as_bytes()).await.expect("the server listens");
    let drop = drop.to_owned();
    let dripping = tokio::spawn(async move {
        while writer.write_all(drop.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, reader.read_to_end(&mut answer)).await.expect("the server hangs up in time");
    dripping.abort();
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_connection_without_a_complete_head_is_closed() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let beginnings = [
        "",
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ",
        "\r\n\r\n",
        "GET /ws/harbour/ HTTP/1.1\r\nUpgrade",
    ];
    let mut attackers = Vec::new();
    for beginning in beginnings {
        let mut stream = raw::connect(&server).await;
        stream.write_all(beginning.as_bytes()).await.expect("the server listens");
        attackers.push(stream);
    }
    for mut stream in attackers {
        end_of(&mut stream).await;
    }
    // A client may send another request on a kept-alive connection, but not wait forever with it.
    let mut idle = raw::connect(&server).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("the server listens");
    assert!(end_of(&mut idle).await.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_connection_that_sends_slowly_is_closed() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let form = "POST /harbour/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let body = format!("{form}Content-Length: 60000\r\n\r\nmessage=");
    let chunked = format!("{form}Transfer-Encoding: chunked\r\n\r\n");
    let (in_line, headers, body, chunks) = tokio::join!(
        drip(&server, "GET /", "a"),
        drip(&server, "GET / HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"),
        drip(&server, &body, "x"),
        drip(&server, &chunked, "1\r\nx\r\n"),
    );
    for status in [in_line, headers] {
        assert!(status.is_none_or(|status| status == 408), "{status:?}");
    }
    assert_eq!((body, chunks), (Some(408), Some(408)));
    assert_eq!(crate::support::database::room_names(&site.database_url).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_body_or_a_head_that_does_not_end_is_refused() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let answer = http::post_form(&server, "/harbour/", &[("message", &"x".repeat(70_000))]).await;
    assert_eq!(answer.status, 413);
    let long = format!("X-A: {}\r\n", "a".repeat(100_000));
    let many = (0..100).map(|n| format!("X-{n}: a\r\n")).collect::<String>();
    for headers in [long, many] {
        let answer = raw::request(&server, "GET", b"/", &headers, "").await.expect("an answer");
        assert_eq!(answer.status, 431);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_does_not_read_its_response_is_closed() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a buffer");
    let mut stream = socket.connect(server.addr).await.expect("a connection");
    // Enough pages that no buffer of the system holds them all.
    let asked = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4000);
    let _ = timeout(Duration::from_secs(5), stream.write_all(asked.as_bytes())).await;
    // The server's end of the connection, as the system lists it: addresses and ports in hexadecimal digits.
    let from = stream.local_addr().expect("an address").port();
    let end = format!(":{:04X} 0100007F:{from:04X} ", server.addr.port());
    let is_there = || std::fs::read_to_string("/proc/net/tcp").expect("Linux lists it").contains(&end);
    assert!(is_there());
    let hung_up = async {
        while is_there() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(3 * DEADLINE, hung_up).await.expect("the server hangs up in time");
}

#[tokio::test]
async fn thousands_who_do_nothing_keep_nobody_out() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    let may_open = rlimit::increase_nofile_limit(u64::MAX).expect("a limit");
    let count = ATTACKERS.min(may_open / 2);
    let mut attackers = Vec::new();
    for n in 0..count {
        let mut stream = raw::connect(&server).await;
        if n % 2 == 0 {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost").await;
        }
        attackers.push(stream);
        if n % 500 == 0 {
            ann.say(&n.to_string(), &n.to_string()).await;
            bob.expect_message(&n.to_string()).await;
            assert_eq!(http::get(&server, "/harbour/").await.status, 200);
        }
    }
    Client::join(&server, "harbour").await.say("late", "still room for me").await;
    for mut stream in attackers {
        end_of(&mut stream).await;
    }
    println!("{count} attackers");
}

#[tokio::test]
async fn a_server_without_file_descriptors_accepts_again_when_it_has_some() {
    let directory = tempdir::directory("few");
    let mut command = Command::new("sh");
    let parlour = server::executable(&directory);
    command.args(["-c", "ulimit -n 100 && exec \"$@\"", "sh"]).arg(parlour.get_program());
    command.args(["--data", ".", "--addr", "127.0.0.1:0", "--limits", "off"]).current_dir(&directory);
    let server = Server::listening(command, &directory).unwrap_or_else(|said| panic!("{said}"));
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    let mut attackers = Vec::new();
    for _ in 0..200 {
        attackers.push(raw::connect(&server).await);
    }
    eventually("no file descriptor is left", || async {
        server.log().contains("Connections cannot be accepted").then_some(())
    })
    .await;
    ann.say("1", "meanwhile").await;
    bob.expect_message("meanwhile").await;
    // The attackers stay; it is the server that makes room.
    assert_eq!(http::get(&server, "/harbour/").await.status, 200);
    Door::of("harbour").join(&server).await.say("2", "back").await;
    bob.expect_message("back").await;
    drop(attackers);
}
