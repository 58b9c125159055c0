//! x
#[derive(Clone)]
pub struct Refused {
    pub message: String,
    pub username: Option<String>,
    pub detail: String,
}
pub fn shell(_o: leptos::prelude::LeptosOptions, _a: String) -> impl leptos::prelude::IntoView {
    ()
}
