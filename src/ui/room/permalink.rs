//! The notice about a URL whose number is not a message.

use crate::domain::RoomView;

/// Notice if the number in the URL is not that of a message.
pub(super) const NO_SUCH_MESSAGE: &str = "This message doesn’t exist.";

/// Returns the notice of a page: empty, unless its URL names a number that is not that of a message.
pub(super) fn notice_of(page: &RoomView) -> String {
    let has = |seq| page.history.messages.iter().any(|message| message.seq == seq);
    if page.permalink.is_some_and(|seq| !has(seq)) { NO_SUCH_MESSAGE } else { "" }.to_owned()
}
