//! Web Locks (<https://www.w3.org/TR/web-locks/>): of all tabs of this browser, one at a time holds a lock.

use super::window;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::set_timeout;
use std::time::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// So long a tab waits for another one before it goes on without the lock.
const PATIENCE: Duration = Duration::from_secs(3);

/// A lock; dropping it lets the next tab have it.
pub(crate) struct Held(Function);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

/// Waits for the lock of this name. `None` where there are no locks (over plain http), and when it takes too long.
pub(crate) async fn hold(name: &str) -> Option<Held> {
    // By name: the interface is not among the stable ones of web-sys.
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let (grant, granted) = oneshot::channel();
    let (give_up, given_up) = oneshot::channel::<()>(); // never sent, only dropped
    // The browser holds the lock until the promise is kept. If nobody waits any more, what is sent is dropped at once.
    let mut grant = Some(grant);
    let on_grant = Closure::once_into_js(move || {
        Promise::new(&mut |release, _| {
            let _ = grant.take().map(|grant| grant.send(Held(release)));
        })
    });
    request.call2(&locks, &name.into(), &on_grant).ok()?;
    set_timeout(move || drop(give_up), PATIENCE);
    match select(granted, given_up).await {
        Either::Left((held, _)) => held.ok(),
        Either::Right(_) => None,
    }
}
