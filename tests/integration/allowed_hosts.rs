//! Requests that the server accepts: the host must be allowed, and headers must not contradict each other.

use crate::support::{Client, Database, Server, Site, database, raw};

const HANDSHAKE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n";

/// Every way in: the request line, further headers, and a body.
const DOORS: [(&str, &str, &str); 9] = [
    ("GET /", "", ""),
    ("GET /harbour/", "", ""),
    ("GET /nothing/here/", "", ""),
    ("POST /harbour/", FORM, "message=x"),
    ("GET /ws/harbour/", HANDSHAKE, ""),
    ("GET /api/load_history?room_name=harbour", "", ""),
    ("GET /robots.txt", "", ""),
    ("GET /metrics", "", ""),
    ("GET /assets/dev/x", "", ""),
];

/// The status of the answer to a request with exactly these headers; 101 where the socket is opened.
async fn status(server: &Server, line: &str, headers: &str, body: &str) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let request = format!("{line} HTTP/1.1\r\n{headers}\r\n{body}");
    let mut stream = raw::connect(server).await;
    stream.write_all(request.as_bytes()).await.expect("the server listens");
    let mut answer = [0; 12];
    let read = tokio::time::timeout(crate::support::DEADLINE, stream.read_exact(&mut answer)).await;
    read.expect("an answer in time").unwrap_or_else(|error| panic!("{line}: {error}"));
    std::str::from_utf8(&answer[9..]).expect("text").parse().expect("a status")
}

async fn of_host(server: &Server, (line, headers, body): (&str, &str, &str), host: &str) -> u16 {
    status(server, line, &format!("Host: {host}\r\n{headers}"), body).await
}

#[tokio::test]
async fn a_name_that_resolves_here_and_is_not_this_sites_is_refused_at_every_door() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let port = server.addr.port();
    for door in DOORS {
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "parlour"] {
            assert_eq!(of_host(&server, door, &format!("{host}:{port}")).await, 421, "{door:?} {host}");
        }
        for host in ["127.0.0.1", "[::1]", "localhost", "LOCALHOST", "chat.localhost", "192.0.2.1"] {
            assert_ne!(of_host(&server, door, &format!("{host}:{port}")).await, 421, "{door:?} {host}");
        }
    }
    // With an `Origin` that fits: it is what a rebound page would send.
    let rebound = format!("{HANDSHAKE}Origin: http://evil.example:{port}\r\n");
    assert_eq!(of_host(&server, ("GET /ws/harbour/", &rebound, ""), &format!("evil.example:{port}")).await, 421);
    let told = raw::exchange(&server, b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
    let told = told.expect("an answer");
    assert_eq!(told.get("x-content-type-options"), Some("nosniff"));
    assert!(told.get("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{told:?}");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(of_host(&server, (&format!("GET {path}"), "", ""), "parlour:3000").await, 200, "a load balancer");
    }
    assert_eq!(status(&server, "GET /", "", "").await, 200, "no browser leaves `Host` out");
}

#[tokio::test]
async fn configured_names_are_this_site() {
    let site = Site::new(Database::Sqlite).await;
    let named = site.with_flags(&["--public-url", "http://chat.example", "--allowed-hosts", "parlour,Inside.Example"]);
    let server = named.start();
    for host in ["chat.example", "CHAT.EXAMPLE:80"] {
        assert_eq!(of_host(&server, ("GET /harbour/", "", ""), host).await, 200, "{host}");
    }
    for host in ["parlour:3000", "inside.example", "chat.example.", "127.0.0.1"] {
        assert_eq!(of_host(&server, ("GET /harbour/", "", ""), host).await, 307, "{host}: a page of the same site");
        assert_eq!(of_host(&server, ("GET /metrics", "", ""), host).await, 200, "{host}");
    }
    for host in ["evil.example", "x.chat.example", "parlour.example"] {
        assert_eq!(of_host(&server, ("GET /harbour/", "", ""), host).await, 421, "{host}");
    }
}

#[tokio::test]
async fn a_header_that_decides_something_is_not_sent_twice() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut bystander = Client::join(&server, "harbour").await;
    let (host, own) = (server.addr.to_string(), server.origin());
    let repeated = [
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nHost: evil.example\r\n"),
        format!("Host: evil.example\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nOrigin: {own}\r\nOrigin: http://evil.example\r\n"),
        format!("Host: {host}\r\nOrigin: http://evil.example\r\nOrigin: {own}\r\n"),
        format!("Host: {host}\r\nOrigin: {own}\r\norigin: {own}\r\n"),
        format!("Host: {host}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Host: {host}\r\nReferer: {own}/\r\nReferer: http://evil.example/\r\n"),
        format!("Host: {host}\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n"),
        format!(
            "Host: {host}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        ),
        format!("Host: {host}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n"),
        format!("Host: {host}\r\nContent-Type: text/plain\r\nContent-Type: application/x-www-form-urlencoded\r\n"),
        format!("Host: {host}, evil.example\r\n"),
        format!("Host: evil.example@{host}\r\n"),
        "Host: \r\n".to_owned(),
        "Host: a b\r\n".to_owned(),
    ];
    for headers in &repeated {
        for (line, more, body) in DOORS {
            assert_eq!(status(&server, line, &format!("{headers}{more}"), body).await, 400, "{line} {headers:?}");
        }
    }
    let lengths = format!("Host: {host}\r\n{FORM}Content-Length: 8\r\n");
    assert_eq!(status(&server, "POST /harbour/", &lengths, "message=x").await, 400);
    // Lists may come in parts.
    let lists = format!("Host: {host}\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: text/html\r\nAccept: */*\r\n");
    assert_eq!(status(&server, "GET /harbour/", &lists, "").await, 200);
    assert_eq!(bystander.say("1", "nothing of it was said").await["seq"], 1);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
}

#[tokio::test]
async fn a_target_in_absolute_form_is_of_the_host_that_is_named() {
    let server = Site::new(Database::Sqlite).await.start();
    let host = server.addr.to_string();
    let asked = async |target: &str| status(&server, &format!("GET {target}"), &format!("Host: {host}\r\n"), "").await;
    assert_eq!(asked(&format!("http://{host}/harbour/")).await, 200);
    for other in ["http://evil.example/harbour/", "http://127.0.0.1:1/harbour/", "http://localhost/harbour/"] {
        assert_eq!(asked(other).await, 400, "{other}");
    }
}
