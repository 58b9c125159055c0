//! A real nginx in front of servers, configured by the very file that operators are given.

use super::process::{Process, free_port};
use super::{DEADLINE, tempdir};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const GIVEN: &str = include_str!("../../../deploy/nginx.conf");

const MISSING: &str = "this test needs nginx: install the Debian package nginx-light";

/// A proxy.
pub struct Nginx {
    _process: Process,
    /// Where it passes requests on.
    pub addr: SocketAddr,
    /// Where it sends visitors to https.
    pub plain: SocketAddr,
}

impl Nginx {
    /// Starts it in front of servers at these addresses, without TLS.
    pub fn start(servers: &[SocketAddr]) -> Self {
        let directory = tempdir::directory("nginx");
        let [addr, plain] = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let server = GIVEN.lines().find(|line| line.trim().starts_with("server 127.0.0.1:3000 ")).expect("a node");
        let lines = servers.iter().map(|addr| server.replace("127.0.0.1:3000", &addr.to_string()));
        let site = GIVEN
            .replace(server, &lines.collect::<Vec<_>>().join("\n"))
            .replace("listen 80;", &format!("listen {plain};"))
            .replace("listen 443 ssl;", &format!("listen {addr};"));
        // No certificate, and no second family of addresses.
        let is_of_machine = |line: &&str| {
            let line = line.trim();
            line.starts_with("ssl_") || line.starts_with("listen [::]:")
        };
        assert_eq!(site.lines().filter(is_of_machine).count(), 6, "{site}");
        let site = site.lines().filter(|line| !is_of_machine(line)).collect::<Vec<_>>().join("\n");
        for listens in [addr, plain] {
            assert!(site.contains(&format!("listen {listens};")), "the file says where to listen");
        }
        // As root, its workers would be another user, who may not write here.
        let root = std::fs::metadata("/proc/self").expect("this process").uid() == 0;
        let user = if root { "user root;" } else { "" };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {};\n", directory.join(what).display()))
            .concat();
        let config = format!(
            "daemon off;\n{user}\npid {0}/pid;\nerror_log {0}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n",
            directory.display()
        );
        let file = directory.join("nginx.conf");
        std::fs::write(&file, config).expect("a file");
        let mut nginx = Command::new(program());
        nginx.arg("-c").arg(&file).arg("-e").arg(directory.join("log"));
        nginx.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(&mut nginx, "QUIT").expect(MISSING);
        let asked = Instant::now();
        while TcpStream::connect(addr).is_err() {
            let log = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert!(process.ended().is_none() && asked.elapsed() < DEADLINE, "nginx does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { _process: process, addr, plain }
    }
}

/// Debian keeps it out of the PATH of ordinary users.
fn program() -> &'static str {
    let known = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
    known.into_iter().find(|path| std::path::Path::new(path).exists()).unwrap_or("nginx")
}
