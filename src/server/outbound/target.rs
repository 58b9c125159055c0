//! URLs of requests to other servers: checked before anything is resolved.

use super::address::is_public;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// Maximum length of a URL, in bytes.
const MAX_URL_BYTES: usize = 2000;

/// Port of https.
const HTTPS_PORT: u16 = 443;

/// Ends of names that lead to this machine or its network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const LOCAL_NAMES: [&str; 6] = ["localhost", "local", "internal", "home.arpa", "localdomain", "lan"];

/// A host and a port that the host of the site has allowed, whatever their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    host: Host<String>,
    port: u16,
}

impl HostPort {
    fn is(&self, host: &Host<&str>, port: u16) -> bool {
        let is_host = match (&self.host, host) {
            (Host::Domain(own), Host::Domain(other)) => own == other,
            (Host::Ipv4(own), Host::Ipv4(other)) => own == other,
            (Host::Ipv6(own), Host::Ipv6(other)) => own == other,
            _ => false,
        };
        is_host && self.port == port
    }

    /// Returns whether the host is this machine, so that a request without TLS stays on it.
    fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        }
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text} is not a host with a port like ci.example:8443");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        // A pattern (`*.example`) would never match.
        let host = Host::parse(host).ok().filter(|_| !host.contains('*')).ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The reason why a URL is refused. Its text is shown to whoever named the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetRefused {
    /// The text is no URL of a web server, or contains a password.
    #[error("This is not an address like https://ci.example.com/hook.")]
    Malformed,
    /// The URL is not https.
    #[error("The address must begin with https://.")]
    Scheme,
    /// The URL names another port than 443.
    #[error("The address may not name a port.")]
    Port,
    /// The host is this machine, or in a network that is not public.
    #[error("The address must be that of a public server.")]
    NotPublic,
}

/// A URL that may be requested.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(super) url: Url,
    /// Whether the host of the site has allowed this host and port, whatever their address.
    pub(super) is_allowed: bool,
}

impl Target {
    /// Returns the host, as the URL names it.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// Checks a URL, apart from the addresses of its name. `allowed` are the exceptions.
///
/// # Errors
///
/// Returns the reason why it is refused.
pub(crate) fn check_target(text: &str, allowed: &[HostPort]) -> Result<Target, TargetRefused> {
    if text.len() > MAX_URL_BYTES {
        return Err(TargetRefused::Malformed);
    }
    let mut url = Url::parse(text.trim()).map_err(|_| TargetRefused::Malformed)?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return Err(TargetRefused::Malformed);
    }
    url.set_fragment(None);
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(TargetRefused::Malformed);
    };
    if let Some(exception) = allowed.iter().find(|allowed| allowed.is(&host, port)) {
        if url.scheme() != "https" && !exception.is_loopback() {
            return Err(TargetRefused::Scheme);
        }
        return Ok(Target { url, is_allowed: true });
    }
    if url.scheme() != "https" {
        return Err(TargetRefused::Scheme);
    }
    if port != HTTPS_PORT {
        return Err(TargetRefused::Port);
    }
    // Connectors resolve no literals, so these are checked here.
    let may_be_public = match host {
        Host::Ipv4(address) => is_public(IpAddr::V4(address)),
        Host::Ipv6(address) => is_public(IpAddr::V6(address)),
        Host::Domain(name) => may_be_public_name(name),
    };
    if may_be_public { Ok(Target { url, is_allowed: false }) } else { Err(TargetRefused::NotPublic) }
}

fn may_be_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_below = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !LOCAL_NAMES.iter().any(|end| is_below(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_spellings_are_refused() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://017700000001/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://①②⑦.0.0.1/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b:1::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:7f00:1::]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[fd00::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/",
            "https://100.64.0.1/",
            "https://100.100.100.200/",
            "https://192.0.2.1/",
            "https://198.18.0.1/",
            "https://203.0.113.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://router.home.arpa/",
            "https://intranet/",
            "https://a.b.lan/",
        ] {
            assert_eq!(check_target(url, &[]).map(|_| ()), Err(TargetRefused::NotPublic), "{url}");
        }
        for (url, reason) in [
            ("http://ci.example.com/", TargetRefused::Scheme),
            ("http://127.0.0.1:8080/", TargetRefused::Scheme),
            ("https://ci.example.com:8443/", TargetRefused::Port),
            ("https://ci.example.com:80/", TargetRefused::Port),
            ("https://ci.example.com@127.0.0.1/", TargetRefused::Malformed),
            ("https://ann:secret@ci.example.com/", TargetRefused::Malformed),
            ("https://[fe80::1%25eth0]/", TargetRefused::Malformed),
            ("https://127.0.0.256/", TargetRefused::Malformed),
            ("https://[::1/", TargetRefused::Malformed),
            ("https:///", TargetRefused::Malformed),
            ("file:///etc/passwd", TargetRefused::Malformed),
            ("gopher://127.0.0.1/", TargetRefused::Malformed),
            ("ftp://ci.example.com/", TargetRefused::Malformed),
            ("javascript:alert(1)", TargetRefused::Malformed),
            ("ci.example.com/hook", TargetRefused::Malformed),
            ("", TargetRefused::Malformed),
        ] {
            assert_eq!(check_target(url, &[]).map(|_| ()), Err(reason), "{url}");
        }
        assert!(check_target(&format!("https://ci.example.com/{}", "x".repeat(MAX_URL_BYTES)), &[]).is_err());
    }

    #[test]
    fn public_names_and_addresses_pass() {
        for url in [
            "https://ci.example.com/hook?x=y#z",
            "https://ci.example.com:443/",
            "https://8.8.8.8/",
            "https://bücher.example/",
        ] {
            let target = check_target(url, &[]).unwrap();
            assert!(!target.is_allowed && target.url.fragment().is_none(), "{url}");
        }
    }

    #[test]
    fn an_exception_is_one_host_and_one_port() {
        let allowed: Vec<HostPort> =
            ["127.0.0.1:8080", "ci.internal:8443", "[::1]:9000"].map(|text| text.parse().unwrap()).to_vec();
        for url in ["http://127.0.0.1:8080/x", "https://127.1:8080/", "https://ci.internal:8443/", "http://[::1]:9000/"]
        {
            assert!(check_target(url, &allowed).unwrap().is_allowed, "{url}");
        }
        for url in [
            "http://127.0.0.1:8081/",
            "http://127.0.0.2:8080/",
            "https://127.0.0.1/",
            "https://ci.internal/",
            "http://ci.internal:8443/",
            "https://x.ci.internal:8443/",
            "http://[::1]:9001/",
        ] {
            assert!(check_target(url, &allowed).is_err(), "{url}");
        }
        for text in
            ["127.0.0.1", "ci.example", "ci.example:0", "ci.example:http", ":80", "*.example:80", "a b:80", "[::1:80"]
        {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
        assert_eq!(allowed[2].to_string(), "[::1]:9000");
    }
}
