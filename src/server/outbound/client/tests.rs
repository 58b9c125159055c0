//! Tests of the client: it connects to nothing that is not public.

use super::super::resolver::Lookup;
use super::*;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A resolver whose answers are given: each look-up gets the next one, and the last one again and again.
struct GivenLookup {
    answers: Vec<Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl GivenLookup {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: answers.iter().map(parsed).collect(), asked: Mutex::default() })
    }
}

impl AddressLookup for GivenLookup {
    fn look_up(&self, name: String) -> Lookup {
        let mut asked = self.asked.lock().unwrap();
        let answer = self.answers[asked.len().min(self.answers.len() - 1)].clone();
        asked.push(name);
        Box::pin(async move { Ok(answer) })
    }
}

/// A server that counts its connections, and answers each with `response`.
async fn server(response: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, connections) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let response = response.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(response.as_bytes()).await;
            });
        }
    });
    (port, connections)
}

async fn post(client: &OutboundClient, url: &str) -> Result<u16, OutboundError> {
    client.post(url, HeaderMap::new(), b"{}".to_vec()).await.map(|response| response.status)
}

#[tokio::test]
async fn a_name_that_leads_to_special_addresses_is_not_connected_to() {
    for addresses in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["10.0.0.1", "192.168.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["0.0.0.0"],
        &["100.64.0.1"],
    ] {
        let lookup = GivenLookup::new(&[addresses]);
        let client = OutboundClient::with_lookup(&[], lookup.clone());
        assert_eq!(post(&client, "https://ci.example.com/").await, Err(OutboundError::NotPublic), "{addresses:?}");
        assert_eq!(*lookup.asked.lock().unwrap(), ["ci.example.com"], "the connector asks once");
    }
}

#[tokio::test]
async fn a_resolver_that_changes_its_answer_gains_nothing() {
    // The first answer would have passed a check before the request; the connector gets the second.
    let lookup = GivenLookup::new(&[&["127.0.0.1"], &["1.1.1.1"]]);
    let client = OutboundClient::with_lookup(&[], lookup.clone());
    assert_eq!(post(&client, "https://ci.example.com/").await, Err(OutboundError::NotPublic));
    assert_eq!(lookup.asked.lock().unwrap().len(), 1, "what was checked is what would be connected to");
}

#[tokio::test]
async fn nothing_is_resolved_for_a_url_that_is_refused() {
    let (port, connections) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    let lookup = GivenLookup::new(&[&["127.0.0.1"]]);
    let client = OutboundClient::with_lookup(&[], lookup.clone());
    for host in
        ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "localhost", "ci.example.com"]
    {
        for url in [format!("http://{host}:{port}/"), format!("https://{host}:{port}/"), format!("http://{host}/")] {
            assert!(matches!(post(&client, &url).await, Err(OutboundError::Refused(_))), "{url}");
        }
    }
    assert_eq!((connections.load(Ordering::SeqCst), lookup.asked.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn an_exception_is_reached_and_redirects_are_not_followed() {
    let (inner_port, inner) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    let redirect = format!("HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:{inner_port}/\r\ncontent-length: 0\r\n\r\n");
    let (port, connections) = server(redirect).await;
    let allowed: HostPort = format!("127.0.0.1:{port}").parse().unwrap();
    let client = OutboundClient::new(&[allowed]);
    assert_eq!(post(&client, &format!("http://127.0.0.1:{port}/")).await, Ok(307));
    assert_eq!((connections.load(Ordering::SeqCst), inner.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_response_that_does_not_end_is_read_up_to_its_bound() {
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n{}", "x".repeat(2 * MAX_RESPONSE_BYTES));
    let (port, _) = server(endless).await;
    let allowed: HostPort = format!("localhost:{port}").parse().unwrap();
    let client = OutboundClient::new(&[allowed]);
    assert_eq!(post(&client, &format!("http://localhost:{port}/")).await, Ok(200));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let allowed: HostPort = format!("127.0.0.1:{port}").parse().unwrap();
    let client = OutboundClient::new(&[allowed]);
    assert_eq!(post(&client, &format!("http://127.0.0.1:{port}/")).await, Err(OutboundError::Timeout));
    drop(listener);
}
