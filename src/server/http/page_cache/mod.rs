//! Cache of rendered room pages. A page is the same for all visitors until the room changes, except for the visitor's
//! own values, which are inserted for each request.

mod brotli;
mod gzip;
mod outline;
mod slot;
mod template;

pub(crate) use slot::{PlaceholderToken, VisitorValues};
pub(crate) use template::{Template, with_node_count};

use crate::domain::history::Ownership;
use crate::domain::{AuthorTag, Epoch, Seq};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Maximum size of the cache, in bytes.
const MAX_CACHE_BYTES: usize = 16 << 20;

/// Maximum size of cached pages around one message, in bytes. There are as many of those as messages, and requesting
/// each in turn must not evict the pages by which people enter.
const PERMALINK_BYTES: usize = MAX_CACHE_BYTES / 4;

/// Maximum age of a page, so that deleted texts and erased names leave memory.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// The state of the room that a page shows. Pages with equal versions show the same history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageVersion {
    pub(crate) epoch: Epoch,
    pub(crate) head: Seq,
    /// The oldest number in the room's log.
    pub(crate) first: Seq,
    /// The invitation address.
    pub(crate) invitation: String,
    /// The number of erasures in the room, which may have left no event.
    pub(crate) erasures: i64,
}

/// Key of the visitors to whom a page looks the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PageVariant {
    pub(crate) room: i64,
    pub(crate) permalink: Option<Seq>,
    /// Whether the visitor has a name. If so, the page does not ask for one.
    pub(crate) named: bool,
    pub(crate) ownership: Ownership,
    /// The end of the visitor's mute, in UTC milliseconds; 0 if the visitor is not muted.
    pub(crate) muted_until: i64,
}

/// A variant, and the author whose messages are marked as the visitor's own.
type VariantKey = (PageVariant, Option<AuthorTag>);

/// A cheap-to-clone handle on the cached pages.
#[derive(Clone, Default)]
pub(crate) struct PageCache(Arc<Mutex<CachedPages>>);

#[derive(Default)]
struct CachedPages {
    pages: HashMap<VariantKey, CachedPage>,
    bytes: usize,
    /// Number of requests, which orders the pages by their last use.
    asked: u64,
}

struct CachedPage {
    version: PageVersion,
    template: Arc<Template>,
    /// Size of the template when it was last counted, in bytes.
    size: usize,
    /// The authors of the messages in it.
    authors: Vec<AuthorTag>,
    made: Instant,
    asked: u64,
}

impl PageCache {
    /// Returns the cached page for a visitor with this tag, or `None` if there is none of this variant and version.
    pub(crate) fn get(&self, variant: &PageVariant, version: &PageVersion, tag: &AuthorTag) -> Option<Arc<Template>> {
        let pages = &mut *self.pages();
        pages.asked += 1;
        // An author of a message on the page sees that message as their own.
        for own in [Some(tag), None] {
            let Some(page) = pages.pages.get_mut(&(variant.clone(), own.cloned())) else { continue };
            let fits = page.version == *version && page.made.elapsed() < CACHE_TTL;
            if fits && (own.is_some() || !page.authors.contains(tag)) {
                page.asked = pages.asked;
                return Some(page.template.clone());
            }
        }
        None
    }

    /// Caches a page that was rendered for the visitors with the tag `own`, or for all who wrote none of its messages.
    pub(crate) fn put(
        &self,
        variant: PageVariant,
        version: PageVersion,
        own: Option<AuthorTag>,
        authors: Vec<AuthorTag>,
        template: Arc<Template>,
    ) {
        let pages = &mut *self.pages();
        // Pages of earlier versions are obsolete.
        pages.retain(|(old, _), page| old.room != variant.room || page.version == version);
        let size = template.size();
        if size > MAX_CACHE_BYTES {
            return;
        }
        let page = CachedPage { version, template, size, authors, made: Instant::now(), asked: pages.asked };
        pages.bytes += size;
        if let Some(replaced) = pages.pages.insert((variant, own), page) {
            pages.bytes -= replaced.size;
        }
        pages.shrink();
    }

