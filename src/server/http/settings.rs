//! Handlers of a room's settings: `GET` shows the page, `POST` takes one of its forms.

use super::origin;
use super::problem::rejection_status;
use super::render::{not_found, page, remembered_username};
use super::room_address::redirect_to_canonical;
use super::settings_fields::{FormFields, FormOutcome};
use super::settings_form::submit;
use super::settings_page::{SettingsQuery, ShownSettings, settings_page};
use crate::domain::{RejectionCode, RememberedUsername, RoomName};
use crate::server::auth::visitor::Visitor;
use crate::server::http::middleware::request_limit::TOO_MANY_REQUESTS;
use crate::server::http::state::AppState;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::{Page, RefusedSetting, SettingsField};
use axum::body::Body;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Form, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// `GET /{room_name}/settings`.
pub(crate) async fn settings(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<SettingsQuery>, QueryRejection>,
    uri: Uri,
    request: Request,
) -> Response {
    let Ok(Path(raw)) = raw else { return not_found(State(state), request).await };
    let Ok(name) = RoomName::parse(&raw) else { return not_found(State(state), request).await };
    if let Some(redirect) = redirect_to_canonical(&name, &raw, "settings", &uri) {
        return redirect;
    }
    let username = remembered_username(&request).cloned();
    let Query(query) = query.unwrap_or_default();
    let shown = ShownSettings { query, username: username.map(|name| name.to_string()), ..Default::default() };
    show(&state, request, &name, &visitor, shown).await
}

/// `POST /{room_name}/settings`: applies a form, then redirects to the page. A refused form is returned in the page, with
/// the reason.
pub(crate) async fn change(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    headers: HeaderMap,
    uri: Uri,
    form: Result<Form<FormFields>, FormRejection>,
) -> Response {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot change settings here.").into_response();
    }
    let mut again = Request::new(Body::empty());
    *again.uri_mut() = uri;
    *again.headers_mut() = headers;
    again.extensions_mut().insert(visitor);
    again.extensions_mut().insert(known.clone());
    let Some(name) = raw.ok().and_then(|Path(raw)| RoomName::parse(&raw).ok()) else {
        return not_found(State(state), again).await;
    };
    // Before the form is read: to a stranger, every form leads to the page that says that there is no room.
    let found = match state.chat.admit(&name, &visitor).await {
        Ok(found) => found,
        Err(denied) => {
            return (denied.status(), page(&state, again, Page::Error(denied.into())).await).into_response();
        }
    };
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => return rejection.into_response(),
    };
    let outcome = submit(&state, &found, &visitor, &known, &fields).await;
    let (field, rejection) = match outcome {
        Ok(FormOutcome::Done(response)) => return response,
        Ok(FormOutcome::Asked(question)) => return page(&state, again, Page::Confirm(question)).await,
        Ok(FormOutcome::Created(mut created)) => {
            if created.text.starts_with('/') {
                let site = origin::own(again.headers(), state.config.public_url.as_deref());
                created.text.insert_str(0, &site.unwrap_or_default());
            }
            let username = known.0.map(|name| name.to_string());
            let shown = ShownSettings { username, created: Some(created), ..Default::default() };
            return show(&state, again, &name, &visitor, shown).await;
        }
        Err(refused) => refused,
    };
    record_rejection(rejection.code);
    let _permit = match state.limiter.work(visitor.network).await {
        Ok(permit) => permit,
        Err(limited) => return limited.response(TOO_MANY_REQUESTS),
    };
    let status = rejection_status(rejection.code);
    let retry_after = rejection.retry_after_ms;
    // Who may not do this does not see the field either.
    let field = if rejection.code == RejectionCode::Forbidden { SettingsField::Page } else { field };
    let shown = ShownSettings {
        query: SettingsQuery { people: fields.people, ..Default::default() },
        username: fields.username.or_else(|| known.0.map(|name| name.to_string())),
        title: fields.title,
        topic: fields.topic,
        program: [fields.hook_name, fields.webhook_url, fields.token_label].map(Option::unwrap_or_default),
        created: None,
        refused: Some(RefusedSetting { field, detail: rejection.detail }),
    };
    let mut response = show(&state, again, &name, &visitor, shown).await;
    if response.status().is_success() {
        *response.status_mut() = status;
        if let Some(milliseconds) = retry_after {
            let seconds = milliseconds.div_ceil(1000).max(1);
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
        }
    }
    response
}

/// Shows the settings, or why the visitor may not see them.
async fn show(
    state: &AppState,
    request: Request,
    name: &RoomName,
    visitor: &Visitor,
    shown: ShownSettings,
) -> Response {
    match settings_page(state, request.headers(), name, visitor, shown).await {
        Ok(data) => page(state, request, Page::Settings(Box::new(data))).await,
        Err(denied) => (denied.status(), page(state, request, Page::Error(denied.into())).await).into_response(),
    }
}
