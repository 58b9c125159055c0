//! Window, document, keyboard and clipboard.

use js_sys::Reflect;
use leptos::prelude::window_event_listener_untyped;
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ClipboardEvent, Document, Element, Event, FocusOptions, HtmlElement, KeyboardEvent, MouseEvent};

thread_local! {
    /// Whether another instance of the module takes over the room. Every instance has its own variable.
    static IS_REPLACED: Cell<bool> = const { Cell::new(false) };
}

/// Handles the events of this name that reach the window, until another instance of the module takes over the room.
pub(crate) fn on_window(name: &str, handler: Box<dyn Fn(Event)>) {
    window_event_listener_untyped(name, move |event| {
        if !IS_REPLACED.get() {
            handler(event);
        }
    });
}

/// Returns the window.
pub(crate) fn window() -> web_sys::Window {
    web_sys::window().expect("this runs in a page")
}

/// Returns whether the device reports a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Returns whether the page is hidden, for example in a background tab.
pub(crate) fn is_hidden() -> bool {
    document().hidden()
}

/// Returns whether the page is visible and has the focus.
pub(crate) fn has_focus() -> bool {
    !is_hidden() && document().has_focus().unwrap_or(true)
}

/// Returns the first element of the page that matches a selector.
pub(crate) fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Gives an element the focus.
pub(crate) fn focus(element: Element) {
    let _ = element.unchecked_into::<HtmlElement>().focus();
}

/// Gives an element the focus, without scrolling to it.
pub(crate) fn focus_in_place(element: Element) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.unchecked_into::<HtmlElement>().focus_with_options(&options);
}

/// Moves the focus by `step` among the parts of a dialog that match a selector and are laid out.
pub(crate) fn step_focus(event: &Event, parts: &str, step: i32) {
    let Some(dialog) = closest(event, "dialog") else { return };
    let all = dialog.get_elements_by_tag_name("*");
    let is_part = |element: &Element| element.matches(parts).unwrap_or(false) && is_shown(element);
    let parts: Vec<Element> = (0..all.length()).filter_map(|index| all.item(index)).filter(is_part).collect();
    let focused = parts.iter().position(|part| closest(event, "*").as_ref() == Some(part)).map_or(0, |at| at as i32);
    if let Some(part) = usize::try_from(focused + step).ok().and_then(|index| parts.get(index)) {
        focus(part.clone());
    }
}

/// Returns the element that has the focus.
pub(crate) fn focused() -> Option<Element> {
    document().active_element()
}

/// Returns whether the primary pointer is a finger.
pub(crate) fn is_touch() -> bool {
    matches_media("(pointer: coarse)")
}

/// Returns whether the page is wide enough for the rail beside the messages (`recent_rooms.css`).
pub(crate) fn is_wide() -> bool {
    matches_media("(min-width: 70rem)")
}

/// Writes a text to the clipboard. Returns whether it succeeded. Pages over plain http have no clipboard, and visitors
/// may deny access.
pub(crate) async fn write_clipboard(text: &str) -> bool {
    let navigator = window().navigator();
    let has_clipboard = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Selects the text of an element, for visitors to copy it themselves.
pub(crate) fn select_text(element: &Element) {
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(element);
    }
}

/// Returns the width and the height of the window, in CSS pixels.
pub(crate) fn window_size() -> (f64, f64) {
    let window = window();
    let pixels = |size: Result<JsValue, JsValue>| size.ok().and_then(|size| size.as_f64()).unwrap_or_default();
    (pixels(window.inner_width()), pixels(window.inner_height()))
}

/// Returns whether a text is selected.
pub(crate) fn has_selection() -> bool {
    window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed())
}

/// Returns whether a key belongs to the input method editor. Key code 229 covers browsers that don't set `isComposing`.
pub(crate) fn is_ime_event(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == 229
}

/// Returns whether a key is pressed together with another one that changes its meaning.
pub(crate) fn has_modifier(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key() || event.shift_key()
}

/// Returns the right, upper and lower edge of an element in the window, in CSS pixels.
pub(crate) fn edges(element: &Element) -> (f64, f64, f64) {
    let rect = element.get_bounding_client_rect();
    (rect.right(), rect.top(), rect.bottom())
}

