//! Reactions to the loaded messages, and their pins. A count cannot be applied twice, so each message knows up to which
//! event its reactions are counted.

use super::Timeline;
use crate::domain::{AuthorTag, Emoji, ReactionCount, ReactionsPage, Seq};
use std::collections::VecDeque;

/// Maximum number of the latest reactions that are applied again to counts that were read meanwhile.
const MAX_RECENT_REACTIONS: usize = 256;

/// The latest reactions, and the tag by which own ones are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReactionBook {
    own: AuthorTag,
    recent: VecDeque<Reaction>,
}

/// A reaction that was added or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    pub(super) seq: Seq,
    pub(super) target: Seq,
    pub(super) emoji: Emoji,
    pub(super) on: bool,
    own: bool,
}

impl ReactionBook {
    pub(super) fn new(own: AuthorTag) -> Self {
        Self { own, recent: VecDeque::new() }
    }
}

impl Timeline {
    /// Applies the event of a reaction.
    pub(super) fn react(&mut self, seq: Seq, target: Seq, (emoji, on): (Emoji, bool), tag: &AuthorTag) {
        let own = *tag == self.reacted.own;
        let reaction = Reaction { seq, target, emoji, on, own };
        self.apply_reaction(&reaction);
        self.reacted.recent.push_back(reaction);
        if self.reacted.recent.len() > MAX_RECENT_REACTIONS {
            self.reacted.recent.pop_front();
        }
    }

    fn apply_reaction(&mut self, reaction: &Reaction) {
        let Some(index) = self.index(reaction.target) else { return };
        let item = &mut self.items[index];
        if reaction.seq > item.counted {
            item.counted = reaction.seq;
            toggle(&mut item.message.reactions, &reaction.emoji, reaction.on, reaction.own);
        }
    }

    /// Replaces the reactions to the messages from `first` to `last` by those that were counted up to a number.
    pub fn set_reactions(&mut self, (first, last): (Seq, Seq), page: ReactionsPage) {
        let ReactionsPage { head, messages } = page;
        for item in self.items.iter_mut().filter(|item| (first..=last).contains(&item.message.seq)) {
            item.counted = head;
            item.message.reactions.clear();
        }
        for counted in messages {
            if let Some(index) = self.index(counted.seq) {
                self.items[index].message.reactions = counted.reactions;
            }
        }
        let recent = self.reacted.recent.clone();
        recent.iter().filter(|it| it.seq > head).for_each(|reaction| self.apply_reaction(reaction));
    }

    /// Returns the reactions to a loaded message.
    pub fn reactions(&self, seq: Seq) -> Vec<ReactionCount> {
        self.message(seq).filter(|it| !it.is_deleted()).map_or_else(Vec::new, |message| message.reactions.clone())
    }

    /// Returns whether a loaded message has reactions, or got one lately.
    pub fn has_reactions(&self) -> bool {
        !self.reacted.recent.is_empty() || self.messages().any(|message| !message.reactions.is_empty())
    }

    /// Pins a loaded message, or takes off its pin.
    pub(super) fn set_pinned(&mut self, seq: Seq, pinned: bool) {
        if let Some(index) = self.index(seq) {
            self.items[index].message.pinned = pinned;
        }
    }
}

/// Adds a reaction to counts, or takes it back.
pub(in crate::ui::room) fn toggle(counts: &mut Vec<ReactionCount>, emoji: &Emoji, on: bool, own: bool) {
    let index = counts.iter().position(|it| it.emoji == *emoji);
    match (index, on) {
        (Some(index), true) => {
            counts[index].count += 1;
            counts[index].own |= own;
        }
        (Some(index), false) => {
            counts[index].count -= 1;
            counts[index].own &= !own;
            if counts[index].count == 0 {
                counts.remove(index);
            }
        }
        (None, true) => counts.push(ReactionCount { emoji: emoji.clone(), count: 1, own }),
        (None, false) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, timeline};
    use super::*;
    use crate::domain::MessageReactions;

    fn emoji(text: &str) -> Emoji {
        Emoji::parse(text).unwrap()
    }

    fn shown(timeline: &Timeline) -> Vec<(String, u32, bool)> {
        let count = |it: ReactionCount| (it.emoji.as_str().to_owned(), it.count, it.own);
        timeline.reactions(1).into_iter().map(count).collect()
    }

    #[test]
    fn reactions_are_counted_once_whether_they_came_before_or_after_the_counts() {
        let mut timeline = timeline(vec![message(1, 0)], 1);
        let tag = AuthorTag::new([9, 9]);
        let react = |timeline: &mut Timeline, seq, on| timeline.react(seq, 1, (emoji("👍"), on), &tag);
        for (seq, on) in [(2, true), (3, true), (3, true), (2, true), (4, true)] {
            react(&mut timeline, seq, on);
        }
        assert_eq!(shown(&timeline), [("👍".to_owned(), 3, false)]);
        // The counts were read after the second of them; the third and fourth are applied to them again.
        react(&mut timeline, 5, false);
        let count = ReactionCount { emoji: emoji("👍"), count: 2, own: true };
        let page = ReactionsPage { head: 3, messages: vec![MessageReactions { seq: 1, reactions: vec![count] }] };
        timeline.set_reactions((1, 1), page);
        assert_eq!(shown(&timeline), [("👍".to_owned(), 2, true)]);
        // A message without counts has none.
        timeline.set_reactions((1, 1), ReactionsPage { head: 5, messages: Vec::new() });
        assert_eq!(shown(&timeline), []);
    }

    #[test]
    fn an_emoji_goes_with_its_last_reaction() {
        let mut counts = Vec::new();
        toggle(&mut counts, &emoji("👍"), true, true);
        toggle(&mut counts, &emoji("👍"), true, false);
        toggle(&mut counts, &emoji("👍"), false, true);
        assert_eq!(counts, [ReactionCount { emoji: emoji("👍"), count: 1, own: false }]);
        toggle(&mut counts, &emoji("👍"), false, false);
        toggle(&mut counts, &emoji("👍"), false, false);
        assert!(counts.is_empty());
    }
}
