//! Derived signals of one type each; see [`components`](crate::ui::components) for the reason.

use leptos::prelude::*;

/// Returns a text that changes with the signals that `read` reads.
pub(crate) fn text<T: Into<String>>(read: impl Fn() -> T + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(move || read().into())
}

/// Returns whether a text is not empty. The server renders a space in place of an empty text, so CSS cannot tell.
pub(crate) fn is_filled(text: Signal<String>) -> Signal<bool> {
    when(move || text.with(|text| !text.is_empty()))
}

/// Returns a condition that changes with the signals that `read` reads.
pub(crate) fn when(read: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(read)
}
