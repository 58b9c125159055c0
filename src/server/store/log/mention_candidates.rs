//! Names that a text may mention: the words after each `@`. The sender's own task finds them, so that the transaction
//! only looks them up.

use crate::domain::mention::{is_unseparated, may_begin_after};
use crate::domain::username::MAX_USERNAME_GRAPHEMES;
use crate::domain::{Seq, Username};
use crate::server::store::entity::{mention, name};
use crate::server::store::rooms::confusables::skeletons;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::{GraphemeIndices, UnicodeSegmentation};

/// Maximum number of mentions of a text.
pub(crate) const MAX_MENTIONS: usize = 10;

/// Maximum number of different names that are looked up for a text: the first word after each `@` comes first, then the
/// first two, and so on. So a text with up to forty different names has all of those of one word looked up.
const MAX_CANDIDATES: usize = 40;

/// Maximum number of grapheme clusters that are read to find them.
const MAX_EXAMINED_GRAPHEMES: usize = 2048;

/// Size for which a name counts in memory, in bytes: more than it has, because it is also looked up while other writers
/// wait. So a batch with very many names is a small one.
const CANDIDATE_BYTES: usize = 512;

/// The names that a text may mention.
#[derive(Clone, Debug, Default)]
pub(crate) struct MentionCandidates {
    /// Each name once, with its skeletons.
    names: Vec<(Username, Vec<String>)>,
    /// The `@` in the text, in order.
    signs: Vec<MentionSign>,
}

/// An `@`, with the names that may follow it.
#[derive(Clone, Debug)]
struct MentionSign {
    /// Start of the name, in bytes.
    start: usize,
    /// Ends of the names, in bytes, each with its index among the names; the shortest first.
    candidates: Vec<(usize, usize)>,
}

/// The names at one `@`, one after the other.
struct NameReader<'a> {
    text: &'a str,
    clusters: GraphemeIndices<'a>,
    left: usize,
    sign: MentionSign,
}

impl<'a> NameReader<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        let clusters = text[start..].grapheme_indices(true);
        Self { text, clusters, left: MAX_USERNAME_GRAPHEMES, sign: MentionSign { start, candidates: Vec::new() } }
    }

    /// Returns the end of the next name, in bytes, or `None` if there is none. Counts the clusters that it reads.
    fn next(&mut self, examined: &mut usize) -> Option<usize> {
        while self.left > 0 && *examined < MAX_EXAMINED_GRAPHEMES {
            let (at, cluster) = self.clusters.next()?;
            self.left -= 1;
            *examined += 1;
            if cluster.chars().any(char::is_control) {
                self.left = 0;
                return None;
            }
            let end = self.sign.start + at + cluster.len();
            if !cluster.chars().all(char::is_whitespace) && is_boundary(&self.text[..end], &self.text[end..]) {
                return Some(end);
            }
        }
        None
    }
}

