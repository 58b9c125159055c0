//! Memory budget for responses that clients have not read yet, per network and in total. A response is complete before
//! it is sent, so that a slow client holds only its bytes: no encoder, no rendered page.

use crate::server::network::{Network, SITE, WiderNetwork};
use crate::server::sync::lock;
use crate::server::websocket::HeadOnly;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Maximum size of unread responses per network, and in total, in KiB.
const MAX_KIB_PER_NETWORK: usize = 24 << 10;
const MAX_KIB_TOTAL: usize = 256 << 10;

/// Size that is reserved for a response before it is made, in KiB: a long page, compressed.
const EXPECTED_RESPONSE_KIB: u32 = 256;

/// Maximum size of a response that is not counted, in bytes.
const MAX_UNCOUNTED_BYTES: u64 = 8 << 10;

/// Maximum time that a request waits until its network has read other responses.
const BUDGET_WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Number of tracked networks above which those without unread responses are forgotten.
const MAX_TRACKED_NETWORKS: usize = 1024;

/// First path segments whose responses are small, or shared in memory.
const UNCOUNTED_PATHS: [&str; 7] = ["assets", "favicon.ico", "healthz", "metrics", "readyz", "robots.txt", "ws"];

/// A cheap-to-clone handle on the budget.
#[derive(Clone)]
pub(crate) struct ResponseBudget {
    networks: Semaphores<Network>,
    sites: Semaphores<WiderNetwork>,
    together: Arc<Semaphore>,
}

/// Semaphores by key. One exists for as long as it is used.
type Semaphores<K> = Arc<Mutex<HashMap<K, Weak<Semaphore>>>>;

/// The part of the budget that is available to one request.
#[derive(Clone)]
pub(crate) struct ResponseSlot {
    network: Option<Arc<Semaphore>>,
    site: Option<Arc<Semaphore>>,
    together: Arc<Semaphore>,
}

/// Budget reserved for one response.
struct Reserved {
    permits: Vec<OwnedSemaphorePermit>,
}

/// The bytes of a response, with the budget they hold for as long as they are in memory.
struct BudgetedBody {
    bytes: Bytes,
    _reserved: Reserved,
}

impl AsRef<[u8]> for BudgetedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for ResponseBudget {
    fn default() -> Self {
        Self { networks: Arc::default(), sites: Arc::default(), together: Arc::new(Semaphore::new(MAX_KIB_TOTAL)) }
    }
}

impl ResponseBudget {
    /// Returns the slot for a request from this network, if the network is counted.
    pub(crate) fn slot(&self, network: Option<Network>) -> ResponseSlot {
        let site = network.and_then(Network::site);
        let site = site.map(|site| semaphore_of(&self.sites, site, MAX_KIB_PER_NETWORK * SITE as usize));
        let network = network.map(|network| semaphore_of(&self.networks, network, MAX_KIB_PER_NETWORK));
        ResponseSlot { network, site, together: self.together.clone() }
    }
}

/// Returns the semaphore of `key`, with `kib` permits if it is new.
fn semaphore_of<K: Eq + Hash>(all: &Semaphores<K>, key: K, kib: usize) -> Arc<Semaphore> {
    let all = &mut *lock(all);
    if all.len() >= MAX_TRACKED_NETWORKS {
        all.retain(|_, semaphore| semaphore.strong_count() > 0);
    }
    let known = all.entry(key).or_default();
    known.upgrade().unwrap_or_else(|| {
        let semaphore = Arc::new(Semaphore::new(kib));
        *known = Arc::downgrade(&semaphore);
        semaphore
    })
}

impl ResponseSlot {
    /// Calls `answer` with `request` once the budget allows; returns 503 if it does not in time.
    pub(crate) async fn answer(self, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        let segment = request.uri().path().split('/').nth(1).unwrap_or_default();
        if UNCOUNTED_PATHS.contains(&segment) {
            return answer(request).await;
        }
        // The response to a form is small, and the form itself may take its time to arrive.
        let expected = if matches!(*request.method(), Method::GET | Method::HEAD) { EXPECTED_RESPONSE_KIB } else { 1 };
        let Ok(mut reserved) = timeout(BUDGET_WAIT_TIMEOUT, self.reserve(expected)).await else { return limited() };
        let (head, body) = answer(request).await.into_parts();
        if head.extensions.get::<HeadOnly>().is_some()
            || body.size_hint().exact().is_some_and(|size| size <= MAX_UNCOUNTED_BYTES)
        {
            return Response::from_parts(head, body);
        }
        // Polled without interruption while the body is ready, so that there are never more encoders than cores.
        let Ok(bytes) = to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        if !self.adjust(&mut reserved, bytes.len()) {
            return limited();
        }
        let held = Bytes::from_owner(BudgetedBody { bytes, _reserved: reserved });
        Response::from_parts(head, Body::from(held))
    }

    fn semaphores(&self) -> impl Iterator<Item = &Arc<Semaphore>> {
        self.network.iter().chain(&self.site).chain([&self.together])
    }

    async fn reserve(&self, expected: u32) -> Reserved {
        let mut permits = Vec::with_capacity(3);
        for semaphore in self.semaphores() {
            permits.extend(semaphore.clone().acquire_many_owned(expected).await);
        }
        Reserved { permits }
    }

    /// Adjusts the reservation to a response of `bytes`. Returns whether it fits into the budget.
    fn adjust(&self, reserved: &mut Reserved, bytes: usize) -> bool {
        let needed = bytes.div_ceil(1024);
        reserved.permits.iter_mut().zip(self.semaphores()).all(|(permit, semaphore)| {
            let has = permit.num_permits();
            if needed <= has {
                drop(permit.split(has - needed));
                return true;
            }
            let more = u32::try_from(needed - has).ok().map(|more| semaphore.clone().try_acquire_many_owned(more));
            more.and_then(Result::ok).map(|more| permit.merge(more)).is_some()
        })
    }
}

fn limited() -> Response {
    let detail = "Too many answers wait to be read. Try again in a moment.";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], detail).into_response()
}
