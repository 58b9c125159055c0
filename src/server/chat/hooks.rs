//! Webhooks of a room: messages of incoming ones, and their administration by owners.

use super::{Chat, RoomCommand, draining_rejection};
use crate::domain::username::MAX_USERNAME_GRAPHEMES;
use crate::domain::{Rejection, RejectionCode, RoomKey, RoomName, Username};
use crate::server::hooks::incoming::HookPost;
use crate::server::hooks::outgoing::shown_secret;
use crate::server::journal::SubmitResult;
use crate::server::network::Network;
use crate::server::outbound::{HostPort, TargetRefused, check_target};
use crate::server::store::{HookSummary, IncomingHook, Store, StoreError};
use unicode_segmentation::UnicodeSegmentation;

/// Number of names with a suffix that are tried for a name that another author holds.
const MAX_SUFFIXED_NAMES: u32 = 9;

/// A new hook, with what is shown of it only once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewHook {
    pub(crate) id: String,
    /// The path of an incoming hook's address, or the secret of an outgoing one.
    pub(crate) shown_once: String,
}

impl Chat {
    /// Returns the incoming hook at an address, or `None` if there is none: an unknown key, the key of another room, an
    /// ended hook and a missing room are not told apart.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn incoming_hook(&self, room: &str, key: &str) -> Result<Option<IncomingHook>, StoreError> {
        let (Ok(name), Some(key)) = (RoomName::parse(room), RoomKey::parse(key)) else { return Ok(None) };
        Ok(self.store.incoming_hook(&key).await?.filter(|hook| hook.room.name == name))
    }

    /// Posts a hook's message. The hook is its own admission: it needs no membership. Without a name, and for a name
    /// that cannot be one, the hook's own name is used; a name that another author holds gets a suffix.
    pub(crate) async fn post_by_hook(
        &self,
        hook: &IncomingHook,
        network: Network,
        id: Option<&str>,
        post: &HookPost,
    ) -> SubmitResult {
        let wanted = post.username.as_deref().and_then(readable_name).unwrap_or_else(|| hook.name.clone());
        let mut outcome = self.post_as(hook, network, id, &wanted, post).await;
        if outcome.as_ref().is_err_and(|rejection| rejection.code == RejectionCode::UsernameTaken) {
            // Somebody has taken the name in the meantime.
            outcome = self.post_as(hook, network, id, &wanted, post).await;
        }
        if outcome.is_ok()
            && let Err(error) = self.store.record_hook_use(hook).await
        {
            tracing::debug!(%error, "The use of a webhook could not be recorded");
        }
        outcome
    }

    async fn post_as(
        &self,
        hook: &IncomingHook,
        network: Network,
        id: Option<&str>,
        wanted: &Username,
        post: &HookPost,
    ) -> SubmitResult {
        let username = self.free_name(hook, wanted).await?;
        let command = RoomCommand::Post { username, message: &post.text, reply_to: None };
        let submitted = self.submit(&hook.room, (hook.author, network), id, command).await?;
        submitted.await.unwrap_or_else(|_| Err(draining_rejection()))
    }

    /// Returns the name, or a similar one that no other author holds.
    async fn free_name(&self, hook: &IncomingHook, wanted: &Username) -> Result<Username, StoreError> {
        if !self.store.is_taken(hook.room.id, wanted, &hook.author).await? {
            return Ok(wanted.clone());
        }
        let suffixes = (1..=MAX_SUFFIXED_NAMES).map(|number| match number {
            1 => " (hook)".to_owned(),
            number => format!(" (hook {number})"),
        });
        for name in suffixes.filter_map(|suffix| with_suffix(wanted, &suffix)) {
            if !self.store.is_taken(hook.room.id, &name, &hook.author).await? {
                return Ok(name);
            }
        }
        Ok(Username::anonymous())
    }

    /// Returns the hooks of a room, also those that have ended lately.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn hooks(&self, room_id: i64) -> Result<Vec<HookSummary>, StoreError> {
        self.store.hooks(Some(room_id)).await
    }

    /// Creates an incoming hook of a room. The caller has checked that the visitor owns the room.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the name is invalid, if the room has too many hooks, or if the database cannot be written.
    pub(crate) async fn create_incoming_hook(&self, room_id: i64, name: &str) -> Result<NewHook, Rejection> {
        create_incoming(&self.store, room_id, name).await
    }

    /// Creates an outgoing hook of a room, which delivers the events from now on. The caller has checked that the
    /// visitor owns the room, and that the site has outgoing webhooks.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the name or the URL is invalid, if the room has too many hooks, or if the database cannot
    /// be written.
    pub(crate) async fn create_outgoing_hook(
        &self,
        room_id: i64,
        name: &str,
        url: &str,
        allowed: &[HostPort],
    ) -> Result<NewHook, Rejection> {
        let hook = create_outgoing(&self.store, room_id, name, url, allowed).await?;
        self.hub.followers().follow(room_id);
        Ok(hook)
    }

    /// Ends a hook of a room. Returns `false` if the room has no such hook in force.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn end_hook(&self, room_id: i64, id: &str) -> Result<bool, StoreError> {
        self.store.end_hook(id, Some(room_id)).await
    }
}

