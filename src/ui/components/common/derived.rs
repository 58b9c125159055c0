//! Derived signals of one type each; see [`components`](crate::ui::components) for the reason.

use leptos::prelude::*;

/// Returns a text that changes with the signals that `read` reads.
pub(crate) fn text<T: Into<String>>(read: impl Fn() -> T + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(move || read().into())
}

/// Returns a condition that changes with the signals that `read` reads.
pub(crate) fn when(read: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(read)
}