impl MentionCandidates {
    /// Returns the names that `text` may mention. A text without `@` has none.
    pub(crate) fn find(text: &str) -> Self {
        let mut found = Self::default();
        // Of several `@`, the first and the last count: a name may begin with one.
        let is_sign = |at: usize| {
            let (before, after) = (text[..at].chars().next_back(), text[at + 1..].chars().next());
            let begins = after.is_some_and(|c| !c.is_whitespace()) && (after != Some('@') || before != Some('@'));
            begins && may_begin_after(before)
        };
        let starts = text.match_indices('@').filter(|(at, _)| is_sign(*at)).map(|(at, sign)| at + sign.len());
        let mut readers: Vec<NameReader> = starts.map(|start| NameReader::new(text, start)).collect();
        let mut known: HashMap<&str, Option<usize>> = HashMap::new();
        let (mut examined, mut is_over) = (0, readers.is_empty());
        while !is_over && found.names.len() < MAX_CANDIDATES {
            is_over = true;
            for reader in &mut readers {
                let Some(end) = reader.next(&mut examined) else { continue };
                is_over = false;
                let index = match known.entry(&text[reader.sign.start..end]) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(_) if found.names.len() == MAX_CANDIDATES => None,
                    Entry::Vacant(new) => *new.insert(found.add(&text[reader.sign.start..end])),
                };
                reader.sign.candidates.extend(index.map(|index| (end, index)));
            }
        }
        found.signs =
            readers.into_iter().map(|reader| reader.sign).filter(|sign| !sign.candidates.is_empty()).collect();
        found
    }

    /// Adds a name, and returns its index, or `None` if it can be no name that is held.
    fn add(&mut self, raw: &str) -> Option<usize> {
        let username = Username::parse(raw).ok()?;
        let skeletons = Some(skeletons(&username)).filter(|skeletons| !skeletons.is_empty())?;
        self.names.push((username, skeletons));
        Some(self.names.len() - 1)
    }

    /// Returns the skeletons of all names, under which they would be held.
    pub(crate) fn skeletons(&self) -> impl Iterator<Item = &String> {
        self.names.iter().flat_map(|(_, skeletons)| skeletons)
    }

    /// Returns the size in memory, in bytes, rounded up.
    pub(crate) fn bytes(&self) -> usize {
        let names = self.names.iter().map(|(username, skeletons)| {
            let texts = username.as_str().len() + skeletons.iter().map(|skeleton| skeleton.len()).sum::<usize>();
            texts + CANDIDATE_BYTES * skeletons.len()
        });
        names.sum::<usize>() + self.signs.iter().map(|sign| 64 + 16 * sign.candidates.len()).sum::<usize>()
    }

    /// Returns the mentions of the event `seq`, the text of the message `message`: at each `@` the longest name that is
    /// held, each name once.
    pub(crate) fn resolve<'a>(
        &self,
        (room_id, seq, message): (i64, Seq, Seq),
        holder: impl Fn(&str) -> Option<&'a name::Model>,
    ) -> Vec<mention::Model> {
        let mut mentions: Vec<mention::Model> = Vec::new();
        let mut after = 0;
        for sign in &self.signs {
            if sign.start < after {
                continue;
            }
            let held = sign.candidates.iter().rev().find_map(|(end, index)| {
                let (username, skeletons) = &self.names[*index];
                let held = skeletons.iter().find_map(|skeleton| holder(skeleton))?;
                // A claim of an earlier release has no name; its look-alike stands for it.
                Some((*end, held, held.username.clone().unwrap_or_else(|| username.to_string())))
            });
            let Some((end, held, username)) = held else { continue };
            after = end;
            if mentions.iter().all(|mention| mention.username != username) {
                let (position, author) = (mentions.len() as i32, held.author.clone());
                mentions.push(mention::Model { room_id, seq, position, message, author, username });
            }
            if mentions.len() == MAX_MENTIONS {
                break;
            }
        }
        mentions
    }
}

/// Returns whether a name may end between these parts of a text: not within a word. Scripts that do not separate words
/// have a boundary after each character, and so has Korean, whose particles follow a name at once.
fn is_boundary(before: &str, after: &str) -> bool {
    let (Some(last), Some(next)) = (before.chars().next_back(), after.chars().next()) else { return true };
    !is_in_word(next) || !is_in_word(last) || is_unseparated(last) || is_unseparated(next)
}

