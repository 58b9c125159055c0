//! Signs what goes over Redis, and names its channels: what another has put there is not believed.

use super::Rung;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Channels are numbered, so that nothing a visitor types names one.
pub(super) const SHARDS: i64 = 16;

/// Signs and names what goes over Redis.
#[derive(Clone)]
pub(super) struct Seal {
    key: Hmac<Sha256>,
    prefix: String,
}

impl Seal {
    pub(super) fn new(secret: &[u8]) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let name = key.clone().chain_update(b"channels").finalize().into_bytes();
        Self { key, prefix: format!("parlour:{:02x}{:02x}{:02x}{:02x}", name[0], name[1], name[2], name[3]) }
    }

    pub(super) fn channels(&self) -> Vec<String> {
        (0..SHARDS).map(|shard| self.channel(shard)).collect()
    }

    pub(super) fn channel(&self, shard: i64) -> String {
        format!("{}:{shard}", self.prefix)
    }

    pub(super) fn close(&self, rung: &Rung) -> Vec<u8> {
        let json = serde_json::to_vec(rung).expect("a bell is plain data");
        let mut sealed = self.key.clone().chain_update(&json).finalize().into_bytes()[..16].to_vec();
        sealed.extend(json);
        sealed
    }

    pub(super) fn open(&self, sealed: &[u8]) -> Option<Rung> {
        let (signature, json) = sealed.split_at_checked(16)?;
        self.key.clone().chain_update(json).verify_truncated_left(signature).ok()?;
        serde_json::from_slice(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bell;
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_bell_survives_the_way_and_only_from_this_site() {
        let bell = Bell::Room { room: 7, epoch: None, first: 41, last: 41, frames: vec!["{}".into()] };
        let sealed = Seal::new(b"secret").close(&Rung { node: Uuid::nil(), number: 3, speaks: 1, bell });
        let opened = Seal::new(b"secret").open(&sealed).unwrap();
        assert!(matches!(opened, Rung { number: 3, bell: Bell::Room { room: 7, first: 41, .. }, .. }));
        assert!(Seal::new(b"another").open(&sealed).is_none());
        let mut forged = sealed.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(Seal::new(b"secret").open(&forged).is_none());
        assert!(Seal::new(b"secret").open(b"short").is_none());
    }

    #[test]
    fn sites_do_not_share_channels() {
        assert_ne!(Seal::new(b"one").channel(0), Seal::new(b"two").channel(0));
    }
}
