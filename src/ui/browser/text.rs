//! Properties of characters, from the browser: tables would enlarge the module.

use crate::domain::username;
use js_sys::{Array, JsString, RegExp};

/// A grapheme cluster of a username: a flag, emoji that are joined, or a character with its marks and joiners.
const GRAPHEME_PATTERN: &str = concat!(
    r"\p{RI}\p{RI}",
    r"|\p{ExtPict}[\p{M}\p{EMod}]*(?:\u200d\p{ExtPict}[\p{M}\p{EMod}]*)*",
    r"|.[\p{M}\p{EMod}\u200c\u200d]*",
);

/// Returns up to `max` initials of a name, as [`username::initials`] does on the server.
pub(crate) fn initials(name: &str, max: usize) -> String {
    let found = JsString::from(name).match_(&RegExp::new(GRAPHEME_PATTERN, "gu"));
    let clusters = found.map(|found| Array::from(&found)).unwrap_or_default();
    let clusters: Vec<String> = clusters.iter().filter_map(|cluster| cluster.as_string()).collect();
    username::initials(clusters.iter().map(String::as_str), max)
}
