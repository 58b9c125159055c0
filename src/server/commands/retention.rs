//! `parlour retention`: how long one room keeps its messages.

use super::{CommandResult, output::print_line, room_of};
use crate::server::config::Config;
use crate::server::store::{Keep, Store};
use std::num::NonZeroU32;
use std::str::FromStr;

/// What is asked for: a number of days, `forever` or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(Keep);

impl FromStr for Days {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "default" => Keep::Default,
            "forever" => Keep::Forever,
            days => Keep::Days(days.parse::<NonZeroU32>().map_err(|_| "a number of days, `forever` or `default`")?),
        }))
    }
}

pub(super) async fn keep(config: &Config, room: &str, days: Option<Days>) -> CommandResult {
    let name = room_of(room)?;
    let store = Store::open_beside(&config.database_url).await?;
    let missing = || format!("retention: there is no room {room}");
    if let Some(Days(keep)) = days
        && !store.set_keep(&name, keep).await?
    {
        return Err(missing().into());
    }
    let keep = store.keep(&name).await?.ok_or_else(missing)?;
    let site = config.retention_days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"));
    match keep {
        Keep::Default => print_line(format_args!("{room} keeps its messages {site}, as the whole site does"))?,
        Keep::Forever => print_line(format_args!("{room} keeps its messages for ever"))?,
        Keep::Days(days) => print_line(format_args!("{room} keeps its messages {days} days"))?,
    }
    Ok(store.close().await?)
}
