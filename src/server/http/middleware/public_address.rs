//! Redirects to the public URL. Under any other address pages would load, but the site would refuse their sockets and
//! forms, because it accepts only pages under its public URL.

use crate::server::config::Config;
use crate::server::http::cookies;
use crate::server::http::state::AppState;
use crate::server::network::client_ip::{ClientIp, is_trusted};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Once;

/// Cookie of a visitor who was just redirected. If the redirected request reaches this middleware again, a proxy
/// reports another address than the one that the visitor uses.
const REDIRECTED_COOKIE: &str = "parlour_redirected";

/// Attributes of that cookie. A visitor behind such a proxy is redirected at most once a minute.
const COOKIE_ATTRIBUTES: &str = "Path=/; Max-Age=60; HttpOnly; SameSite=Lax";

const X_FORWARDED_HOST: &str = "x-forwarded-host";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Redirects requests for pages under another address to the same page under the public URL, and logs that once.
pub(crate) async fn redirect_to_public_url(State(state): State<AppState>, request: Request, next: Next) -> Response {
    static ONCE: Once = Once::new();
    static LOOP_ONCE: Once = Once::new();
    let peer = request.extensions().get::<ClientIp>().copied().unwrap_or(ClientIp::UNKNOWN);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(public) = state.config.public_url.as_deref().filter(|_| reads) else { return next.run(request).await };
    let Some(other) = other_address(request.headers(), peer, public, &state.config) else {
        return next.run(request).await;
    };
    if was_redirected(request.headers()) {
        LOOP_ONCE.call_once(|| {
            let remedy =
                "it should send Host, or X-Forwarded-Host, and X-Forwarded-Proto as the visitor's browser does";
            tracing::warn!(address = other, "The proxy reports another address than --public-url: {remedy}");
        });
        return next.run(request).await;
    }
    ONCE.call_once(|| {
        tracing::warn!(
            address = other,
            "Pages are requested under another address than --public-url; redirecting to it"
        );
    });
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(target) = HeaderValue::try_from(format!("{public}{path}")) else { return next.run(request).await };
    let cookie = HeaderValue::try_from(format!("{REDIRECTED_COOKIE}=1; {COOKIE_ATTRIBUTES}")).expect("visible ASCII");
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target), (header::SET_COOKIE, cookie)]).into_response()
}

/// Logs once that a page of another site, or of this site under another address, has requested a socket.
pub(crate) fn warn_of_origin(headers: &HeaderMap, public_url: Option<&str>) {
    static ONCE: Once = Once::new();
    let origin = shortened(headers.get(header::ORIGIN));
    ONCE.call_once(|| {
        tracing::warn!(
            origin,
            public_url,
            "A socket was refused to a page of another origin; further ones are not logged"
        );
    });
}

/// Returns the address under which a page was requested, if that is not the public one.
fn other_address(headers: &HeaderMap, peer: ClientIp, public: &str, config: &Config) -> Option<String> {
    let (scheme, authority) = public.split_once("://")?;
    let first = |name: &str| headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim);
    let is_proxy = is_trusted(peer.0, &config.trusted_proxies);
    let forwarded = first(X_FORWARDED_HOST).filter(|_| is_proxy);
    let host = forwarded.or_else(|| headers.get(header::HOST)?.to_str().ok())?;
    // A client that forges this header redirects only itself.
    let is_plain =
        scheme == "https" && first(X_FORWARDED_PROTO).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
    if !is_plain && same_authority(host, authority, scheme) {
        return None;
    }
    // The proxy uses this name for the server; visitors do not.
    let is_internal = is_proxy && forwarded.is_none() && !same_authority(host, authority, scheme);
    if is_internal && config.allowed_hosts.iter().any(|allowed| host.split(':').next() == Some(allowed)) {
        return None;
    }
    Some(format!("{}{}", if is_plain { "http://" } else { "" }, shortened(headers.get(header::HOST))))
}

/// Returns whether two authorities of a scheme name the same host and port.
fn same_authority(one: &str, other: &str, scheme: &str) -> bool {
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    bare(one) == bare(other)
}

fn was_redirected(headers: &HeaderMap) -> bool {
    cookies::values(headers, REDIRECTED_COOKIE).next().is_some()
}

/// Returns the beginning of a header's value, as far as it is plain text.
fn shortened(value: Option<&HeaderValue>) -> String {
    let bytes = value.map_or(&[][..], HeaderValue::as_bytes);
    bytes.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_graphic).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::resolved;

    const PROXY: &str = "10.0.0.1";

    fn other(flags: &[&str], peer: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let flags = [flags, &["--trusted-proxies", PROXY, "--allowed-hosts", "parlour"]].concat();
        let config = resolved(&flags, None).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let public = config.public_url.clone().unwrap();
        other_address(&headers.collect(), ClientIp(peer.parse().unwrap()), &public, &config).is_some()
    }

    #[test]
    fn every_other_host_scheme_and_port_is_another_address() {
        let https = &["--public-url", "https://chat.example"][..];
        for host in ["chat.example", "Chat.Example", "chat.example:443"] {
            assert!(!other(https, "192.0.2.1", &[("host", host)]), "{host}");
            assert!(other(https, "192.0.2.1", &[("host", host), ("x-forwarded-proto", "http")]), "{host}");
        }
        for host in ["chat.example:3000", "127.0.0.1:3000", "localhost", "[::1]:3000", "chat.example.", "parlour"] {
            assert!(other(https, "192.0.2.1", &[("host", host)]), "{host}");
        }
        let port = &["--public-url", "http://chat.example:8080"][..];
        assert!(!other(port, "192.0.2.1", &[("host", "chat.example:8080")]));
        assert!(!other(port, "192.0.2.1", &[("host", "chat.example:8080"), ("x-forwarded-proto", "http")]));
        assert!(other(port, "192.0.2.1", &[("host", "chat.example")]));
        assert!(!other(https, "192.0.2.1", &[]), "no browser");
    }

    #[test]
    fn a_trusted_proxy_tells_the_name_that_the_visitor_used() {
        let https = &["--public-url", "https://chat.example"][..];
        let forwarded =
            [("host", "127.0.0.1:3000"), ("x-forwarded-host", "chat.example"), ("x-forwarded-proto", "https")];
        assert!(!other(https, PROXY, &forwarded));
        assert!(other(https, "192.0.2.1", &forwarded), "anybody could say so");
        assert!(other(https, PROXY, &[("host", "parlour"), ("x-forwarded-host", "alias.example")]));
        assert!(!other(https, PROXY, &[("host", "parlour:3000")]), "a name of the proxy's own");
    }
}
