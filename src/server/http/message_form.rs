//! The form of a message's page, which edits or removes the message without JavaScript.

use super::posting::{addressed, refusal, submit};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::http::problem::Problem;
use crate::server::http::state::AppState;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Extension, Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Fields of the form.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangeForm {
    /// The new text, if the form has the field.
    message: Option<String>,
    /// Present if the button that removes the message has sent the form.
    remove: Option<String>,
}

/// `POST /{room_name}/{seq}`: edits an own message, or removes one. Redirects to the message.
pub(crate) async fn change_message(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    form: Result<Form<ChangeForm>, FormRejection>,
) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return rejection.into_response(),
    };
    let changed = async {
        let (name, target) = addressed(&state, &headers, path)?;
        let command = match (&form.remove, &form.message) {
            (Some(_), _) => RoomCommand::Delete { target },
            (None, Some(text)) => RoomCommand::Edit { target, text },
            (None, None) => return Err(Problem::bad_request("The form needs the field “message” or “remove”.")),
        };
        submit(&state, &name, &visitor, None, command).await?;
        Ok(format!("{}{target}", name.path()))
    };
    match changed.await {
        Ok(path) => Redirect::to(&path).into_response(),
        Err(problem) => refusal(problem.of_addressed(), Problem::is_readable_by(&headers)),
    }
}
