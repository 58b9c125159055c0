//! Signs relay messages and names their channels. Messages with another signature are ignored.

use super::Envelope;
use crate::server::hex::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Number of channels. They are numbered, so that no user input becomes the name of a channel.
pub(super) const CHANNEL_COUNT: i64 = 16;

/// Signs relay messages and names their channels; cheap to clone.
#[derive(Clone)]
pub(super) struct MessageSigner {
    key: Hmac<Sha256>,
    prefix: String,
}

impl MessageSigner {
    pub(super) fn new(secret: &[u8]) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let name = key.clone().chain_update(b"channels").finalize().into_bytes();
        Self { key, prefix: format!("parlour:{}", hex(&name[..4])) }
    }

    pub(super) fn channels(&self) -> Vec<String> {
        (0..CHANNEL_COUNT).map(|shard| self.channel(shard)).collect()
    }

    pub(super) fn channel(&self, shard: i64) -> String {
        format!("{}:{shard}", self.prefix)
    }

    pub(super) fn sign(&self, rung: &Envelope) -> Vec<u8> {
        let json = serde_json::to_vec(rung).expect("a bell is plain data");
        let mut sealed = self.key.clone().chain_update(&json).finalize().into_bytes()[..16].to_vec();
        sealed.extend(json);
        sealed
    }

    pub(super) fn verify(&self, sealed: &[u8]) -> Option<Envelope> {
        let (signature, json) = sealed.split_at_checked(16)?;
        self.key.clone().chain_update(json).verify_truncated_left(signature).ok()?;
        serde_json::from_slice(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::relay::RelayMessage;
    use uuid::Uuid;

    #[test]
    fn a_bell_survives_the_way_and_only_from_this_site() {
        let bell = RelayMessage::Room { room: 7, epoch: None, first: 41, last: 41, frames: vec!["{}".into()] };
        let sealed = MessageSigner::new(b"secret").sign(&Envelope { node: Uuid::nil(), number: 3, speaks: 1, bell });
        let opened = MessageSigner::new(b"secret").verify(&sealed).unwrap();
        assert!(matches!(opened, Envelope { number: 3, bell: RelayMessage::Room { room: 7, first: 41, .. }, .. }));
        assert!(MessageSigner::new(b"another").verify(&sealed).is_none());
        let mut forged = sealed.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(MessageSigner::new(b"secret").verify(&forged).is_none());
        assert!(MessageSigner::new(b"secret").verify(b"short").is_none());
    }

    #[test]
    fn sites_do_not_share_channels() {
        assert_ne!(MessageSigner::new(b"one").channel(0), MessageSigner::new(b"two").channel(0));
    }

    #[test]
    fn nodes_of_this_version_and_the_one_before_understand_each_other() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Before {
            node: Uuid,
            number: u64,
            bell: BellBefore,
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        enum BellBefore {
            Room { room: i64, first: i64, last: i64, frames: Vec<String> },
            Beat,
        }
        let json = |bell| serde_json::to_string(&Envelope { node: Uuid::nil(), number: 3, speaks: 1, bell }).unwrap();
        let epoch = Some(crate::domain::Epoch("k3f9a2c1".into()));
        let room = json(RelayMessage::Room { room: 7, epoch, first: 41, last: 42, frames: vec!["{}".into()] });
        let before = |bell| Before { node: Uuid::nil(), number: 3, bell };
        let read: Before = serde_json::from_str(&room).unwrap();
        let frames = vec!["{}".to_owned()];
        assert_eq!(read, before(BellBefore::Room { room: 7, first: 41, last: 42, frames }));
        let read: Before = serde_json::from_str(&json(RelayMessage::Beat)).unwrap();
        assert_eq!(read, before(BellBefore::Beat));
        assert!(serde_json::from_str::<Before>(&json(RelayMessage::Leave)).is_err(), "passed over");

        let before = r#"{"node":"00000000-0000-0000-0000-000000000000","number":3,"bell":"#;
        let room = format!(r#"{before}{{"Room":{{"room":7,"first":41,"last":41,"frames":[]}}}}}}"#);
        let read: Envelope = serde_json::from_str(&room).unwrap();
        assert!(matches!(read, Envelope { speaks: 0, bell: RelayMessage::Room { epoch: None, .. }, .. }));
    }
}
