//! The visitor who sends a request: their address, the identity in their cookie, and their name. A visitor who opens a
//! page without an identity gets one.
//!
//! Cookies do not tell the ports of a host apart. A site whose cookie names are in use by another site on the host leaves
//! them alone and takes names of its own, which end with [`IdentitySigner::site_id`].

use crate::domain::room::encode_segment;
use crate::domain::{RememberedUsername, RoomKey, Username};
use crate::server::AppState;
use crate::server::auth::access::AccessDenied;
use crate::server::auth::identity::{AuthorId, IDENTITY_COOKIE, IdentitySigner};
use crate::server::config::Config;
use crate::server::http::client_ip::ClientIp;
use crate::server::limits::connection_counter::Network;
use axum::extract::{Query, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use leptos::prelude::{expect_context, use_context};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use std::sync::Arc;

/// Cookie with the visitor's name, percent-encoded.
const USERNAME_COOKIE: &str = "parlour_username";

/// A year, in seconds: browsers keep no cookie much longer (RFC 6265bis, section 5.5).
const COOKIE_MAX_AGE_SECONDS: u32 = 31_536_000;

/// The identity and the network of a request's sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    pub(crate) author: AuthorId,
    pub(crate) network: Network,
    /// The key in the address that admits the visitor to a private room.
    pub(crate) invitation: Option<RoomKey>,
    /// The end of this site's cookie names if another site on the host uses the plain ones.
    pub(crate) cookie_suffix: Option<u32>,
    /// Whether this identity is likely to be seen again: a browser has it, or gets it with the answer to an invitation.
    pub(crate) has_persistent_identity: bool,
}

#[derive(Deserialize)]
struct InvitationQuery {
    invitation: String,
}

/// Adds the [`Visitor`] and the [`RememberedUsername`] to the request. Without an identity, the author is a guest.
pub(crate) async fn identify(State(shared): State<AppState>, mut request: Request, next: Next) -> Response {
    extract_visitor(&shared, &mut request);
    next.run(request).await
}

/// Like [`identify`], but gives a visitor without an identity a new one, and renews an old cookie.
pub(crate) async fn identify_or_create(State(shared): State<AppState>, mut request: Request, next: Next) -> Response {
    let (visitor, renewed) = extract_visitor(&shared, &mut request);
    if !visitor.author.is_guest() {
        let mut response = next.run(request).await;
        if let Some(cookie) = renewed {
            keep_identity(&mut response, &cookie, &visitor, &shared.config);
        }
        return response;
    }
    if let Err(too_much) = shared.limiter.check_visitor(visitor.network) {
        return too_much.response("Too many new visitors come from your network. Try again a little later.");
    }
    let (author, cookie) = shared.identities.create();
    // Without a cookie, each post could come from a new author. Such an author therefore counts with the network's
    // guests.
    let posts = request.method() == Method::POST;
    let author = if posts { author.among_guests_like(&visitor.author) } else { author };
    request.extensions_mut().insert(Visitor {
        author,
        has_persistent_identity: visitor.invitation.is_some(),
        ..visitor
    });
    let mut response = next.run(request).await;
    keep_identity(&mut response, &cookie, &visitor, &shared.config);
    response
}

/// Returns the visitor, and a new cookie value if their cookie is old.
fn extract_visitor(shared: &AppState, request: &mut Request) -> (Visitor, Option<String>) {
    let (https, identities) = (shared.config.is_https(), &shared.identities);
    let headers = request.headers();
    let network = network(request.extensions(), headers, &shared.config);
    let verified = |suffix: Option<u32>| {
        cookies(headers, &cookie_name(IDENTITY_COOKIE, suffix, https))
            .find_map(|value| Some((identities.verify_from(value, network)?, identities.renew(value))))
    };
    let own_suffix = Some(identities.site_id());
    let (found, cookie_suffix) = match verified(own_suffix) {
        Some(found) => (Some(found), own_suffix),
        None => {
            let found = verified(None);
            let is_taken = cookies(headers, &cookie_name(IDENTITY_COOKIE, None, https)).next().is_some();
            let suffix = own_suffix.filter(|_| found.is_none() && is_taken);
            (found, suffix)
        }
    };
    let (author, renewed) = found.unzip();
    let invitation =
        Query::<InvitationQuery>::try_from_uri(request.uri()).ok().and_then(|it| RoomKey::parse(&it.invitation));
    let visitor = Visitor {
        has_persistent_identity: author.is_some(),
        author: author.unwrap_or_else(|| identities.guest_of(network)),
        network,
        invitation,
        cookie_suffix,
    };
    let username = cookies(headers, &cookie_name(USERNAME_COOKIE, cookie_suffix, https)).find_map(|value| {
        let name = percent_decode_str(value).decode_utf8().ok()?;
        Username::parse(&name).ok()
    });
    let extensions = request.extensions_mut();
    extensions.insert(RememberedUsername(username));
    extensions.insert(visitor);
    (visitor, renewed.flatten())
}