    /// Counts the sizes of the pages again, after one has been compressed.
    pub(crate) fn recount(&self) {
        let pages = &mut *self.pages();
        for page in pages.pages.values_mut() {
            page.size = page.template.size();
        }
        pages.bytes = pages.pages.values().map(|page| page.size).sum();
        pages.shrink();
    }

    /// Removes expired pages periodically.
    pub(crate) async fn run_cleanup(self) {
        loop {
            tokio::time::sleep(CACHE_TTL).await;
            self.pages().retain(|_, page| page.made.elapsed() < CACHE_TTL);
        }
    }

    fn pages(&self) -> MutexGuard<'_, CachedPages> {
        lock(&self.0)
    }
}

impl CachedPages {
    /// Evicts pages until the rest fits into the limits.
    fn shrink(&mut self) {
        let of_permalinks = self.pages.iter().filter(|((variant, _), _)| variant.permalink.is_some());
        let mut of_permalinks: usize = of_permalinks.map(|(_, page)| page.size).sum();
        while of_permalinks > PERMALINK_BYTES
            && let Some(size) = self.let_go(|variant| variant.permalink.is_some())
        {
            of_permalinks -= size;
        }
        while self.bytes > MAX_CACHE_BYTES && self.let_go(|_| true).is_some() {}
    }

    /// Evicts the least recently used of these pages. Returns its size in bytes, or `None` if there is none.
    fn let_go(&mut self, among: impl Fn(&PageVariant) -> bool) -> Option<usize> {
        let pages = self.pages.iter().filter(|((variant, _), _)| among(variant));
        let key = pages.min_by_key(|(_, page)| page.asked).map(|(key, _)| key.clone())?;
        let size = self.pages.remove(&key)?.size;
        self.bytes -= size;
        Some(size)
    }

