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

/// Whether a page of this site sends something, or no page at all. Browsers say where a request comes from in
/// `Sec-Fetch-Site` (Fetch Metadata, W3C); where they do not, as over http to another machine, `Origin` tells. Pages
/// say in their head that their own site may be told of them: under `no-referrer` their forms would be sent with
/// `Origin: null`.
pub(crate) fn may_send(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
        Some(site) => matches!(site, b"same-origin" | b"none"),
        None => is_own(headers, public_url) != Some(false),
    }
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

    #[test]
    fn what_a_browser_says_of_the_site_counts_before_the_origin() {
        let from = |site: &'static str, origin| {
            let mut headers = headers(Some(origin));
            headers.insert("sec-fetch-site", site.parse().unwrap());
            may_send(&headers, None)
        };
        assert!(from("same-origin", "null"));
        assert!(!from("cross-site", "http://chat.example:3000"));
        assert!(!from("same-site", "null"));
        assert!(!may_send(&headers(Some("null")), None));
        assert!(may_send(&headers(None), None), "a command-line client");
    }
}