/// Returns the network that a request with these headers comes from.
pub(crate) fn network(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> Network {
    let peer = extensions.get::<ClientIp>().copied().unwrap_or(ClientIp::UNKNOWN);
    peer.client(headers, &config.trusted_proxies).into()
}

/// Returns the values of the cookies with this name. Cookies of other sites on the same host may contain any bytes.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().flat_map(|value| value.as_bytes().split(|b| *b == b';'));
    let pairs = cookies.filter_map(|pair| str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// Returns the name of a cookie. Over https, it has a prefix that only lets this very host, over https, set it (RFC
/// 6265bis, section 4.1.3.2).
fn cookie_name(name: &str, suffix: Option<u32>, https: bool) -> String {
    let suffix = suffix.map_or_else(String::new, |suffix| format!("_{suffix:08x}"));
    format!("{}{name}{suffix}", if https { "__Host-" } else { "" })
}

/// Returns a cookie that the browser keeps, and that scripts cannot read. Its value is visible ASCII.
fn persistent_cookie(name: &str, value: &str, suffix: Option<u32>, https: bool) -> HeaderValue {
    let (name, secure) = (cookie_name(name, suffix, https), if https { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; Path=/; Max-Age={COOKIE_MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(cookie).expect("visible ASCII")
}

fn keep_identity(response: &mut Response, cookie: &str, visitor: &Visitor, config: &Config) {
    let cookie = persistent_cookie(IDENTITY_COOKIE, cookie, visitor.cookie_suffix, config.is_https());
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

fn username_cookie(username: &Username, suffix: Option<u32>, https: bool) -> HeaderValue {
    persistent_cookie(USERNAME_COOKIE, &encode_segment(username.as_str()), suffix, https)
}

/// Sets a cookie with the visitor's name.
pub(crate) fn set_username_cookie(response: &mut Response, username: &Username, visitor: &Visitor, config: &Config) {
    let cookie = username_cookie(username, visitor.cookie_suffix, config.is_https());
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Like [`set_username_cookie`], inside a server function.
pub(crate) fn set_username_cookie_from_server_fn(username: &Username) {
    let https = expect_context::<Arc<Config>>().is_https();
    let cookie = username_cookie(username, current_visitor().cookie_suffix, https);
    expect_context::<leptos_axum::ResponseOptions>().append_header(header::SET_COOKIE, cookie);
}

/// Sets the status of the response, inside a server function.
pub(crate) fn set_status(status: u16) {
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// Sets the status of a visitor who may not enter a room, inside a server function. Returns the sentence to show.
pub(crate) fn access_denied(denied: &AccessDenied) -> String {
    set_status(denied.status().as_u16());
    denied.to_string()
}

/// Returns the visitor, inside a server function or a page.
pub(crate) fn current_visitor() -> Visitor {
    let nobody = || Visitor {
        author: IdentitySigner::guest(),
        network: ClientIp::UNKNOWN.0.into(),
        invitation: None,
        cookie_suffix: None,
        has_persistent_identity: false,
    };
    extension_of_request().unwrap_or_else(nobody)
}

/// Returns the visitor's name, inside a server function or a page.
pub(crate) fn current_username() -> Option<Username> {
    extension_of_request::<RememberedUsername>().and_then(|known| known.0)
}

fn extension_of_request<T: Clone + Send + Sync + 'static>() -> Option<T> {
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
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"e=\xe9; b=6; \xff; f=\xc3\xa9").unwrap());
        assert_eq!(cookies(&headers, "b").collect::<Vec<_>>(), ["2", "4", "6"]);
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
