//! The sender of a request, as other modules see them.

use super::identity::AuthorId;
use crate::domain::RoomKey;
use crate::server::network::Network;

/// The identity and the network of a request's sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    pub(crate) author: AuthorId,
    pub(crate) network: Network,
    /// The key in the address that admits the visitor to a private room.
    pub(crate) invitation: Option<RoomKey>,
    /// The suffix of this site's cookie names if another site on the host uses the plain ones.
    pub(crate) cookie_suffix: Option<u32>,
    /// Whether this identity is likely to be seen again: a browser has it, or gets it with the answer to an invitation.
    pub(crate) has_persistent_identity: bool,
}
