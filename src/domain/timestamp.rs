//! Points in time: UTC milliseconds, on the wire, in the database and in the page.

use serde::{Deserialize, Serialize};

/// Number of milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns `2026-11-22T08:03:00.000Z` (RFC 3339), the format of `<time datetime>`.
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.date();
        let ms = self.0.rem_euclid(DAY_MS);
        let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", ms % 1000)
    }

    /// Returns `08:03`, in UTC.
    pub fn time_utc(self) -> String {
        let ms = self.0.rem_euclid(DAY_MS);
        format!("{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60)
    }

    /// Returns `22 November 2026`, in UTC.
    pub fn day_utc(self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let (year, month, day) = self.date();
        format!("{day} {} {year}", MONTHS[month as usize - 1])
    }

    /// Returns `08:03` if it is the same day as `now`, and `22 November` otherwise, with the year unless it is the same.
    pub fn short_utc(self, now: Self) -> String {
        let (day, today) = (self.day_utc(), now.day_utc());
        let year = |day: &str| day.rsplit(' ').next().map(|year| format!(" {year}")).unwrap_or_default();
        match day == today {
            true => self.time_utc(),
            false => day.strip_suffix(&year(&today)).unwrap_or(&day).to_owned(),
        }
    }

    /// Returns the number of the day in a time zone that is `offset_minutes` ahead of UTC.
    pub fn day_number(self, offset_minutes: i32) -> i64 {
        (self.0 + i64::from(offset_minutes) * 60_000).div_euclid(DAY_MS)
    }

    /// Returns year, month and day in UTC, by Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>).
    fn date(self) -> (i64, u8, u8) {
        let days = self.0.div_euclid(DAY_MS) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month as u8, day as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_763_800_000_000, "2025-11-22T08:26:40.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(ms).rfc3339(), text);
        }
    }

    #[test]
    fn days_begin_at_midnight_of_the_place() {
        let late = Timestamp(23 * 3_600_000);
        assert_eq!(late.day_number(0), 0);
        assert_eq!(late.day_number(120), 1);
        assert_eq!(late.day_utc(), "1 January 1970");
        assert_eq!(late.time_utc(), "23:00");
        let (next_day, next_year) = (Timestamp(DAY_MS), Timestamp(366 * DAY_MS));
        assert_eq!(
            [late, next_day, next_year].map(|now| late.short_utc(now)),
            ["23:00", "1 January", "1 January 1970"]
        );
    }
}
