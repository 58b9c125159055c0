//! Positions in the message list.

use crate::domain::Seq;
use crate::ui::browser::location::{SavedScroll, ScrollPosition};

/// Position to scroll to when the messages are rendered next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ScrollTarget {
    /// The end of the room.
    Bottom,
    /// This message in the middle.
    Center(Seq),
    /// This message near the upper edge.
    Top(Seq),
    /// A position from the session history.
    Restore(ScrollPosition),
    /// The lower edge of this message at this distance below the upper edge of the timeline, in CSS pixels.
    Offset(Seq, f64),
    /// The line at the upper edge of the timeline, after lines have wrapped differently.
    Wrapped(Anchor),
}

/// The uppermost message in view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Anchor {
    pub(super) seq: Seq,
    /// Distance from the upper edge of the timeline to the lower edge of the message, in CSS pixels.
    pub(super) below: f64,
    /// Height of the message, in CSS pixels.
    pub(super) height: f64,
}

impl ScrollTarget {
    /// Returns the target of a URL: the saved position, or else the message that the URL names.
    pub(super) fn of_url(saved: Option<SavedScroll>, seq: Option<Seq>) -> Self {
        match (saved, seq) {
            (Some(SavedScroll::At(position)), _) => Self::Restore(position),
            (None, Some(seq)) => Self::Center(seq),
            (Some(SavedScroll::End), _) | (None, None) => Self::Bottom,
        }
    }

    /// Returns the message of the target.
    pub(super) fn seq(self) -> Option<Seq> {
        match self {
            Self::Bottom => None,
            Self::Center(seq) | Self::Top(seq) | Self::Offset(seq, _) => Some(seq),
            Self::Wrapped(anchor) => Some(anchor.seq),
            Self::Restore(position) => Some(position.seq),
        }
    }

    /// Returns the target with another message.
    pub(super) fn at(self, seq: Seq) -> Self {
        match self {
            Self::Bottom => Self::Bottom,
            Self::Center(_) => Self::Center(seq),
            Self::Top(_) => Self::Top(seq),
            Self::Restore(position) => Self::Restore(ScrollPosition { seq, ..position }),
            Self::Offset(_, below) => Self::Offset(seq, below),
            Self::Wrapped(anchor) => Self::Wrapped(Anchor { seq, ..anchor }),
        }
    }
}
