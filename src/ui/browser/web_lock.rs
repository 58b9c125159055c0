//! Web Locks (<https://www.w3.org/TR/web-locks/>): one tab of this browser at a time holds a lock.

use super::clock;
use super::dom::window;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect};
use std::time::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Maximum time to wait for another tab before going on without the lock.
const WEB_LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// A held lock, released on drop.
pub(crate) struct WebLockGuard(Function);

impl Drop for WebLockGuard {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

/// Waits for the lock of this name. Returns `None` after 3 seconds, or at once if the browser has no locks (over plain
/// http) or refuses them (if it blocks storage).
pub(crate) async fn acquire(name: &str) -> Option<WebLockGuard> {
    // Accessed by name, because web-sys does not count the interface as stable.
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let (grant, granted) = oneshot::channel();
    // The browser holds the lock until the promise resolves. If the caller no longer waits, the lock is released at
    // once.
    let mut grant = Some(grant);
    let on_grant = Closure::once_into_js(move || {
        Promise::new(&mut |release, _| {
            let _ = grant.take().map(|grant| grant.send(WebLockGuard(release)));
        })
    });
    // Settles when the lock is released or refused.
    let request: Promise = request.call2(&locks, &name.into(), &on_grant).ok()?.dyn_into().ok()?;
    match select(granted, select(clock::timer(WEB_LOCK_TIMEOUT), JsFuture::from(request))).await {
        Either::Left((guard, _)) => guard.ok(),
        Either::Right(_) => None,
    }
}
