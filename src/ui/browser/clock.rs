//! The visitor's clock, time zone and date formats.

use crate::domain::Timestamp;
use futures_channel::oneshot;
use js_sys::{Date, Object, Reflect};
use leptos::prelude::set_timeout;
use std::time::Duration;
use wasm_bindgen::JsValue;

/// Length of a day without a change of the clocks, in milliseconds.
const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

const TODAY: &str = "Today";
const YESTERDAY: &str = "Yesterday";

/// Returns the milliseconds since 1970.
pub(crate) fn now() -> f64 {
    Date::now()
}

/// Returns a future that ends after `duration`.
pub(crate) fn timer(duration: Duration) -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel(); // never sent, only dropped
    set_timeout(move || drop(end), duration);
    ended
}

/// Returns the offset of the local time zone from UTC at `at`, in minutes.
pub(crate) fn offset_minutes(at: Timestamp) -> i32 {
    -(date(at).get_timezone_offset() as i32)
}

/// Returns the time until local midnight.
pub(crate) fn until_midnight() -> Duration {
    let now = Timestamp(now() as i64);
    let minutes = offset_minutes(now);
    let since_midnight = (now.0 + i64::from(minutes) * 60_000).rem_euclid(MS_PER_DAY);
    Duration::from_millis((MS_PER_DAY - since_midnight) as u64)
}

/// Returns the time of day in the local format, such as `8:03`.
pub(crate) fn local_time(at: Timestamp) -> String {
    let options = options(&[("hour", "numeric"), ("minute", "2-digit")]);
    date(at).to_locale_time_string_with_options("default", &options).into()
}

/// Returns a time of day without the word for its half of the day, such as `8:03` for `8:03 PM`. Returns it as it is if
/// no space divides them.
pub(crate) fn without_period(time: &str) -> &str {
    time.split(char::is_whitespace).find(|part| part.contains([':', '.'])).unwrap_or(time)
}

/// Returns the time of day in the local format, with the day unless it is today.
pub(crate) fn local_end(at: Timestamp) -> String {
    let (day, time) = (local_day(at), local_time(at));
    if day == TODAY { time } else { format!("{day}, {time}") }
}

/// Returns the day in the local format, or `Today`, or `Yesterday`.
pub(crate) fn local_day(at: Timestamp) -> String {
    let now = Timestamp(now() as i64);
    match days_ago(at) {
        0 => return TODAY.into(),
        1 => return YESTERDAY.into(),
        _ => {}
    }
    let options = options(&[("weekday", "long"), ("day", "numeric"), ("month", "long")]);
    if date(at).get_full_year() != date(now).get_full_year() {
        let _ = Reflect::set(&options, &"year".into(), &"numeric".into());
    }
    date(at).to_locale_date_string("default", &options).into()
}

/// Returns a time within a sentence, such as `at 8:03`, `yesterday` or `on Tuesday`.
pub(crate) fn local_phrase(at: Timestamp) -> String {
    match days_ago(at) {
        ..=0 => format!("at {}", local_time(at)),
        1 => "yesterday".into(),
        _ => format!("on {}", local_short(at)),
    }
}

/// Returns a time as short as it is clear: the time of day if it is today, otherwise `Yesterday`, the weekday within a
/// week, or the date.
pub(crate) fn local_short(at: Timestamp) -> String {
    let now = Timestamp(now() as i64);
    let fields: &[(&str, &str)] = match days_ago(at) {
        ..=0 => return local_time(at),
        1 => return YESTERDAY.into(),
        2..=6 => &[("weekday", "long")],
        _ if date(at).get_full_year() == date(now).get_full_year() => &[("day", "numeric"), ("month", "short")],
        _ => &[("day", "numeric"), ("month", "short"), ("year", "numeric")],
    };
    date(at).to_locale_date_string("default", &options(fields)).into()
}

/// Returns the full date and time in the local format.
pub(crate) fn local_full(at: Timestamp) -> String {
    let options = options(&[("dateStyle", "full"), ("timeStyle", "medium")]);
    date(at).to_locale_string("default", &options).into()
}

/// Returns the number of local midnights since `at`.
fn days_ago(at: Timestamp) -> i64 {
    let now = Timestamp(now() as i64);
    now.day_number(offset_minutes(now)) - at.day_number(offset_minutes(at))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_without_its_half_of_the_day() {
        for (time, narrow) in [
            ("8:03\u{202f}PM", "8:03"),
            ("8:03 p. m.", "8:03"),
            ("오후 8:03", "8:03"),
            ("20:03", "20:03"),
            ("20.03", "20.03"),
            ("下午8:03", "下午8:03"),
        ] {
            assert_eq!(without_period(time), narrow);
        }
    }
}
