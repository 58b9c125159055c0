//! Which site a request comes from. A page of another site must not speak with a visitor's cookie.

use axum::http::{HeaderMap, header};

/// Whether the request comes from the site's own pages: its `Origin` is the site's (scheme, host and port compared
/// exactly). `None` where no `Origin` was sent: not a browser, or not a request that carries one.
///
/// The site is `public_url` (an origin, as configuration has it); without one, what the request's `Host` says.
pub(crate) fn is_own(headers: &HeaderMap, public_url: Option<&str>) -> Option<bool> {
    let origin = headers.get(header::ORIGIN)?.as_bytes();
    let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
    Some(match public_url {
        Some(site) => origin == site.as_bytes(),
        None => host().is_some_and(|host| origin == format!("http://{host}").as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "chat.example:3000".parse().unwrap());
        origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().unwrap()));
        headers
    }

    #[test]
    fn the_sites_own_origin_is_known_by_the_host() {
        assert_eq!(is_own(&headers(None), None), None);
        assert_eq!(is_own(&headers(Some("http://chat.example:3000")), None), Some(true));
        for foreign in ["http://chat.example", "https://chat.example:3000", "http://chat.example:3000.evil", "null"] {
            assert_eq!(is_own(&headers(Some(foreign)), None), Some(false), "{foreign}");
        }
    }

    #[test]
    fn a_public_url_is_the_only_origin() {
        let site = Some("https://chat.example");
        assert_eq!(is_own(&headers(Some("https://chat.example")), site), Some(true));
        assert_eq!(is_own(&headers(Some("http://chat.example:3000")), site), Some(false));
    }
}
