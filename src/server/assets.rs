//! Styles, scripts and pictures: inside the executable where it was built with them, else from the site root on disk,
//! where cargo-leptos leaves them.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::{Component, PathBuf};
use std::sync::Arc;

/// The folder that cargo-leptos has filled by the time the server is compiled; read from disk in debug builds.
#[derive(RustEmbed)]
#[folder = "$LEPTOS_SITE_ROOT"]
#[allow_missing = true]
struct Site;

/// What a page cannot do without.
const MODULE: &str = "pkg/parlour.wasm";

/// Encodings that may lie beside a file, best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The assets of this executable.
#[derive(Clone)]
pub(crate) struct Assets {
    version: Option<Arc<str>>,
    site_root: Arc<str>,
}

impl Assets {
    /// `site_root` is where files are looked for that the executable does not hold.
    pub(crate) fn new(site_root: Arc<str>) -> Self {
        let embedded = !cfg!(debug_assertions) && Site::get(MODULE).is_some();
        Self { version: embedded.then(version), site_root }
    }

    /// What stands before every asset's path. It carries a hash of all of them, so that they can be kept for ever.
    pub(crate) fn root(&self) -> String {
        format!("/assets/{}", self.version.as_deref().unwrap_or("dev"))
    }

    async fn read(&self, path: &str) -> Option<Bytes> {
        if self.version.is_some() {
            let file = Site::get(path)?;
            return Some(match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            });
        }
        let path = PathBuf::from(path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        tokio::fs::read(std::path::Path::new(&*self.site_root).join(path)).await.ok().map(Bytes::from)
    }

    async fn respond(&self, path: &str, headers: &HeaderMap, cache: &'static str) -> Response {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepts = |name: &str| accepted.split(',').any(|one| one.trim().split(';').next() == Some(name));
        let mime = mime_guess::from_path(path);
        let mime = mime.first_raw().unwrap_or("application/octet-stream");
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(mime)),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        for (encoding, suffix) in ENCODINGS {
            if accepts(encoding)
                && let Some(bytes) = self.read(&format!("{path}{suffix}")).await
            {
                return (head, [(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))], bytes).into_response();
            }
        }
        match self.read(path).await {
            Some(bytes) => (head, bytes).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// `GET /assets/{version}/{path}`. The version is part of the address for caches alone.
pub(crate) async fn asset(
    State(assets): State<Assets>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let current = assets.version.as_deref() == Some(version.as_str());
    let cache = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
    assets.respond(&path, &headers, cache).await
}

/// `GET /favicon.ico` and others that are looked for at the root.
pub(crate) async fn at_root(State(assets): State<Assets>, uri: axum::http::Uri, headers: HeaderMap) -> Response {
    assets.respond(uri.path().trim_start_matches('/'), &headers, "public, max-age=86400").await
}

fn version() -> Arc<str> {
    let mut hash = Sha256::new();
    let mut paths: Vec<_> = Site::iter().collect();
    paths.sort();
    for path in paths {
        hash.update(path.as_bytes());
        hash.update(Site::get(&path).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
