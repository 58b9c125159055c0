//! Memory for clients that do not read is bounded, and many clients share the same bytes.

use crate::support::flood::open;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, eventually, http};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const MIB: u64 = 1 << 10;

/// Limits that a test can fill a room under.
const FILL: [&str; 10] = [
    "--message-burst",
    "2000",
    "--messages-per-second",
    "1000",
    "--message-burst-per-address",
    "2000",
    "--messages-per-second-per-address",
    "1000",
    "--message-kilobytes-per-minute",
    "1000000",
];

/// The longest message there is: 4000 characters of four bytes.
fn long() -> String {
    "\u{1f600}".repeat(4000)
}

async fn fill(server: &Server, count: usize) {
    let (mut client, text) = (Client::join(server, "harbour").await, long());
    for n in 1..=count {
        client.post(&n.to_string(), &text).await;
        if n % 20 == 0 || n == count {
            client.answer_to(&n.to_string()).await;
        }
    }
}

/// The most memory the server has while `during` is true, and for some time after.
async fn peak<F: Future<Output = bool>>(server: &Server, mut during: impl FnMut() -> F) -> u64 {
    let (mut peak, mut until) = (0, Instant::now() + DEADLINE);
    while Instant::now() < until {
        peak = peak.max(server.resident());
        if !during().await {
            until = until.min(Instant::now() + Duration::from_secs(3));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    peak
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_do_not_read_hold_little() {
    let server = Site::new(Database::Sqlite).await.limited(&FILL).start();
    fill(&server, 600).await;
    let before = server.resident();
    // Each stands somewhere else.
    let sockets: Vec<_> = (0..300).map(|after| open(&server, &format!("/ws/harbour/?after={after}"))).collect();
    for socket in &sockets {
        socket.peek(&mut [0]).expect("each is greeted");
    }
    let peak = peak(&server, || async { false }).await;
    assert!(peak < before + 80 * MIB, "{} KiB for {} sockets", peak - before, sockets.len());
    // A client that reads gets everything.
    let mut reader = Door::of("harbour").after(0).join(&server).await;
    for seq in 1..=600 {
        assert_eq!(reader.expect("message").await["seq"], seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_repeated_posts_that_nobody_reads_hold_little() {
    let server = Site::new(Database::Sqlite).await.limited(&FILL).start();
    let cookie = http::identity(&server).await;
    let door = Door::of("harbour").identity(&cookie, &server).receive_buffer(4096);
    let mut author = door.join(&server).await;
    author.say("once", &long()).await;
    let before = server.resident();
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut client = door.join(&server).await;
        for _ in 0..40 {
            client.post("once", &long()).await;
        }
        clients.push(client);
    }
    let peak = peak(&server, || async { false }).await;
    assert!(peak < before + 80 * MIB, "{} KiB", peak - before);
}

async fn ask(server: &Server, requests: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a buffer");
    let mut stream = socket.connect(server.addr).await.expect("a connection");
    let request = format!("GET /harbour/ HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr).repeat(requests);
    stream.write_all(request.as_bytes()).await.expect("the server listens");
    stream
}

/// Requests pages `requests` times on each connection, and never reads them.
async fn unread_pages_hold_little(requests: usize) {
    let server = Site::new(Database::Sqlite).await.limited(&FILL).start();
    fill(&server, 50).await;
    let page = http::get(&server, "/harbour/").await;
    assert!(page.status == 200 && page.body.len() > 800_000, "{}", page.body.len());
    let before = server.resident();
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(ask(&server, requests).await);
    }
    let peak = peak(&server, || async { false }).await;
    assert!(peak < before + 100 * MIB, "{} KiB for {} unread pages", peak - before, streams.len());
    // When they have disconnected, other visitors get their pages.
    drop(streams);
    eventually("there is room for another page", || async {
        (http::get(&server, "/harbour/").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_are_not_read_hold_little() {
    unread_pages_hold_little(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_are_asked_for_in_advance_hold_little() {
    unread_pages_hold_little(50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_forms_hold_little() {
    let server = Site::new(Database::Sqlite).await.limited(&FILL).start();
    fill(&server, 50).await;
    let before = server.resident();
    let form = format!(
        "POST /harbour/ HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 8\r\n\r\nmessage=",
        server.addr
    );
    let mut streams = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
        stream.write_all(form.as_bytes()).await.expect("the server listens");
        streams.push(stream);
    }
    let peak = peak(&server, || async { false }).await;
    assert!(peak < before + 100 * MIB, "{} KiB for {} refused forms", peak - before, streams.len());
}

/// Behind a trusted proxy, the clients that do not read are told from the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_pages_of_one_client_of_a_proxy_keep_no_other_waiting() {
    let site = Site::new(Database::Sqlite).await.limited(&[&FILL[..], &["--trusted-proxies", "127.0.0.1"]].concat());
    let server = site.start();
    fill(&server, 50).await;
    let request =
        |client: &str| format!("GET /harbour/ HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {client}\r\n\r\n", server.addr);
    let mut streams = Vec::new();
    for _ in 0..350 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a buffer");
        let mut stream = socket.connect(server.addr).await.expect("a connection");
        stream.write_all(request("192.0.2.1").as_bytes()).await.expect("the server listens");
        streams.push(stream);
    }
    let mut other = TcpStream::connect(server.addr).await.expect("a connection");
    other.write_all(request("192.0.2.2").as_bytes()).await.expect("the server listens");
    let mut status = [0; 12];
    timeout(DEADLINE, other.read_exact(&mut status)).await.expect("an answer in time").expect("a status line");
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_read_slowly_comes_whole() {
    let server = Site::new(Database::Sqlite).await.limited(&FILL).start();
    fill(&server, 50).await;
    let whole = http::get(&server, "/harbour/").await.body.len();
    let mut stream = ask(&server, 1).await;
    let mut read = 0;
    while read < whole {
        let mut piece = vec![0; 64 << 10];
        let some = tokio::time::timeout(DEADLINE, stream.read(&mut piece)).await.expect("in time").expect("a piece");
        assert!(some > 0, "{read} of {whole}");
        read += some;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How often the log was read.
async fn reads(server: &Server) -> u64 {
    let metrics = http::get(server, "/metrics").await.body;
    let line = metrics.lines().find(|line| line.starts_with("parlour_database_seconds_count{operation=\"events\"}"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_memory_holds_is_read_once_for_many() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut writer = Client::join(&server, "harbour").await;
    let mut readers = Vec::new();
    for _ in 0..100 {
        readers.push(Client::join(&server, "harbour").await);
    }
    let before = reads(&server).await;
    let readers: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            tokio::spawn(async move {
                for seq in 1..=300 {
                    assert_eq!(reader.expect("message").await["seq"], seq);
                }
            })
        })
        .collect();
    for n in 1..=300 {
        writer.post(&n.to_string(), &long()).await;
        if n % 100 == 0 {
            writer.answer_to(&n.to_string()).await;
        }
    }
    for reader in readers {
        reader.await.expect("everybody gets everything, in order");
    }
    let reads = reads(&server).await - before;
    assert!(reads < 100, "{reads} reads of the log for 100 readers");
}