/// Creates an incoming hook. Its address is the path that is shown once, after the room's name.
///
/// # Errors
///
/// Returns a rejection if the name is invalid, if the room has too many hooks, or if the database cannot be written.
pub(crate) async fn create_incoming(store: &Store, room_id: i64, name: &str) -> Result<NewHook, Rejection> {
    let created = store.create_incoming_hook(room_id, &Username::parse(name)?).await?;
    let (id, key) = created.ok_or_else(too_many)?;
    Ok(NewHook { id, shown_once: format!("hooks/{key}") })
}

/// Creates an outgoing hook. If the name is blank, the host of the URL becomes the name.
///
/// # Errors
///
/// Returns a rejection if the name or the URL is invalid, if the room has too many hooks, or if the database cannot be
/// written.
pub(crate) async fn create_outgoing(
    store: &Store,
    room_id: i64,
    name: &str,
    url: &str,
    allowed: &[HostPort],
) -> Result<NewHook, Rejection> {
    let refused = |refused: TargetRefused| Rejection::new(RejectionCode::Invalid, refused.to_string());
    let target = check_target(url, allowed).map_err(refused)?;
    let of_host = || readable_name(target.host()).unwrap_or_else(Username::anonymous);
    let name = if Username::is_blank(name) { of_host() } else { Username::parse(name)? };
    let created = store.create_outgoing_hook(room_id, &name, url.trim()).await?;
    let (id, secret) = created.ok_or_else(too_many)?;
    Ok(NewHook { id, shown_once: shown_secret(&secret) })
}

fn too_many() -> Rejection {
    Rejection::new(RejectionCode::Forbidden, "This room has as many webhooks as it can have. End one of them first.")
}

/// Returns a name as another program sent it, without the characters that no name has, and cut to the length of a name.
/// Returns `None` if nothing is left.
fn readable_name(raw: &str) -> Option<Username> {
    let cut = || {
        let kept: String = raw.chars().filter(|character| !character.is_control()).collect();
        let kept: String = kept.trim().graphemes(true).take(MAX_USERNAME_GRAPHEMES).collect();
        Username::parse(&kept).ok()
    };
    Username::parse(raw).ok().or_else(cut)
}

/// Returns the name with a suffix, cut so that the suffix fits.
fn with_suffix(name: &Username, suffix: &str) -> Option<Username> {
    let clusters: Vec<&str> = name.as_str().graphemes(true).collect();
    let longest = clusters.len().min(MAX_USERNAME_GRAPHEMES - suffix.len());
    let kept = |length: usize| format!("{}{suffix}", clusters[..length].concat().trim_end());
    (1..=longest).rev().find_map(|length| Username::parse(&kept(length)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_program_is_made_to_fit() {
        let name = |raw: &str| readable_name(raw).map(|name| name.to_string());
        assert_eq!(name(" Grafana v11 ").as_deref(), Some("Grafana v11"));
        assert_eq!(name("a\u{0}b\nc").as_deref(), Some("abc"));
        assert_eq!(name(&"x".repeat(5000)).map(|name| name.len()), Some(32));
        for none in ["", " ", "\n", "\u{202e}"] {
            assert_eq!(name(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_suffix_fits_every_name() {
        let suffixed = |name: &str| with_suffix(&Username::parse(name).unwrap(), " (hook)").unwrap().to_string();
        assert_eq!(suffixed("CI"), "CI (hook)");
        assert_eq!(suffixed(&"x".repeat(32)), format!("{} (hook)", "x".repeat(25)));
        assert_eq!(suffixed(&"👩‍👩‍👧‍👧".repeat(9)).chars().last(), Some(')'));
    }
}