    fn retain(&mut self, keep: impl Fn(&VariantKey, &CachedPage) -> bool) {
        let bytes = &mut self.bytes;
        self.pages.retain(|key, page| {
            let kept = keep(key, page);
            *bytes -= if kept { 0 } else { page.size };
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::http::content_encoding::ContentEncoding;

    fn tag(byte: u8) -> AuthorTag {
        AuthorTag::new([byte, 0])
    }

    fn version(head: Seq, first: Seq) -> PageVersion {
        PageVersion { epoch: Epoch("e".into()), head, first, invitation: "/a/".into(), erasures: 0 }
    }

    fn variant(room: i64) -> PageVariant {
        PageVariant { room, permalink: None, named: false, ownership: Ownership::Other, muted_until: 0 }
    }

    fn template(len: usize) -> Arc<Template> {
        Arc::new(Template::parse(&"x".repeat(len), &PlaceholderToken::new()).unwrap())
    }

    /// Returns a page of a size of which four fill the cache, and five do not fit.
    fn large() -> Arc<Template> {
        let template = template(MAX_CACHE_BYTES / 4 - MAX_CACHE_BYTES / 100);
        assert!(template.size() <= MAX_CACHE_BYTES / 4 && 5 * template.size() > MAX_CACHE_BYTES);
        template
    }

    #[test]
    fn a_page_is_reused_until_something_happens_in_its_room() {
        let rendered = PageCache::default();
        rendered.put(variant(1), version(5, 1), None, vec![tag(1)], template(9));
        assert!(rendered.get(&variant(1), &version(5, 1), &tag(2)).is_some());
        for (variant, version) in [
            (variant(2), version(5, 1)),
            (variant(1), version(6, 1)),
            (variant(1), version(5, 2)),
            (variant(1), PageVersion { epoch: Epoch("f".into()), ..version(5, 1) }),
            (variant(1), PageVersion { erasures: 1, ..version(5, 1) }),
            (variant(1), PageVersion { invitation: "/a/?invitation=b".into(), ..version(5, 1) }),
            (PageVariant { named: true, ..variant(1) }, version(5, 1)),
            (PageVariant { permalink: Some(3), ..variant(1) }, version(5, 1)),
            (PageVariant { ownership: Ownership::Own, ..variant(1) }, version(5, 1)),
            (PageVariant { muted_until: 9, ..variant(1) }, version(5, 1)),
        ] {
            assert!(rendered.get(&variant, &version, &tag(2)).is_none(), "{variant:?} {version:?}");
        }
        rendered.put(PageVariant { named: true, ..variant(1) }, version(6, 1), None, vec![tag(1)], template(9));
        assert!(rendered.get(&variant(1), &version(5, 1), &tag(2)).is_none(), "what was shown before is let go of");
        assert_eq!(rendered.pages().bytes, template(9).size());
    }

    #[test]
    fn authors_in_a_page_get_a_rendering_of_their_own() {
        let rendered = PageCache::default();
        rendered.put(variant(1), version(5, 1), None, vec![tag(1), tag(2)], template(9));
        assert!(rendered.get(&variant(1), &version(5, 1), &tag(1)).is_none());
        rendered.put(variant(1), version(5, 1), Some(tag(1)), vec![tag(1), tag(2)], template(8));
        assert_eq!(rendered.get(&variant(1), &version(5, 1), &tag(1)).unwrap().len(), 8);
        assert!(rendered.get(&variant(1), &version(5, 1), &tag(2)).is_none());
        assert_eq!(rendered.get(&variant(1), &version(5, 1), &tag(3)).unwrap().len(), 9);
    }

    #[test]
    fn so_many_bytes_are_kept_and_those_asked_for_last() {
        let rendered = PageCache::default();
        for room in 1..=4 {
            rendered.put(variant(room), version(1, 1), None, Vec::new(), large());
            rendered.get(&variant(1), &version(1, 1), &tag(1));
        }
        rendered.put(variant(5), version(1, 1), None, Vec::new(), large());
        let kept = |room| rendered.get(&variant(room), &version(1, 1), &tag(1)).is_some();
        assert_eq!([1, 2, 3, 4, 5].map(kept), [true, false, true, true, true]);
        rendered.put(variant(6), version(1, 1), None, Vec::new(), template(MAX_CACHE_BYTES + 1));
        assert!(!kept(6) && kept(1), "what is too large pushes nothing out");
        assert_eq!(rendered.pages().bytes, large().size() * 4);
    }

    #[test]
    fn compressed_pages_count() {
        let rendered = PageCache::default();
        let len = MAX_CACHE_BYTES / 4 - 1000;
        let random = |seed: usize| {
            let mut state = seed;
            let text: String = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b' ' + (state >> 40) as u8 % 90)
            })
            .take(len)
            .collect();
            Arc::new(Template::parse(&text, &PlaceholderToken::new()).unwrap())
        };
        for room in 1..=4 {
            rendered.put(variant(room), version(1, 1), None, Vec::new(), random(room as usize));
        }
        let kept = |room| rendered.get(&variant(room), &version(1, 1), &tag(1));
        let template = [1, 3, 4, 2].map(kept)[3].clone().unwrap();
        let counted = rendered.pages().bytes;
        template.compress(ContentEncoding::Gzip);
        assert!(template.size() > len * 3 / 2);
        rendered.recount();
        assert_eq!([1, 2, 3, 4].map(|room| kept(room).is_some()), [false, true, true, true]);
        assert_eq!(rendered.pages().bytes, counted - 2 * len + template.size());
    }

    #[test]
    fn pages_around_messages_push_out_one_another_alone() {
        let rendered = PageCache::default();
        rendered.put(variant(1), version(99, 1), None, Vec::new(), template(9));
        for seq in 1..99 {
            let variant = PageVariant { permalink: Some(seq), ..variant(2) };
            rendered.put(variant.clone(), version(99, 1), None, Vec::new(), template(PERMALINK_BYTES / 3));
            assert!(rendered.get(&variant, &version(99, 1), &tag(1)).is_some(), "{seq}");
            assert!(rendered.pages().bytes <= PERMALINK_BYTES + template(9).size());
        }
        assert!(rendered.get(&variant(1), &version(99, 1), &tag(1)).is_some());
    }
}
