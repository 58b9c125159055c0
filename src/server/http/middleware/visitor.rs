//! The visitor who sends a request: their address, the identity that their token or cookie proves, and their name. A
//! visitor who opens a page without an identity gets one.
//!
//! Cookies do not distinguish the ports of a host. If another site on the host uses the cookie names, this site leaves
//! them alone and uses names that end with [`IdentitySigner::site_id`].

use super::authorization::{TokenRefusal, token_identity};
use crate::domain::{RememberedUsername, RoomKey};
use crate::server::auth::identity::{AuthorId, IDENTITY_COOKIE, IdentitySigner};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::tokens::TokenIdentity;
use crate::server::config::Config;
use crate::server::http::cookies;
use crate::server::http::problem::Problem;
use crate::server::http::state::AppState;
use crate::server::limits::rate_limiter::RateLimited;
use crate::server::network::Network;
use crate::server::network::client_ip::ClientIp;
use axum::extract::{Query, Request, State};
use axum::http::{Extensions, HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

pub(crate) const TOO_MANY_VISITORS: &str = "Too many new visitors come from your network. Try again a little later.";

#[derive(Deserialize)]
struct InvitationQuery {
    invitation: String,
}

/// Adds the [`Visitor`] and the [`RememberedUsername`] to the request. Without an identity, the author is a guest.
pub(crate) async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    match extract_visitor(&state, &mut request).await {
        Ok(_) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Like [`identify`], but gives a visitor without an identity a new one, and renews an old cookie. Programs that read
/// JSON or bring a token get no cookie.
pub(crate) async fn identify_or_create(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Identified { visitor, renewed, by_token } = match extract_visitor(&state, &mut request).await {
        Ok(identified) => identified,
        Err(refusal) => return refusal.into_response(),
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !visitor.author.is_guest() || by_token || reads && Problem::is_readable_by(request.headers()) {
        let mut response = next.run(request).await;
        if let Some(cookie) = renewed {
            cookies::set_identity(&mut response, &cookie, visitor.cookie_suffix, &state.config);
        }
        return response;
    }
    let (created, cookie) = match create_identity(&state, &visitor) {
        Ok(created) => created,
        Err(limited) => return limited.response(TOO_MANY_VISITORS),
    };
    // Without a cookie, each post could come from a new author. Such an author therefore counts with the network's
    // guests.
    let posts = request.method() == Method::POST;
    let author = if posts { created.author.among_guests_like(&visitor.author) } else { created.author };
    request.extensions_mut().insert(Visitor { author, ..created });
    let mut response = next.run(request).await;
    cookies::set_identity(&mut response, &cookie, visitor.cookie_suffix, &state.config);
    response
}

/// Gives a guest a new identity. Returns the visitor with it, and the value of the cookie that proves it.
///
/// # Errors
///
/// Returns how long to wait if the network has too many new visitors.
pub(crate) fn create_identity(state: &AppState, guest: &Visitor) -> Result<(Visitor, String), RateLimited> {
    state.limiter.check_visitor(guest.network)?;
    let (author, cookie) = state.identities.create();
    Ok((Visitor { author, has_persistent_identity: guest.invitation.is_some(), ..*guest }, cookie))
}

/// The sender of a request.
struct Identified {
    visitor: Visitor,
    /// The value of a new cookie, if the visitor's is old.
    renewed: Option<String>,
    /// Whether the request has a token. Its cookies do not count then.
    by_token: bool,
}

/// Adds the visitor to the request, and returns them.
///
/// # Errors
///
/// Returns the reason not to answer the request.
async fn extract_visitor(state: &AppState, request: &mut Request) -> Result<Identified, TokenRefusal> {
    let token = token_identity(state, request.headers(), request.uri().path()).await?;
    let (https, identities) = (state.config.is_https(), &state.identities);
    let headers = request.headers();
    let network = network(request.extensions(), headers, &state.config);
    let (found, cookie_suffix) = find_identity(identities, headers, network, https);
    let by_token = token.is_some();
    let (author, renewed, username) = match token {
        Some(TokenIdentity::Known(author, label)) => (Some(author), None, Some(label)),
        Some(_) => (None, None, None),
        None => {
            let (author, renewed) = match found {
                None if https => taken_over(identities, headers, network).unzip(),
                found => {
                    let (author, renewed) = found.unzip();
                    (author, renewed.flatten())
                }
            };
            let username = cookies::username(headers, cookie_suffix, https);
            (author, renewed, username.or_else(|| cookies::username(headers, cookie_suffix, false)))
        }
    };
    let invitation =
        Query::<InvitationQuery>::try_from_uri(request.uri()).ok().and_then(|query| RoomKey::parse(&query.invitation));
    let visitor = Visitor {
        has_persistent_identity: author.is_some(),
        author: author.unwrap_or_else(|| identities.guest_of(network)),
        network,
        invitation,
        cookie_suffix,
    };
    let extensions = request.extensions_mut();
    extensions.insert(RememberedUsername(username));
    extensions.insert(visitor);
    Ok(Identified { visitor, renewed, by_token })
}

/// Returns the visitor whom a cookie from before the site had TLS proves, and the value of the cookie that replaces it.
fn taken_over(identities: &IdentitySigner, headers: &HeaderMap, network: Network) -> Option<(AuthorId, String)> {
    [Some(identities.site_id()), None].into_iter().find_map(|suffix| {
        let name = cookies::name(IDENTITY_COOKIE, suffix, false);
        cookies::values(headers, &name).find_map(|value| identities.take_over(value, network))
    })
}

/// Returns the author whom a cookie of this site proves, with a new cookie value if it is old, and the suffix of this
/// site's cookie names: `None`, unless another site on the host uses the plain names.
fn find_identity(
    identities: &IdentitySigner,
    headers: &HeaderMap,
    network: Network,
    https: bool,
) -> (Option<(AuthorId, Option<String>)>, Option<u32>) {
    let verified = |suffix: Option<u32>| {
        cookies::values(headers, &cookies::name(IDENTITY_COOKIE, suffix, https))
            .find_map(|value| Some((identities.verify_from(value, network)?, identities.renew(value))))
    };
    let own_suffix = Some(identities.site_id());
    if let Some(found) = verified(own_suffix) {
        return (Some(found), own_suffix);
    }
    let found = verified(None);
    let is_taken = cookies::values(headers, &cookies::name(IDENTITY_COOKIE, None, https)).next().is_some();
    let suffix = own_suffix.filter(|_| found.is_none() && is_taken);
    (found, suffix)
}

/// Returns the network that a request with these headers comes from.
pub(crate) fn network(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> Network {
    let peer = extensions.get::<ClientIp>().copied().unwrap_or(ClientIp::UNKNOWN);
    peer.client(headers, &config.trusted_proxies).into()
}