fn is_in_word(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number};
    c == '_' || matches!(c.general_category_group(), Letter | Mark | Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Returns the names that a text mentions, in a room where these names are held.
    fn mentions(text: &str, held: &[&str]) -> Vec<String> {
        let rows = held.iter().enumerate().flat_map(|(number, held)| {
            let username = Username::parse(held).unwrap();
            skeletons(&username).into_iter().map(move |skeleton| name::Model {
                room_id: 1,
                skeleton,
                author: vec![number as u8; 16],
                at: 0,
                username: Some(username.to_string()),
            })
        });
        let rows: HashMap<String, name::Model> = rows.map(|row| (row.skeleton.clone(), row)).collect();
        let mentions = MentionCandidates::find(text).resolve((1, 7, 7), |skeleton| rows.get(skeleton));
        mentions.into_iter().map(|mention| mention.username).collect()
    }

    #[test]
    fn the_longest_name_that_is_held_is_mentioned() {
        let held = ["Ann", "Ann Smith", "Bob", "@weird"];
        for (text, names) in [
            ("@Ann hello", &["Ann"][..]),
            ("hello @Ann Smith, and @bob!", &["Ann Smith", "Bob"]),
            ("@Ann Smithers", &["Ann"]),
            ("@Ann's (@Bob)", &["Ann", "Bob"]),
            ("@Ann @ann @ANN", &["Ann"]),
            ("@\u{410}nn", &["Ann"]),
            ("@Anna @Annabel", &[]),
            ("mail ann@Bob.example, or @ Ann, or @\nAnn", &[]),
            ("@Ann\nSmith", &["Ann"]),
            ("@@Ann @@@Bob", &["Ann", "Bob"]),
            ("hi @@weird one", &["@weird"]),
            ("@Anonymous @nobody", &[]),
            ("@Ann-2", &["Ann"]),
            ("", &[]),
        ] {
            assert_eq!(mentions(text, &held), names, "{text:?}");
        }
    }

    #[test]
    fn names_of_every_script_end_where_a_word_ends() {
        let held = ["さくら", "민수", "محمد", "สมชาย", "Žofie", "李", "👩\u{200d}🚀 Ann", "ann_92", "M. de Rê"];
        for (text, name) in [
            ("@さくらさん、こんにちは", "さくら"),
            ("@민수님 안녕", "민수"),
            ("مرحبا @محمد!", "محمد"),
            ("@สมชายครับ", "สมชาย"),
            ("@Zˇofie, @žofie", "Žofie"),
            ("@李さん", "李"),
            ("谢谢@李", "李"),
            ("ありがとう@さくら", "さくら"),
            ("감사합니다@민수", "민수"),
            ("@👩\u{200d}🚀 Ann", "👩\u{200d}🚀 Ann"),
            ("@ann_92.", "ann_92"),
            ("@m. de re\u{302} is here", "M. de Rê"),
        ] {
            assert_eq!(mentions(text, &held), [name], "{text}");
        }
        assert!(mentions("@ann_9 @ann", &held).is_empty());
    }

    #[test]
    fn ten_names_are_mentioned_at_most() {
        let held: Vec<String> = (10..40).map(|number| format!("user{number}")).collect();
        let held: Vec<&str> = held.iter().map(String::as_str).collect();
        let text: String = held.iter().map(|name| format!("@{name} ")).collect();
        assert_eq!(mentions(&text, &held), &held[..MAX_MENTIONS]);
        let others: String = (0..MAX_CANDIDATES - 1).map(|number| format!("@nobody{number} ")).collect();
        assert_eq!(mentions(&format!("{others}@user10"), &held), ["user10"]);
    }

    #[test]
    fn any_text_has_few_names_to_look_up() {
        let started = Instant::now();
        let different: String = (0..600).map(|number| format!("@{number} ")).collect();
        for text in [
            "@".repeat(4000),
            "@a".repeat(2000),
            "@a ".repeat(1333),
            different,
            "@\u{301}".repeat(2000),
            format!("@{}", "a\u{301}\u{302}".repeat(1333)),
            "@さ".repeat(2000),
            "@I l1 ".repeat(666),
        ] {
            let found = MentionCandidates::find(&text);
            assert!(found.names.len() <= MAX_CANDIDATES, "{} of {text:.20}", found.names.len());
            assert!(found.bytes() <= 1 << 18, "{} of {text:.20}", found.bytes());
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
        let repeated = format!("{}@Ann", "@a ".repeat(1000));
        assert_eq!(mentions(&repeated, &["Ann"]), ["Ann"]);
    }
}
