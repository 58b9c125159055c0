//! `parlour retention`: shows or sets how long one room keeps its messages.

use super::output::print_line;
use super::{CommandResult, parse_room};
use crate::server::config::Config;
use crate::server::store::{RetentionPolicy, Store};
use std::num::NonZeroU32;
use std::str::FromStr;

/// The requested retention: a number of days, `forever` or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionArg(RetentionPolicy);

impl FromStr for RetentionArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "default" => RetentionPolicy::Default,
            "forever" => RetentionPolicy::Forever,
            days => RetentionPolicy::Days(
                days.parse::<NonZeroU32>().map_err(|_| "expected a number of days, `forever` or `default`")?,
            ),
        }))
    }
}

/// Sets a room's retention if `days` is given, and prints it.
///
/// # Errors
///
/// Returns an error if there is no such room, or if the database cannot be read or written.
pub(super) async fn set_retention(config: &Config, room: &str, days: Option<RetentionArg>) -> CommandResult {
    let name = parse_room(room)?;
    let store = Store::open_beside(&config.database_url).await?;
    let missing = || format!("retention: there is no room {room}");
    if let Some(RetentionArg(keep)) = days
        && !store.set_retention(&name, keep).await?
    {
        return Err(missing().into());
    }
    let keep = store.retention(&name).await?.ok_or_else(missing)?;
    let site = config.retention_days.map_or_else(|| "forever".to_owned(), |days| format!("{days} days"));
    let room = name;
    match keep {
        RetentionPolicy::Default => {
            // The server may have other settings.
            print_line(format_args!("{room} follows --retention-days of its server (this command's settings: {site})"))?
        }
        RetentionPolicy::Forever => print_line(format_args!("{room} keeps its messages forever"))?,
        RetentionPolicy::Days(days) => print_line(format_args!("{room} keeps its messages for {days} days"))?,
    }
    if let Some(days) = store.room(&room).await?.and_then(|found| found.retention) {
        print_line(format_args!("Its owner has set {days} days, which apply if they are fewer"))?;
    }
    Ok(store.close().await?)
}
