//! Posts of one connection that wait for their commits.

use crate::domain::Username;
use crate::server::chat;
use crate::server::journal::SubmitResult;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A post whose outcome is not known yet.
pub(super) struct PendingPost {
    pub(super) id: Option<String>,
    pub(super) username: Option<Username>,
    pub(super) outcome: oneshot::Receiver<SubmitResult>,
}

/// A post whose outcome is known.
pub(super) struct CompletedPost {
    pub(super) id: Option<String>,
    pub(super) username: Option<Username>,
    pub(super) outcome: SubmitResult,
}

impl Future for PendingPost {
    type Output = CompletedPost;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CompletedPost> {
        let outcome = ready!(Pin::new(&mut self.outcome).poll(context));
        let outcome = outcome.unwrap_or_else(|_| Err(chat::draining_rejection()));
        Poll::Ready(CompletedPost { id: self.id.take(), username: self.username.take(), outcome })
    }
}
