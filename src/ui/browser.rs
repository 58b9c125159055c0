//! What only the browser knows. To be called from effects and event handlers, which never run on the server.

pub(super) mod address;
pub(super) mod clock;
pub(super) mod kept;
pub(super) mod lock;

use crate::domain::{EventId, RoomName};
use js_sys::Reflect;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

/// A new idempotency key: 128 random bits.
pub(super) fn new_id() -> EventId {
    let mut bytes = [0; 16];
    // Without a source of chance there is still the time.
    let random = window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    if random.is_err() {
        let (time, chance) = (clock::now() as u64, (js_sys::Math::random() * 1e15) as u64);
        bytes = (u128::from(time) << 64 | u128::from(chance)).to_be_bytes();
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    EventId::from_stored(digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect())
}

/// `ws://host/ws/{room_name}/`, or `wss:` from a page that came over https.
pub(super) fn socket_address(room: &RoomName) -> String {
    let scheme = if origin().starts_with("https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws{}", window().location().host().unwrap_or_default(), room.path())
}

/// `https://chat.example`
pub(super) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Loads the page again.
pub(super) fn reload() {
    let _ = window().location().reload();
}

/// Whether the device says that it has a network.
pub(super) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Whether nobody can see the page just now.
pub(super) fn is_hidden() -> bool {
    document().hidden()
}

/// Whether the main way to point is a finger.
pub(super) fn is_touch() -> bool {
    matches("(pointer: coarse)")
}

/// Whether there is no room beside the messages for who is here (`participant_list.css`).
pub(super) fn is_narrow() -> bool {
    matches("(max-width: 48rem)")
}

/// How wide the page is, in pixels.
pub(super) fn width() -> f64 {
    window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or_default()
}

/// Puts a text on the clipboard. Returns whether it is there: pages that came over plain http have no clipboard, and
/// visitors may refuse it.
pub(super) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    let has_clipboard = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|it| !it.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Whether a key is the input method's. 229: also in browsers that do not say that it composes.
pub(super) fn composes(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == 229
}

/// Whether a key was pressed that writes something, where nothing is written into yet.
pub(super) fn is_stray_typing(event: &KeyboardEvent) -> bool {
    let key = event.key();
    let writes = key.chars().count() == 1 && key != " " || key == "Dead" || composes(event);
    // Some keyboards write `@` so.
    let is_command = (event.ctrl_key() || event.meta_key() || event.alt_key()) && !event.get_modifier_state("AltGraph");
    writes && !is_command && !is_at_work()
}

/// Whether a field or a dialog has the focus.
pub(super) fn is_at_work() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|it| it.closest("input, textarea, select, dialog[open]").is_ok_and(|found| found.is_some()))
}

/// Whether a click on a link is meant for this tab: no other button, no key held.
pub(super) fn is_plain_click(event: &MouseEvent) -> bool {
    event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key()
}

/// Selects what an element says, or a field holds, for visitors to copy it themselves.
pub(super) fn select(selector: &str) {
    let Some(element) = element::<web_sys::Element>(selector) else { return };
    if let Some(field) = element.dyn_ref::<HtmlInputElement>() {
        field.select();
    } else if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(&element);
    }
}

/// Gives the composer the focus, unless that would bring up a keyboard over half the screen.
pub(super) fn offer_composer() {
    if !is_touch() {
        focus_composer();
    }
}

/// Gives the composer the focus.
pub(super) fn focus_composer() {
    focus(".composer textarea");
}

/// Gives the focus to the first element that is selected so.
pub(super) fn focus(selector: &str) {
    if let Some(element) = element::<HtmlElement>(selector) {
        let _ = element.focus();
    }
}

/// Writes the title, and shows the icon with a dot if something is new.
pub(super) fn show_attention(title: &str, is_new: bool) {
    document().set_title(title);
    let Some(icon) = element::<web_sys::Element>("link[rel=icon]") else { return };
    let (plain, dotted) = ("favicon.svg", "favicon-new.svg");
    let href = icon.get_attribute("href").unwrap_or_default();
    let (from, to) = if is_new { (plain, dotted) } else { (dotted, plain) };
    if href.ends_with(from) {
        let _ = icon.set_attribute("href", &href.replace(from, to));
    }
}

pub(super) fn window() -> web_sys::Window {
    web_sys::window().expect("this runs in a page")
}

fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
}

fn document() -> Document {
    window().document().expect("a page has a document")
}

fn element<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}
