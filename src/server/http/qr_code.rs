//! The QR code of a room's invitation link, as a picture.

use super::origin;
use super::problem::Problem;
use super::room_address::redirect_to_canonical;
use crate::domain::RoomName;
use crate::server::auth::visitor::Visitor;
use crate::server::http::state::AppState;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Width of the light margin around the code, in modules (ISO/IEC 18004, "quiet zone").
const QUIET_ZONE: usize = 4;

/// `GET /{room_name}/qr`: the invitation link of a room that the visitor may enter.
pub(crate) async fn qr_code(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let found = async {
        let raw = raw.map(|Path(raw)| raw).unwrap_or_default();
        let name = RoomName::parse(&raw).map_err(|reason| Problem::not_found(reason.to_string()))?;
        if let Some(redirect) = redirect_to_canonical(&name, &raw, "qr", &uri) {
            return Ok(redirect);
        }
        let invitation = state.chat.admit(&name, &visitor).await?.invitation();
        let site = origin::own(&headers, state.config.public_url.as_deref()).unwrap_or_default();
        // A link has at most a few hundred bytes, and a code holds more than 2000.
        let code = QrCode::with_error_correction_level(site + &invitation, EcLevel::M);
        let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, no-store")];
        Ok(code.map_or(StatusCode::INTERNAL_SERVER_ERROR.into_response(), |code| (headers, svg(&code)).into_response()))
    };
    found.await.unwrap_or_else(|problem: Problem| problem.into_response())
}

/// Returns a code as SVG: a path of its dark modules, row by row.
fn svg(code: &QrCode) -> String {
    let width = code.width();
    let size = width + 2 * QUIET_ZONE;
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        for (column, _) in modules.iter().enumerate().filter(|(_, module)| **module == Color::Dark) {
            let _ = write!(path, "M{} {}h1v1h-1z", column + QUIET_ZONE, row + QUIET_ZONE);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{size}v{size}h-{size}z\"/><path d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_margin_and_three_corners() {
        let code = QrCode::with_error_correction_level("https://chat.example/harbour/", EcLevel::M).unwrap();
        let svg = svg(&code);
        let size = code.width() + 2 * QUIET_ZONE;
        assert!(svg.contains(&format!("viewBox=\"0 0 {size} {size}\"")), "{svg}");
        let far = size - QUIET_ZONE - 1;
        for (column, row) in [(4, 4), (far, 4), (4, far)] {
            assert!(svg.contains(&format!("M{column} {row}h1")), "a corner at {column} {row}");
        }
        let dark = code.to_colors().into_iter().filter(|module| *module == Color::Dark).count();
        assert_eq!(svg.matches("h1v1h-1z").count(), dark);
    }
}
