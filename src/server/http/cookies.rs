//! Cookies: the visitor's identity and the visitor's name.

use crate::domain::Username;
use crate::domain::room::encode_segment;
use crate::server::auth::identity::IDENTITY_COOKIE;
use crate::server::config::Config;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;

/// Cookie with the visitor's name, percent-encoded.
const USERNAME_COOKIE: &str = "parlour_username";

/// Lifetime of a cookie, in seconds: a year. Browsers keep no cookie much longer (RFC 6265bis, section 5.5).
const COOKIE_MAX_AGE_SECONDS: u32 = 31_536_000;

/// Returns the name in the visitor's cookie, or `None` if there is no valid one.
pub(super) fn username(headers: &HeaderMap, suffix: Option<u32>, https: bool) -> Option<Username> {
    values(headers, &name(USERNAME_COOKIE, suffix, https)).find_map(|value| {
        let name = percent_decode_str(value).decode_utf8().ok()?;
        Username::parse(&name).ok()
    })
}

/// Returns the values of the cookies with this name. Cookies of other sites on the same host may contain any bytes.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().flat_map(|value| value.as_bytes().split(|b| *b == b';'));
    let pairs = cookies.filter_map(|pair| str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// Returns the name of a cookie, with the site's own suffix if it has one. Over https, the name has a prefix that lets
/// only this host set it, and only over https (RFC 6265bis, section 4.1.3.2).
pub(super) fn name(name: &str, suffix: Option<u32>, https: bool) -> String {
    let suffix = suffix.map_or_else(String::new, |suffix| format!("_{suffix:08x}"));
    format!("{}{name}{suffix}", if https { "__Host-" } else { "" })
}

/// Returns a persistent cookie that scripts cannot read. `value` must be visible ASCII.
fn persistent_cookie(name: &str, value: &str, suffix: Option<u32>, https: bool) -> HeaderValue {
    let (name, secure) = (self::name(name, suffix, https), if https { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; Path=/; Max-Age={COOKIE_MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(cookie).expect("visible ASCII")
}

/// Sets the cookie with the visitor's identity.
pub(super) fn set_identity(response: &mut Response, cookie: &str, suffix: Option<u32>, config: &Config) {
    let cookie = persistent_cookie(IDENTITY_COOKIE, cookie, suffix, config.is_https());
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Returns a cookie with the visitor's name.
pub(super) fn username_cookie(username: &Username, suffix: Option<u32>, https: bool) -> HeaderValue {
    persistent_cookie(USERNAME_COOKIE, &encode_segment(username.as_str()), suffix, https)
}

/// Sets a cookie with the visitor's name.
pub(crate) fn set_username_cookie(response: &mut Response, username: &Username, suffix: Option<u32>, config: &Config) {
    response.headers_mut().append(header::SET_COOKIE, username_cookie(username, suffix, config.is_https()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; b=2;c=3".parse().unwrap());
        headers.append(header::COOKIE, "b=4; bb=5".parse().unwrap());
        assert_eq!(values(&headers, "b").collect::<Vec<_>>(), ["2", "4"]);
        assert_eq!(values(&headers, "d").next(), None);
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"e=\xe9; b=6; \xff; f=\xc3\xa9").unwrap());
        assert_eq!(values(&headers, "b").collect::<Vec<_>>(), ["2", "4", "6"]);
    }

    #[test]
    fn any_name_fits_into_its_cookie() {
        let name = Username::parse("Zoë; 😀=\"a\", b").unwrap();
        let cookie = username_cookie(&name, None, false);
        let value = cookie.to_str().unwrap().split("; ").next().unwrap().split_once('=').unwrap().1;
        assert!(!value.contains([';', '"', ',', ' ']), "{value}");
        assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), name.as_str());
    }
}
