//! Benchmarks of a complete server in this process: a batch committed and acknowledged, a message delivered to all
//! subscribers of a room, a page. They measure wall time, the client's share included, so that two versions of the code
//! can be compared on one machine. `make bench` measures the cost of the server alone.

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::{SinkExt, StreamExt};
use leptos::config::LeptosOptions;
use parlour::server::config::{Config, LogFormat};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

type Client = WebSocketStream<TcpStream>;

/// Number of posts in flight, and of subscribers of a room.
const BATCH: usize = 128;
const LISTENERS: usize = 128;

const TEXT: &str = "the quick brown fox jumps over the lazy dog and asks who is there tonight in this room of people";

async fn start(data: &std::path::Path) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let config = Config {
        leptos: LeptosOptions::builder().output_name("parlour").build(),
        data: data.to_owned(),
        database_url: format!("sqlite://{}/bench.db?mode=rwc", data.display()),
        database_url_file: None,
        database_wait: std::time::Duration::ZERO,
        redis_url: None,
        redis_url_file: None,
        metrics_addr: None,
        public_url: None,
        allowed_hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        front_page_indexed: false,
        outgoing_webhooks: false,
        webhook_hosts: Vec::new(),
        rates: None,
        retention_days: None,
        log_filter: None,
        log_format: LogFormat::Text,
        shown: Vec::new(),
    };
    tokio::spawn(
        async move { parlour::server::run(config, None, listener, std::future::pending()).await.expect("serves") },
    );
    addr
}

async fn join(addr: SocketAddr, room: &str) -> Client {
    let stream = TcpStream::connect(addr).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    client_async(format!("ws://{addr}/ws/{room}/"), stream).await.expect("a handshake").0
}

/// Reads until this many messages have arrived.
async fn hear(client: &mut Client, mut messages: usize) {
    while messages > 0 {
        let frame = client.next().await.expect("it stays").expect("a frame");
        let is_message = frame.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"message""#));
        messages -= usize::from(is_message);
    }
}

async fn say(client: &mut Client, messages: usize) {
    for _ in 0..messages {
        client.feed(Message::text(format!(r#"{{"message":"{TEXT}"}}"#))).await.expect("it is taken");
    }
    client.flush().await.expect("it is taken");
}

async fn get(stream: &mut TcpStream, path: &str) -> usize {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is taken");
    let (mut read, mut whole) = (Vec::with_capacity(128 << 10), None);
    while whole.is_none_or(|whole| read.len() < whole) {
        assert!(stream.read_buf(&mut read).await.expect("an answer") > 0);
        whole = whole.or_else(|| {
            let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{text}");
            let length = text.split("content-length: ").nth(1)?.split('\r').next()?.parse::<usize>();
            Some(head + length.expect("a length"))
        });
    }
    read.len()
}

fn server(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let data = tempfile::tempdir().expect("a directory");
    let addr = runtime.block_on(start(data.path()));

    let mut talker = runtime.block_on(join(addr, "batch"));
    criterion.bench_function("commit and acknowledge 128 posts", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                say(&mut talker, BATCH).await;
                hear(&mut talker, BATCH).await;
            });
        });
    });

    let mut listeners: Vec<Client> =
        runtime.block_on(async { futures_util::future::join_all((0..LISTENERS).map(|_| join(addr, "crowd"))).await });
    criterion.bench_function("deliver a message to 128 connections", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                say(&mut listeners[0], 1).await;
                futures_util::future::join_all(listeners.iter_mut().map(|listener| hear(listener, 1))).await;
            });
        });
    });
    drop(listeners);

    let mut visitor = runtime.block_on(async {
        let mut host = join(addr, "page").await;
        say(&mut host, 50).await;
        hear(&mut host, 50).await;
        TcpStream::connect(addr).await.expect("a connection")
    });
    criterion.bench_function("a page that was rendered before", |bench| {
        bench.iter(|| runtime.block_on(get(&mut visitor, "/page/")));
    });
    let mut host = runtime.block_on(join(addr, "page"));
    criterion.bench_function("a message, and the page rendered anew", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                say(&mut host, 1).await;
                hear(&mut host, 1).await;
                get(&mut visitor, "/page/").await
            })
        });
    });
    runtime.shutdown_background();
}

criterion_group!(whole, server);
criterion_main!(whole);
