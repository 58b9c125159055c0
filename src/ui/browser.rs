//! What only the browser knows: its clock and time zone, chance, storage, and where the page comes from. To be called
//! from effects and event handlers, which never run on the server.

use crate::domain::{EventId, RoomName, Timestamp};
use crate::ui::outbox::Outbox;
use js_sys::{Date, Object, Reflect};
use wasm_bindgen::JsValue;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

/// A new idempotency key: 128 random bits.
pub(super) fn new_id() -> EventId {
    let mut bytes = [0; 16];
    // Without a source of chance there is still the time.
    let random = window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    let id = match random {
        Ok(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        Err(_) => format!("{:x}-{:x}", Date::now() as u64, (js_sys::Math::random() * 1e15) as u64),
    };
    EventId::from_stored(id)
}

/// How far this place is ahead of UTC at that time, in minutes.
pub(super) fn offset_minutes(at: Timestamp) -> i32 {
    -(date(at).get_timezone_offset() as i32)
}

/// `08:03`, as people write it here.
pub(super) fn local_time(at: Timestamp) -> String {
    let options = options(&[("hour", "2-digit"), ("minute", "2-digit")]);
    date(at).to_locale_time_string_with_options("default", &options).into()
}

/// The day, as people write it here: `Today` where it is.
pub(super) fn local_day(at: Timestamp) -> String {
    let now = Timestamp(Date::now() as i64);
    if at.day_number(offset_minutes(at)) == now.day_number(offset_minutes(now)) {
        return "Today".into();
    }
    let options = options(&[("weekday", "long"), ("day", "numeric"), ("month", "long")]);
    if date(at).get_full_year() != date(now).get_full_year() {
        let _ = Reflect::set(&options, &"year".into(), &"numeric".into());
    }
    date(at).to_locale_date_string("default", &options).into()
}

/// Date and time in full, as people write it here.
pub(super) fn local_full(at: Timestamp) -> String {
    let options = options(&[("dateStyle", "full"), ("timeStyle", "medium")]);
    date(at).to_locale_string("default", &options).into()
}

/// What this browser has typed into the room and does not know to be stored.
pub(super) fn load_outbox(room: &RoomName) -> Outbox {
    let kept = storage().and_then(|storage| storage.get_item(&outbox_key(room)).ok().flatten());
    kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps it, as far as the browser allows: without storage it lives as long as the page.
pub(super) fn keep_outbox(room: &RoomName, outbox: &Outbox) {
    let Some(storage) = storage() else { return };
    let _ = if outbox.pending().is_empty() {
        storage.remove_item(&outbox_key(room))
    } else {
        let text = serde_json::to_string(outbox).expect("an outbox is plain data");
        storage.set_item(&outbox_key(room), &text)
    };
}

/// `ws://host/ws/{room_name}/`, or `wss:` from a page that came over https.
pub(super) fn socket_address(room: &RoomName) -> String {
    let location = window().location();
    let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws{}", location.host().unwrap_or_default(), room.path())
}

/// Scrolls the element of this id to the middle of what is seen.
pub(super) fn show_in_the_middle(id: &str) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Center);
    if let Some(element) = window().document().and_then(|document| document.get_element_by_id(id)) {
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Loads the page again.
pub(super) fn reload() {
    let _ = window().location().reload();
}

/// Whether the device says that it has a network.
pub(super) fn is_online() -> bool {
    window().navigator().on_line()
}

pub(super) fn window() -> web_sys::Window {
    web_sys::window().expect("this runs in a page")
}

fn outbox_key(room: &RoomName) -> String {
    format!("parlour:outbox:{room}")
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn date(at: Timestamp) -> Date {
    Date::new(&JsValue::from_f64(at.0 as f64))
}

fn options(fields: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    options
}
