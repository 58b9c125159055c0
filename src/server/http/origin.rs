//! Origin checks. A page of another site must not send requests with a visitor's cookie.

use axum::http::{HeaderMap, header};

/// Returns whether the request comes from the site's own pages: whether its `Origin` is the site's (scheme, host and
/// port compared exactly). Returns `None` if there is no `Origin`: the client is not a browser, or sends none with such
/// a request.
///
/// The site is `public_url` (an origin, as in the configuration) or, without one, the request's `Host`.
pub(crate) fn is_same_origin(headers: &HeaderMap, public_url: Option<&str>) -> Option<bool> {
    let origin = headers.get(header::ORIGIN)?.as_bytes();
    Some(own(headers, public_url).is_some_and(|own| origin == own.as_bytes()))
}

/// Returns the site's own origin, or `None` if it is not configured and the request has no `Host`.
pub(super) fn own(headers: &HeaderMap, public_url: Option<&str>) -> Option<String> {
    // Browsers leave out the default port in `Origin` (RFC 6454, section 6.2); clients may send it in `Host`.
    let of_host = || {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        Some(format!("http://{}", host.strip_suffix(":80").unwrap_or(host)))
    };
    public_url.map(str::to_owned).or_else(of_host)
}

/// Returns the path of the site's own page in `Referer`, or `Some(None)` if the page is another site's. Returns `None`
/// without a `Referer`, which many links and privacy settings leave out.
fn own_page<'a>(headers: &'a HeaderMap, public_url: Option<&str>) -> Option<Option<&'a str>> {
    let referer = headers.get(header::REFERER)?.to_str().unwrap_or_default();
    let path = own(headers, public_url).and_then(|own| referer.strip_prefix(&own));
    Some(path.filter(|path| path.starts_with('/')))
}

/// Returns whether a `GET` request was sent by the front page's form, which is the case if it comes from the front
/// page. Pages send a `Referer` to their own site, and links in messages send none (`noreferrer`). Returns `false`
/// without proof.
pub(crate) fn is_of_front_page(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let path = own_page(headers, public_url).flatten().and_then(|path| path.split(['?', '#']).next());
    path == Some("/") && !is_elsewhere(headers)
}

/// Returns whether the browser reports that another site is involved in the request.
pub(crate) fn is_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin")
}

/// Returns whether the request was sent by a page of this site, or by no page at all. Browsers report that in
/// `Sec-Fetch-Site` (Fetch Metadata, W3C). If they omit it, as over http to another machine, `Origin` is checked, or
/// else `Referer`. Pages declare a referrer policy for their own site in their head: under `no-referrer`, browsers
/// would send their forms with `Origin: null`.
pub(crate) fn is_same_origin_request(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
        Some(site) => matches!(site, b"same-origin" | b"none"),
        None => is_same_origin(headers, public_url).unwrap_or_else(|| own_page(headers, public_url) != Some(None)),
    }
}

/// Returns whether the headers name the page that has sent the request, as browsers do with forms.
pub(crate) fn names_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
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
        assert_eq!(is_same_origin(&headers(None), None), None);
        assert_eq!(is_same_origin(&headers(Some("http://chat.example:3000")), None), Some(true));
        for foreign in ["http://chat.example", "https://chat.example:3000", "http://chat.example:3000.evil", "null"] {
            assert_eq!(is_same_origin(&headers(Some(foreign)), None), Some(false), "{foreign}");
        }
    }

    #[test]
    fn the_default_port_may_be_said() {
        let mut headers = headers(Some("http://chat.example"));
        headers.insert(header::HOST, "chat.example:80".parse().unwrap());
        headers.insert(header::REFERER, "http://chat.example/".parse().unwrap());
        assert_eq!((is_same_origin(&headers, None), is_of_front_page(&headers, None)), (Some(true), true));
        headers.insert(header::HOST, "chat.example:8080".parse().unwrap());
        assert_eq!(is_same_origin(&headers, None), Some(false));
    }

    #[test]
    fn a_public_url_is_the_only_origin() {
        let site = Some("https://chat.example");
        assert_eq!(is_same_origin(&headers(Some("https://chat.example")), site), Some(true));
        assert_eq!(is_same_origin(&headers(Some("http://chat.example:3000")), site), Some(false));
    }

    #[test]
    fn fetch_metadata_counts_before_the_origin() {
        let from = |site: &'static str, origin| {
            let mut headers = headers(Some(origin));
            headers.insert("sec-fetch-site", site.parse().unwrap());
            is_same_origin_request(&headers, None)
        };
        assert!(from("same-origin", "null"));
        assert!(!from("cross-site", "http://chat.example:3000"));
        assert!(!from("same-site", "null"));
        assert!(!is_same_origin_request(&headers(Some("null")), None));
        assert!(is_same_origin_request(&headers(None), None), "a command-line client");
    }

    #[test]
    fn the_front_form_is_known_by_the_page_it_comes_from() {
        let from = |referer: &'static str, site: Option<&'static str>| {
            let mut headers = headers(None);
            headers.insert(header::REFERER, referer.parse().unwrap());
            site.map(|site| headers.insert("sec-fetch-site", site.parse().unwrap()));
            (is_of_front_page(&headers, None), is_same_origin_request(&headers, None))
        };
        let own = "http://chat.example:3000";
        for front in ["http://chat.example:3000/", "http://chat.example:3000/?room_name=a%2Fb"] {
            assert_eq!(from(front, None), (true, true), "{front}");
            assert_eq!(from(front, Some("same-origin")), (true, true), "{front}");
            assert_eq!(from(front, Some("cross-site")), (false, false), "{front}");
            assert_eq!(from(front, Some("none")), (false, true), "{front}");
        }
        assert_eq!(from("http://chat.example:3000/harbour/", None), (false, true), "a link in a message");
        assert_eq!(from(own, None), (false, false), "browsers send a path");
        for foreign in
            ["http://evil.example/", "http://chat.example:3000.evil/", "http://chat.example:30001/", "", "null"]
        {
            assert_eq!(from(foreign, None), (false, false), "{foreign}");
        }
        assert!(!is_of_front_page(&headers(None), None));
    }
}
