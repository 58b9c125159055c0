//! Requests that react to a message or pin it, by a form or by a program: a state that is set, or toggled.

use super::message_body::idempotency_key;
use super::origin;
use super::problem::Problem;
use super::reaction_form::ReactionFields;
use crate::domain::event::parse_seq;
use crate::domain::{RejectionCode, RememberedUsername, RoomName, Seq, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::http::state::AppState;
use crate::server::journal::SubmitResult;
use crate::server::store::RoomRecord;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode};

/// A message that an address names.
pub(super) type Addressed = Result<Path<(String, String)>, PathRejection>;

/// Returns the room and the message in an address, and how it spells the name; `None` if it is no address of a message.
pub(super) fn addressed(path: &Addressed) -> Option<(RoomName, Seq, &str)> {
    let Path((raw, seq)) = path.as_ref().ok()?;
    Some((RoomName::parse(raw).ok()?, parse_seq(seq)?, raw))
}

/// A request of a visitor whom the room admits.
pub(super) struct AnnotationRequest {
    name: RoomName,
    /// The number of the message.
    pub(super) seq: Seq,
    pub(super) found: RoomRecord,
    pub(super) fields: ReactionFields,
    /// The name that the visitor's browser has sent.
    pub(super) username: Username,
    id: Option<String>,
}

impl AnnotationRequest {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// Returns the problem to answer with: a page of another site, a room or a message that does not exist, a visitor who
    /// may not enter, or a body that is not a form of this visitor.
    pub(super) async fn read(
        state: &AppState,
        path: &Addressed,
        (visitor, known): (&Visitor, &RememberedUsername),
        (headers, body): (&HeaderMap, Body),
    ) -> Result<Self, Problem> {
        if !origin::is_same_origin_request(headers, state.config.public_url.as_deref()) {
            return Err(Problem::of_foreign_page());
        }
        let (name, seq, _) = addressed(path).ok_or_else(|| Problem::not_found("No message has this address."))?;
        let found = state.chat.admit(&name, visitor).await?;
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let fields = ReactionFields::read(headers, &body)?;
        if fields.token.as_ref().is_some_and(|token| !state.form_tokens.proves(&visitor.author, token)) {
            let detail = "This page was out of date. Try again.";
            return Err(Problem::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, detail));
        }
        let id = if fields.id.is_some() { fields.id.clone() } else { idempotency_key(headers)? };
        let username = known.0.clone().unwrap_or_else(Username::anonymous);
        Ok(Self { name, seq, found, fields, username, id })
    }

    /// Submits the command that sets the state to `on`, which is what the request asks for, or the opposite of the state
    /// if it toggles. A repeated id is answered by its event: the first request with it has changed the state, so a
    /// repeated toggle would be the opposite event.
    pub(super) async fn submit<'a>(
        &'a self,
        state: &AppState,
        visitor: &Visitor,
        on: bool,
        command: impl Fn(bool) -> RoomCommand<'a>,
    ) -> SubmitResult {
        let submit = |on| state.chat.submit_and_wait(&self.name, visitor, self.id.as_deref(), command(on));
        match submit(on).await {
            Err(rejection) if self.fields.on.is_none() && rejection.code == RejectionCode::IdConflict => {
                submit(!on).await
            }
            result => result,
        }
    }
}
