//! Suggestions of free names for authors who wanted a taken one. A reader searches for them, so that writers do not
//! wait, however many authors want the same name.

use super::confusables::skeletons;
use super::username_claims::{TakenName, active_claims};
use crate::domain::{Rejection, RejectionCode, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::database::chunks::select_pairs;
use crate::server::store::entity::name;
use crate::server::store::{Store, StoreError};
use crate::server::time::now_ms;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};

/// Numbers tried first, and numbers tried if all of these are taken.
const FIRST_SUFFIXES: RangeInclusive<u16> = 2..=4;
const FURTHER_SUFFIXES: RangeInclusive<u16> = 5..=20;

/// Number of random numbers tried in addition, which other authors are unlikely to have chosen.
const RANDOM_SUFFIXES: usize = 2;

/// Maximum number of names per search, and of names for which more numbers are tried.
const MAX_NAMES: usize = 32;
const MAX_LONG_SEARCHES: usize = 4;

/// Maximum number of callers that wait for their turn. Beyond that, names are rejected without a suggestion.
const MAX_WAITING: usize = 4;

/// Limits searches for free names to one at a time, with a few callers that wait.
#[derive(Clone)]
pub(crate) struct SuggestionLimit {
    waiting: Arc<Semaphore>,
    searching: Arc<Mutex<()>>,
}

impl Default for SuggestionLimit {
    fn default() -> Self {
        Self { waiting: Arc::new(Semaphore::new(1 + MAX_WAITING)), searching: Arc::default() }
    }
}

/// A name that may be free, and the skeletons under which it would be claimed.
type Candidate = (Username, Vec<String>);

/// Candidates for suggestions, and the holders of their skeletons.
#[derive(Default)]
struct Search<'a> {
    /// Candidates for each taken name in a room, the best first.
    candidates: HashMap<(i64, &'a Username), Vec<Candidate>>,
    /// Holders of skeletons in rooms.
    holders: HashMap<(i64, String), Vec<u8>>,
}

impl Store {
    /// Returns a rejection for each taken name, with a free name as a suggestion. If too many callers wait, or the
    /// database does not answer, some rejections have no suggestion.
    pub(crate) async fn suggest(&self, taken: &[TakenName]) -> Vec<Rejection> {
        let search = match self.suggesting.waiting.try_acquire() {
            Ok(_place) => {
                let _turn = self.suggesting.searching.lock().await;
                self.search(taken).await.unwrap_or_default()
            }
            Err(_) => Search::default(),
        };
        taken.iter().map(|wanted| search.refuse(wanted)).collect()
    }

    async fn search<'a>(&self, taken: &'a [TakenName]) -> Result<Search<'a>, StoreError> {
        let mut search = Search::default();
        for wanted in taken {
            let key = (wanted.room_id, &wanted.username);
            if search.candidates.len() < MAX_NAMES && !search.candidates.contains_key(&key) {
                search.candidates.insert(key, numbered(&wanted.username, FIRST_SUFFIXES.chain(by_chance())));
            }
        }
        self.look_up_holders(&mut search).await?;
        let has_none = |key: &(i64, &Username), candidates: &[Candidate]| {
            candidates.iter().take(FIRST_SUFFIXES.count()).all(|candidate| search.is_held(candidate, key.0, None))
        };
        let crowded = search.candidates.iter().filter(|(key, candidates)| has_none(key, candidates));
        let crowded: Vec<_> = crowded.map(|(key, _)| *key).take(MAX_LONG_SEARCHES).collect();
        if !crowded.is_empty() {
            for key in crowded {
                let more = numbered(key.1, FURTHER_SUFFIXES);
                // Before the random ones, which are less readable.
                search.candidates.entry(key).or_default().splice(FIRST_SUFFIXES.count()..FIRST_SUFFIXES.count(), more);
            }
            self.look_up_holders(&mut search).await?;
        }
        Ok(search)
    }

    async fn look_up_holders(&self, search: &mut Search<'_>) -> Result<(), StoreError> {
        let mut wanted: HashSet<(i64, String)> = HashSet::new();
        for ((room_id, _), candidates) in &search.candidates {
            let skeletons = candidates.iter().flat_map(|(_, skeletons)| skeletons.iter().cloned());
            wanted.extend(skeletons.map(|skeleton| (*room_id, skeleton)));
        }
        let wanted: Vec<(i64, String)> = wanted.into_iter().collect();
        let columns = [name::Column::RoomId, name::Column::Skeleton];
        let rows = select_pairs(&self.reader, || active_claims(now_ms()), columns, &wanted).await?;
        search.holders = rows.into_iter().map(|row| ((row.room_id, row.skeleton), row.author)).collect();
        Ok(())
    }
}

impl Search<'_> {
    fn refuse(&self, wanted: &TakenName) -> Rejection {
        let TakenName { room_id, username, author } = wanted;
        let is_free = |candidate: &&Candidate| !self.is_held(candidate, *room_id, Some(author));
        let free = self.candidates.get(&(*room_id, username)).and_then(|all| all.iter().find(is_free));
        let advice = free.map_or_else(|| "Choose another.".to_owned(), |(name, _)| format!("{name} is free."));
        Rejection::new(RejectionCode::UsernameTaken, format!("{username} is in use in this room. {advice}"))
    }

    /// Returns whether an author other than `author` holds a name; with `None`, whether any author does.
    fn is_held(&self, (_, skeletons): &Candidate, room_id: i64, author: Option<&AuthorId>) -> bool {
        skeletons.iter().any(|skeleton| {
            let holder = self.holders.get(&(room_id, skeleton.clone()));
            holder.is_some_and(|holder| author.is_none_or(|author| holder != author.as_bytes()))
        })
    }
}

fn numbered(username: &Username, numbers: impl Iterator<Item = u16>) -> Vec<Candidate> {
    numbers.map(|number| username.numbered(number)).map(|name| (name.clone(), skeletons(&name))).collect()
}

/// Returns random numbers above a thousand.
fn by_chance() -> impl Iterator<Item = u16> {
    let random = uuid::Uuid::new_v4().into_bytes();
    let numbers: Vec<u16> = random
        .chunks_exact(2)
        .map(|two| u16::from_le_bytes([two[0], two[1]]) | 1 << 10)
        .take(RANDOM_SUFFIXES)
        .collect();
    numbers.into_iter()
}
