//! Posts of one connection whose commits are pending.

use crate::domain::Username;
use crate::server::chat;
use crate::server::journal::SubmitResult;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A post whose outcome is not known yet.
pub(crate) struct PendingPost {
    pub(crate) id: Option<String>,
    pub(crate) username: Option<Username>,
    pub(crate) outcome: oneshot::Receiver<SubmitResult>,
}

/// A post whose outcome is known.
pub(crate) struct CompletedPost {
    pub(crate) id: Option<String>,
    pub(crate) username: Option<Username>,
    pub(crate) outcome: SubmitResult,
}

impl Future for PendingPost {
    type Output = CompletedPost;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CompletedPost> {
        let outcome = ready!(Pin::new(&mut self.outcome).poll(context));
        let outcome = outcome.unwrap_or_else(|_| Err(chat::draining_rejection()));
        Poll::Ready(CompletedPost { id: self.id.take(), username: self.username.take(), outcome })
    }
}
