//! Posts of one connection that wait for their commits.

use crate::domain::Username;
use crate::server::chat;
use crate::server::journal::Outcome;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A post whose outcome is not known yet.
pub(super) struct Pending {
    pub(super) id: Option<String>,
    pub(super) username: Option<Username>,
    pub(super) outcome: oneshot::Receiver<Outcome>,
}

/// A post whose outcome is known.
pub(super) struct Answered {
    pub(super) id: Option<String>,
    pub(super) username: Option<Username>,
    pub(super) outcome: Outcome,
}

impl Future for Pending {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let outcome = ready!(Pin::new(&mut self.outcome).poll(context));
        let outcome = outcome.unwrap_or_else(|_| Err(chat::draining()));
        Poll::Ready(Answered { id: self.id.take(), username: self.username.take(), outcome })
    }
}
