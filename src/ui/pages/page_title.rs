//! The title of a page in its head.

use leptos::prelude::*;
use leptos_meta::Title;

/// Sets the title of the page. `leptos_meta` writes it into the head as it is, so that a title with markup would end the
/// element; what would be markup is escaped here.
#[component]
pub(super) fn PageTitle(text: String) -> impl IntoView {
    view! { <Title text=escaped_title(&text) /> }
}

/// Returns `text` as the content of a `<title>` (WHATWG HTML, "escapable raw text elements").
fn escaped_title(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_does_not_end_its_element() {
        assert_eq!(escaped_title("</title><b>&amp; x"), "&lt;/title>&lt;b>&amp;amp; x");
    }
}
