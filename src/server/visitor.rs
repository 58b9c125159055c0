//! Who a request comes from: reads the identity's cookie, and gives one to a visitor of a page who has none.

use super::Shared;
use super::identity::{Author, COOKIE};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// A year, in seconds: browsers keep no cookie much longer (RFC 6265bis, section 5.5).
const YEAR: u32 = 31_536_000;

/// Makes the visitor's [`Author`] known to what follows, if the visitor has an identity.
pub(crate) async fn recognise(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    if let Some(author) = author(&shared, request.headers()) {
        request.extensions_mut().insert(author);
    }
    next.run(request).await
}

/// The same, and whoever has no identity gets one.
pub(crate) async fn welcome(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    if let Some(author) = author(&shared, request.headers()) {
        request.extensions_mut().insert(author);
        return next.run(request).await;
    }
    let (author, cookie) = shared.identities.create();
    request.extensions_mut().insert(author);
    let mut response = next.run(request).await;
    let cookie = format!("{COOKIE}={cookie}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax");
    let cookie = HeaderValue::try_from(cookie).expect("hexadecimal digits are visible ASCII");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn author(shared: &Shared, headers: &HeaderMap) -> Option<Author> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| if name == COOKIE { shared.identities.recognise(value) } else { None })
}
