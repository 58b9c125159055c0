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
                days.parse::<NonZeroU32>().map_err(|_| "a number of days, `forever` or `default`")?,
            ),
        }))
    }
}

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
    let site = config.retention_days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"));
    let room = name;
    match keep {
        RetentionPolicy::Default => {
            // A server may have been given others.
            print_line(format_args!(
                "{room} has no number of its own: --retention-days of its server counts (with the settings of \
                 this command: {site})"
            ))?
        }
        RetentionPolicy::Forever => print_line(format_args!("{room} keeps its messages for ever"))?,
        RetentionPolicy::Days(days) => print_line(format_args!("{room} keeps its messages {days} days"))?,
    }
    Ok(store.close().await?)
}
