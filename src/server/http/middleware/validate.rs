//! Request validation: refuses requests with contradictory headers, or for a host that is not this server's.
//!
//! A page of another site can make its own name resolve to this server's address (DNS rebinding). To the browser, both
//! are then one site, and only the `Host` it sends tells them apart. A rebound name is never an IP address, nor
//! `localhost` (RFC 6761, section 6.3); every other name has to be configured.

use crate::server::config::Config;
use crate::server::http::state::AppState;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Headers that may appear only once: if one is sent twice, a proxy and this server could each use another value.
const ONCE: [HeaderName; 18] = [
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::RANGE,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-user"),
    HeaderName::from_static("idempotency-key"),
];

/// Paths without visitor data that load balancers and containers request by internal host names.
const ANY_HOST: [&str; 2] = ["/healthz", "/readyz"];

const WRONG_HOST: &str = "This server does not answer under this name. Its administrator can allow the name with --allowed-hosts \
                          (PARLOUR_ALLOWED_HOSTS) or --public-url (PARLOUR_PUBLIC_URL).";

/// Reason for which a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Invalid {
    #[error("A security-relevant header was sent more than once.")]
    Repeated,
    #[error("The request names no valid host, or two different ones.")]
    Host,
    #[error("{WRONG_HOST}")]
    Misdirected,
}

/// Passes on valid requests. Answers 421 to requests for another host, and 400 to other invalid ones.
pub(crate) async fn validate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match examine(request.headers(), request.uri(), &state.config) {
        Ok(()) => next.run(request).await,
        Err(Invalid::Misdirected) => (StatusCode::MISDIRECTED_REQUEST, WRONG_HOST).into_response(),
        Err(invalid) => (StatusCode::BAD_REQUEST, invalid.to_string()).into_response(),
    }
}

fn examine(headers: &HeaderMap, uri: &Uri, config: &Config) -> Result<(), Invalid> {
    if ONCE.iter().any(|name| headers.get_all(name).iter().nth(1).is_some()) {
        return Err(Invalid::Repeated);
    }
    let named = match headers.get(header::HOST) {
        Some(host) => Some(authority(host.as_bytes()).ok_or(Invalid::Host)?),
        // An HTTP/1.0 health check may have no `Host`; browsers always send one.
        None => None,
    };
    // A target in absolute form names the host a second time (RFC 9112, section 3.2.2).
    if let (Some(target), Some(named)) = (uri.authority(), &named)
        && !(target.host().eq_ignore_ascii_case(named.host()) && port(target) == port(named))
    {
        return Err(Invalid::Host);
    }
    let named = named.as_ref().or(uri.authority());
    let served = named.is_none_or(|named| is_served(named.host(), config) || ANY_HOST.contains(&uri.path()));
    if served { Ok(()) } else { Err(Invalid::Misdirected) }
}

/// Returns host and port, or `None` if the authority contains anything else.
fn authority(host: &[u8]) -> Option<Authority> {
    let is_plain = !host.is_empty() && host.iter().all(|byte| byte.is_ascii_graphic() && !b"@/,\\".contains(byte));
    let authority = Authority::try_from(host).ok().filter(|authority| is_plain && !authority.host().is_empty())?;
    let port = authority.as_str().strip_prefix(authority.host())?;
    (port.is_empty() || authority.port_u16().is_some()).then_some(authority)
}

fn port(authority: &Authority) -> u16 {
    authority.port_u16().unwrap_or(80)
}

/// Returns whether the site answers under this name: an address, `localhost`, or a configured name.
fn is_served(host: &str, config: &Config) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || config.hosts().any(|allowed| allowed == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::resolved;
    use axum::http::HeaderValue;

    fn examined(flags: &[&str], target: &str, headers: &[(&'static str, &'static str)]) -> Result<(), Invalid> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        examine(&map, &target.parse().unwrap(), &resolved(flags, None).unwrap())
    }

    fn of_host(flags: &[&str], host: &'static str) -> Result<(), Invalid> {
        examined(flags, "/harbour/", &[("host", host)])
    }

    #[test]
    fn addresses_and_localhost_are_this_server() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:3000",
            "192.0.2.7:80",
            "0.0.0.0:3000",
            "[::1]",
            "[2001:db8::1]:3000",
            "localhost",
            "LocalHost:3000",
            "localhost.",
            "chat.localhost:3000",
        ] {
            assert_eq!(of_host(&[], host), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_names_are_not_unless_they_are_configured() {
        let names = [
            "evil.example",
            "evil.example:3000",
            "chat.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "xlocalhost",
            "parlour",
            "localhost..",
        ];
        for host in names {
            assert_eq!(of_host(&[], host), Err(Invalid::Misdirected), "{host}");
        }
        let settings: [&[&str]; 3] = [
            &["--public-url", "https://Chat.example"],
            &["--allowed-hosts", "parlour, Chat.Example."],
            &["--public-url", "https://other.example", "--allowed-hosts", "chat.example"],
        ];
        for flags in settings {
            for host in ["chat.example", "CHAT.example:3000", "chat.example.", "127.0.0.1", "localhost"] {
                assert_eq!(of_host(flags, host), Ok(()), "{flags:?} {host}");
            }
            for host in ["evil.example", "x.chat.example", "chat.example.evil.example"] {
                assert_eq!(of_host(flags, host), Err(Invalid::Misdirected), "{flags:?} {host}");
            }
        }
    }

    #[test]
    fn an_invalid_host_is_refused() {
        for host in
            ["", "a b", "a,b", "localhost, localhost", "ann@localhost", "localhost/", "localhost:http", "[::1", ":80"]
        {
            assert_eq!(of_host(&[], host), Err(Invalid::Host), "{host:?}");
        }
        assert_eq!(examined(&[], "/", &[]), Ok(()), "no browser");
    }

    #[test]
    fn a_target_in_absolute_form_names_the_same_host() {
        let of = |target, host| examined(&[], target, &[("host", host)]);
        assert_eq!(of("http://localhost:3000/x/", "localhost:3000"), Ok(()));
        assert_eq!(of("http://localhost/x/", "LOCALHOST:80"), Ok(()));
        for target in ["http://evil.example/x/", "http://localhost:1/x/", "http://127.0.0.1:3000/x/"] {
            assert_eq!(of(target, "localhost:3000"), Err(Invalid::Host), "{target}");
        }
        assert_eq!(examined(&[], "http://evil.example/x/", &[]), Err(Invalid::Misdirected));
    }

    #[test]
    fn health_is_told_under_any_name() {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(examined(&[], path, &[("host", "parlour:3000")]), Ok(()), "{path}");
        }
        for path in ["/metrics", "/healthz/", "/", "/ws/healthz/"] {
            assert_eq!(examined(&[], path, &[("host", "parlour:3000")]), Err(Invalid::Misdirected), "{path}");
        }
    }

    #[test]
    fn a_deciding_header_may_occur_only_once() {
        for name in ONCE {
            let mut map = HeaderMap::new();
            map.append(header::HOST, HeaderValue::from_static("localhost"));
            map.append(&name, HeaderValue::from_static("localhost"));
            map.append(&name, HeaderValue::from_static("localhost"));
            let config = resolved(&[], None).unwrap();
            assert_eq!(examine(&map, &"/".parse().unwrap(), &config), Err(Invalid::Repeated), "{name}");
        }
        let lists = [
            ("host", "localhost"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("x-forwarded-for", "1"),
            ("x-forwarded-for", "2"),
        ];
        assert_eq!(examined(&[], "/", &lists), Ok(()));
    }
}
