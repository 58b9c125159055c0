//! Who a request comes from, as its cookies say: the identity, which a visitor of a page gets who has none, and the name
//! that the visitor goes by.

use super::Shared;
use super::identity::{Author, COOKIE, Identities};
use crate::domain::{KnownUsername, Username, room::encode_segment};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use leptos::prelude::{expect_context, use_context};
use percent_encoding::percent_decode_str;

/// The cookie with the visitor's name, percent-encoded.
const USERNAME_COOKIE: &str = "parlour_username";

/// A year, in seconds: browsers keep no cookie much longer (RFC 6265bis, section 5.5).
const YEAR: u32 = 31_536_000;

/// Makes the visitor's [`Author`] known to what follows, if the visitor has an identity, and the [`KnownUsername`].
pub(crate) async fn recognise(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    introduce(&shared, &mut request);
    next.run(request).await
}

/// The same, and whoever has no identity gets one.
pub(crate) async fn welcome(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    if introduce(&shared, &mut request) {
        return next.run(request).await;
    }
    let (author, cookie) = shared.identities.create();
    request.extensions_mut().insert(author);
    let mut response = next.run(request).await;
    response.headers_mut().append(header::SET_COOKIE, kept(COOKIE, &cookie));
    response
}

/// Returns whether the visitor has an identity.
fn introduce(shared: &Shared, request: &mut Request) -> bool {
    let author = cookies(request.headers(), COOKIE).find_map(|value| shared.identities.recognise(value));
    let username = cookies(request.headers(), USERNAME_COOKIE).find_map(|value| {
        let name = percent_decode_str(value).decode_utf8().ok()?;
        Username::parse(&name).ok()
    });
    let extensions = request.extensions_mut();
    extensions.insert(KnownUsername(username));
    if let Some(author) = author {
        extensions.insert(author);
    }
    author.is_some()
}

fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// A cookie that the browser keeps, and that scripts cannot read. Its value is visible ASCII.
fn kept(name: &str, value: &str) -> HeaderValue {
    let cookie = format!("{name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(cookie).expect("visible ASCII")
}

fn username_cookie(username: &Username) -> HeaderValue {
    kept(USERNAME_COOKIE, &encode_segment(username.as_str()))
}

/// Has the browser remember the name.
pub(crate) fn remember(response: &mut Response, username: &Username) {
    response.headers_mut().append(header::SET_COOKIE, username_cookie(username));
}

/// The same, inside a server function.
pub(crate) fn remember_by_function(username: &Username) {
    expect_context::<leptos_axum::ResponseOptions>().append_header(header::SET_COOKIE, username_cookie(username));
}

/// The status of the answer that says what was wrong with a request, inside a server function.
pub(crate) fn answer(status: u16) {
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// The author of the request that is being answered, inside a server function or a page; a guest, where there is none.
pub(crate) fn author_of_request() -> Author {
    of_request().unwrap_or_else(Identities::guest)
}

/// The name that the visitor goes by, inside a server function or a page.
pub(crate) fn username_of_request() -> Option<Username> {
    of_request::<KnownUsername>().and_then(|known| known.0)
}

fn of_request<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>()?.extensions.get::<T>().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; b=2;c=3".parse().unwrap());
        headers.append(header::COOKIE, "b=4; bb=5".parse().unwrap());
        assert_eq!(cookies(&headers, "b").collect::<Vec<_>>(), ["2", "4"]);
        assert_eq!(cookies(&headers, "d").next(), None);
    }

    #[test]
    fn any_name_fits_into_its_cookie() {
        let name = Username::parse("Zoë; 😀=\"a\", b").unwrap();
        let cookie = username_cookie(&name);
        let value = cookie.to_str().unwrap().split("; ").next().unwrap().split_once('=').unwrap().1;
        assert!(!value.contains([';', '"', ',', ' ']), "{value}");
        assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), name.as_str());
    }
}
