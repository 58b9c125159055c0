//! `GET /.openapi.json`: the description of the interface of rooms for programs, as docs/openapi.json has it.

use super::assets::Asset;
use super::media_type::JSON;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const API_DESCRIPTION: &[u8] = include_bytes!("../../../docs/openapi.json");

static ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(Bytes::from_static(API_DESCRIPTION), &Sha256::digest(API_DESCRIPTION)));

/// Returns the description (OpenAPI 3.1).
pub(crate) async fn openapi(headers: HeaderMap) -> Response {
    ASSET.respond(&headers, "no-cache", JSON, None)
}
