//! The client: https, no redirects, no proxy, a time limit, and a bound on what is read of a response.

use super::resolver::{AddressLookup, GuardedResolver, NoPublicAddress, SystemLookup};
use super::target::{HostPort, Target, TargetRefused, check_target};
use axum::body::Body;
use axum::http::header::{HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use futures_util::StreamExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

type HttpClient = legacy::Client<HttpsConnector<HttpConnector<GuardedResolver>>, Body>;

/// Maximum time for a request, from the look-up of the name to the end of the response.
const OUTBOUND_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time for establishing a connection.
const OUTBOUND_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of bytes that are read of a response's body. A connection with more to read is closed.
const MAX_RESPONSE_BYTES: usize = 64 << 10;

/// Maximum time for reading a response's body.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for which an unused connection is kept, and the number of them for one host.
const IDLE_CONNECTION_TTL: Duration = Duration::from_secs(30);
const MAX_IDLE_CONNECTIONS: usize = 2;

/// The name of this program in requests.
const PRODUCT: HeaderValue = HeaderValue::from_static(concat!("Parlour/", env!("CARGO_PKG_VERSION")));

/// The response to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutboundResponse {
    pub(crate) status: u16,
    /// Time after which the server wants the next request, if it says so in seconds.
    pub(crate) retry_after: Option<Duration>,
}

/// The reason why a request got no response. Its text is shown to whoever named the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The URL is refused.
    #[error(transparent)]
    Refused(#[from] TargetRefused),
    /// The name leads to no public address.
    #[error("The name leads to no public server.")]
    NotPublic,
    /// The server did not answer in time.
    #[error("The server did not answer within 10 seconds.")]
    Timeout,
    /// The connection could not be established.
    #[error("The server could not be reached.")]
    Unreachable,
    /// The connection ended, or what came over it was no response.
    #[error("The server did not answer properly.")]
    Broken,
}

/// A client for requests to other servers; cheap to clone.
#[derive(Clone)]
pub(crate) struct OutboundClient {
    /// Connects to public addresses only.
    guarded: HttpClient,
    /// Connects to the hosts that are allowed as exceptions.
    open: HttpClient,
    allowed: Arc<[HostPort]>,
}

impl OutboundClient {
    /// Creates a client that trusts the certificate authorities of the system, or those in `SSL_CERT_FILE`. `allowed`
    /// are hosts that it also reaches at other ports and addresses.
    pub(crate) fn new(allowed: &[HostPort]) -> Self {
        Self::with_lookup(allowed, Arc::new(SystemLookup::default()))
    }

    pub(super) fn with_lookup(allowed: &[HostPort], lookup: Arc<dyn AddressLookup>) -> Self {
        let tls = tls_config();
        let client = |is_open| {
            let mut connector = HttpConnector::new_with_resolver(GuardedResolver::new(lookup.clone(), is_open));
            connector.enforce_http(false);
            connector.set_connect_timeout(Some(OUTBOUND_CONNECT_TIMEOUT));
            let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone());
            let https = if is_open { https.https_or_http() } else { https.https_only() };
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_CONNECTION_TTL)
                .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
                .build(https.enable_http1().wrap_connector(connector))
        };
        Self { guarded: client(false), open: client(true), allowed: allowed.into() }
    }

    /// Posts `body` to a URL. The URL is checked again, because it was stored under earlier settings.
    ///
    /// # Errors
    ///
    /// Returns why there was no response.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<OutboundResponse, OutboundError> {
        let Target { url, is_allowed } = check_target(url, &self.allowed)?;
        let client = if is_allowed { &self.open } else { &self.guarded };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.as_str().parse().map_err(|_| TargetRefused::Malformed)?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(USER_AGENT, PRODUCT);
        // The client derives it from the URL.
        request.headers_mut().remove(HOST);
        let answered = async {
            let response = client.request(request).await.map_err(|error| failure(&error))?;
            let status = response.status().as_u16();
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            // Only a response that was read lets the connection be used again. Its end says nothing about its status.
            let _ = tokio::time::timeout(BODY_READ_TIMEOUT, read_some(Body::new(response.into_body()))).await;
            Ok(OutboundResponse { status, retry_after: retry_after.map(Duration::from_secs) })
        };
        tokio::time::timeout(OUTBOUND_TIMEOUT, answered).await.unwrap_or(Err(OutboundError::Timeout))
    }
}

/// Reads a response's body, up to its bound.
async fn read_some(body: Body) {
    let (mut left, mut chunks) = (MAX_RESPONSE_BYTES, body.into_data_stream());
    while let Some(Ok(chunk)) = chunks.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn failure(error: &legacy::Error) -> OutboundError {
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<NoPublicAddress>() || inner.is_some_and(|inner| inner.is::<NoPublicAddress>()) {
            return OutboundError::NotPublic;
        }
        cause = error.source();
    }
    if error.is_connect() { OutboundError::Unreachable } else { OutboundError::Broken }
}

/// Returns TLS by the provider that the drivers of PostgreSQL and Redis use, too.
fn tls_config() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(errors = ?found.errors, "No certificate authorities were found: no https server is trusted");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests;