/// Returns whether an element is laid out.
pub(crate) fn is_shown(element: &Element) -> bool {
    element.get_bounding_client_rect().height() > 0.0
}

/// Returns whether a key types a character while no field has the focus.
pub(crate) fn is_typing_outside_input(event: &KeyboardEvent) -> bool {
    let key = event.key();
    let types = key.chars().count() == 1 && key != " " || key == "Dead" || is_ime_event(event);
    // A key that an extension has used is not typed.
    let types = types && !event.default_prevented();
    // Some keyboard layouts type `@` with AltGr, which reports Ctrl and Alt.
    let is_command = (event.ctrl_key() || event.meta_key() || event.alt_key()) && !event.get_modifier_state("AltGraph");
    types && !is_command && !has_focused_input()
}

/// The elements that may have the focus while the visitor types into no field: the page, and those of the room that
/// take no text. Any other element may be a field, such as an element of an extension, whose shadow tree cannot be
/// seen.
const TAKES_NO_TEXT: &str =
    "body, html, .room :is(a, button, summary, .timeline, .message):not([contenteditable], dialog *)";

/// Returns whether a field or a dialog has the focus.
pub(crate) fn has_focused_input() -> bool {
    focused().is_some_and(|element| !element.matches(TAKES_NO_TEXT).unwrap_or(false))
}

/// Returns whether the modifier key of the system's shortcuts is held: Cmd on Apple's systems, where Ctrl and a letter
/// edit text, and Ctrl elsewhere.
pub(crate) fn is_shortcut(event: &KeyboardEvent) -> bool {
    let navigator = window().navigator();
    let systems = [navigator.platform(), navigator.user_agent()];
    let is_apple = systems.iter().flatten().any(|system| system.as_bytes().windows(3).any(|part| part == b"Mac"));
    event.meta_key() || event.ctrl_key() && !is_apple
}

/// Returns whether `public/limited.js` exchanges frames by HTTP, because no WebSocket gets through.
pub(crate) fn is_limited() -> bool {
    find("[data-limited]").is_some()
}

/// Makes `hydrate.js` render the room again, with another instance of the module. This one handles no more events.
pub(crate) fn request_renewal() {
    if !IS_REPLACED.replace(true) {
        let _ = Event::new("parlour-renew").map(|event| window().dispatch_event(&event));
    }
}

/// Returns whether another instance of the module has taken over the room.
pub(crate) fn is_replaced() -> bool {
    IS_REPLACED.get()
}

/// Returns the pasted text.
pub(crate) fn pasted_text(event: &Event) -> Option<String> {
    event.unchecked_ref::<ClipboardEvent>().clipboard_data()?.get_data("text").ok()
}

/// Returns whether a click on a link is meant for this tab: primary button, no modifier key.
pub(crate) fn is_plain_click(event: &MouseEvent) -> bool {
    event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key()
}

/// Sets the title, and the icon with a dot if `has_news`.
pub(crate) fn set_title_badge(title: &str, has_news: bool) {
    document().set_title(title);
    // The icon is in the head, outside of every island.
    let Some(icon) = find("link[rel=icon]") else { return };
    let (plain, dotted) = ("favicon.svg", "favicon-new.svg");
    let href = icon.get_attribute("href").unwrap_or_default();
    let (from, to) = if has_news { (plain, dotted) } else { (dotted, plain) };
    if let Some(folder) = href.strip_suffix(from) {
        let _ = icon.set_attribute("href", &format!("{folder}{to}"));
    }
}

/// Sets or removes an attribute of the document's element, for the styles.
pub(crate) fn mark_document(attribute: &str, value: Option<&str>) {
    if let Some(root) = document().document_element() {
        let _ = match value {
            Some(value) => root.set_attribute(attribute, value),
            None => root.remove_attribute(attribute),
        };
    }
}

/// Returns the element that matches a selector, among the one that an event was dispatched to and those around it.
pub(crate) fn closest(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

fn matches_media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
}

fn document() -> Document {
    window().document().expect("a page has a document")
}
