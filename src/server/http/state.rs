//! The state that handlers and sessions share.

use super::assets::Assets;
use super::form_token::FormTokenSigner;
use super::page_cache::PageCache;
use crate::server::auth::identity::IdentitySigner;
use crate::server::chat::Chat;
use crate::server::config::Config;
use crate::server::limits::rate_limiter::Limiter;
use crate::server::relay::Relay;
use crate::server::supervisor::Health;
use crate::server::telemetry::metrics::Metrics;
use std::ops::Deref;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// State that is shared by all requests; cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<AppStateInner>);

impl AppState {
    pub(crate) fn new(components: AppStateInner) -> Self {
        Self(Arc::new(components))
    }
}

impl Deref for AppState {
    type Target = AppStateInner;

    fn deref(&self) -> &AppStateInner {
        &self.0
    }
}

/// The components of this server.
pub(crate) struct AppStateInner {
    pub(crate) config: Arc<Config>,
    pub(crate) chat: Chat,
    pub(crate) identities: IdentitySigner,
    pub(crate) form_tokens: FormTokenSigner,
    pub(crate) limiter: Limiter,
    pub(crate) relay: Relay,
    pub(crate) assets: Assets,
    pub(crate) rendered: PageCache,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) sockets: TaskTracker,
    pub(crate) draining: CancellationToken,
}
