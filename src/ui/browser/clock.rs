//! The reader's clock, time zone and ways of writing dates.

use crate::domain::Timestamp;
use js_sys::{Date, Object, Reflect};
use std::time::Duration;
use wasm_bindgen::JsValue;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    Date::now()
}

/// How far this place is ahead of UTC at that time, in minutes.
pub(crate) fn offset_minutes(at: Timestamp) -> i32 {
    -(date(at).get_timezone_offset() as i32)
}

/// How long this day still lasts here.
pub(crate) fn until_midnight() -> Duration {
    let now = Timestamp(now() as i64);
    let minutes = offset_minutes(now);
    let of_day = (now.0 + i64::from(minutes) * 60_000).rem_euclid(DAY_MS);
    Duration::from_millis((DAY_MS - of_day) as u64)
}

/// `08:03`, as people write it here.
pub(crate) fn local_time(at: Timestamp) -> String {
    let options = options(&[("hour", "2-digit"), ("minute", "2-digit")]);
    date(at).to_locale_time_string_with_options("default", &options).into()
}

/// The day, as people write it here: `Today` where it is.
pub(crate) fn local_day(at: Timestamp) -> String {
    let now = Timestamp(now() as i64);
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
pub(crate) fn local_full(at: Timestamp) -> String {
    let options = options(&[("dateStyle", "full"), ("timeStyle", "medium")]);
    date(at).to_locale_string("default", &options).into()
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
