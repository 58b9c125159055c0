//! A real Caddy in front of servers, configured by the very file that operators are given.

use super::process::{Process, free_port};
use super::{DEADLINE, tempdir};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const GIVEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/Caddyfile");

const MISSING: &str = "this test needs Caddy: install the Debian package caddy";

/// A proxy.
pub struct Caddy {
    _process: Process,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Caddy {
    /// Starts it in front of servers at these addresses, without TLS.
    pub fn start(servers: &[SocketAddr]) -> Self {
        let directory = tempdir::directory("caddy");
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let nodes: Vec<String> = servers.iter().map(ToString::to_string).collect();
        let log = directory.join("log");
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--config", GIVEN, "--adapter", "caddyfile"]);
        // It keeps what it knows in the home directory, and has one address for its administration.
        caddy.env("HOME", &directory).env("XDG_DATA_HOME", &directory).env("XDG_CONFIG_HOME", &directory);
        caddy.env("CADDY_ADMIN", format!("127.0.0.1:{}", free_port()));
        caddy.env("SITE", format!("http://{addr}")).env("NODES", nodes.join(" "));
        if version() < (2, 7) {
            caddy.env("REQUEST_BUFFERS", "buffer_requests");
        }
        caddy.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(&log).expect("a log file"));
        let mut process = Process::start(&mut caddy, "KILL").expect(MISSING);
        let asked = Instant::now();
        while TcpStream::connect(addr).is_err() {
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(process.ended().is_none() && asked.elapsed() < DEADLINE, "Caddy does not start: {}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { _process: process, addr }
    }
}

impl Caddy {
    /// Starts it with TLS in front of `target`, under a certificate of an authority that it makes. Also returns the
    /// file with the authority's certificate.
    pub fn with_tls(target: SocketAddr) -> (Self, PathBuf) {
        let directory = tempdir::directory("caddy");
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = format!(
            "{{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\n}}\n\
             https://localhost:{} {{\nbind 127.0.0.1\nreverse_proxy {target}\n}}\n",
            addr.port()
        );
        std::fs::write(directory.join("Caddyfile"), config).expect("a file");
        let root = directory.join("caddy/pki/authorities/local/root.crt");
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(directory.join("Caddyfile"));
        caddy.env("HOME", &directory).env("XDG_DATA_HOME", &directory).env("XDG_CONFIG_HOME", &directory);
        caddy.stdin(Stdio::null()).stdout(Stdio::null());
        caddy.stderr(std::fs::File::create(directory.join("log")).expect("a log file"));
        let mut process = Process::start(&mut caddy, "KILL").expect(MISSING);
        let asked = Instant::now();
        while TcpStream::connect(addr).is_err() || !root.exists() {
            let said = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert!(process.ended().is_none() && asked.elapsed() < DEADLINE, "Caddy does not start: {}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
        (Self { _process: process, addr }, root)
    }
}

/// Whether it can send the body of a request once more, to another node.
pub fn sends_bodies_again() -> bool {
    version() >= (2, 8)
}

/// Its major and minor version.
fn version() -> (u32, u32) {
    let version = Command::new("caddy").arg("version").output().expect(MISSING);
    let text = String::from_utf8_lossy(&version.stdout).trim_start_matches('v').to_owned();
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
