//! Styles, scripts and pictures: embedded in the executable in release builds, otherwise read from the site root on
//! disk, where `cargo leptos` puts them.

use super::content_encoding::ContentEncoding;
use crate::server::hex::hex;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::{Component, PathBuf};
use std::sync::Arc;

/// The WebAssembly module, without which no page works.
const MODULE: &str = "pkg/parlour.wasm";

/// An asset file as it is sent.
pub(super) struct Asset {
    bytes: Bytes,
    /// Entity tag: a hash of the file. Weak, because a proxy may compress the file (RFC 9110, 8.8.3).
    etag: HeaderValue,
}

impl Asset {
    pub(super) fn new(bytes: Bytes, hash: &[u8]) -> Self {
        let etag = format!("W/\"{}\"", hex(&hash[..8]));
        Self { bytes, etag: HeaderValue::try_from(etag).expect("digits in quotes") }
    }

    /// Returns whether the client has this file already (RFC 9110, 13.1.2).
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
        let own = opaque(self.etag.to_str().unwrap_or_default());
        known.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == own)
    }

    /// Returns the response to a request with these headers: the file, unless the client has it already.
    pub(super) fn respond(
        &self,
        headers: &HeaderMap,
        cache: &'static str,
        media_type: &'static str,
        encoding: Option<ContentEncoding>,
    ) -> Response {
        let always = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, always).into_response();
        }
        let encoding = encoding.map(|encoding| [(header::CONTENT_ENCODING, encoding.token())]);
        (always, [(header::CONTENT_TYPE, media_type)], encoding, self.bytes.clone()).into_response()
    }
}

/// The files that an executable embeds.
#[derive(Clone, Copy)]
pub struct EmbeddedSite {
    get: fn(&str) -> Option<EmbeddedFile>,
    paths: fn() -> Vec<Cow<'static, str>>,
}

impl EmbeddedSite {
    /// Returns the files of `E`, or `None` if it has no site, as in debug builds.
    #[must_use]
    pub fn of<E: RustEmbed>() -> Option<Self> {
        let is_embedded = !cfg!(debug_assertions) && E::get(MODULE).is_some();
        is_embedded.then_some(Self { get: E::get, paths: || E::iter().collect() })
    }

    /// Returns a hash of all files.
    fn version(&self) -> Arc<str> {
        let mut hash = Sha256::new();
        let mut paths = (self.paths)();
        paths.sort();
        for path in paths {
            hash.update(path.as_bytes());
            hash.update((self.get)(&path).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
        }
        hex(&hash.finalize()[..6]).into()
    }
}

/// The assets of this executable.
#[derive(Clone)]
pub(crate) struct Assets {
    /// The embedded files and their version, if there are any.
    embedded: Option<(EmbeddedSite, Arc<str>)>,
    site_root: Arc<str>,
}

impl Assets {
    /// Creates the assets. Without embedded files they are read from `site_root`.
    pub(crate) fn new(embedded: Option<EmbeddedSite>, site_root: Arc<str>) -> Self {
        Self { embedded: embedded.map(|site| (site, site.version())), site_root }
    }

    /// Returns the path prefix of all assets. It contains a hash of all of them, so that caches can keep them
    /// indefinitely.
    pub(crate) fn root(&self) -> String {
        format!("/assets/{}", self.version().unwrap_or("dev"))
    }

    fn version(&self) -> Option<&str> {
        self.embedded.as_ref().map(|(_, version)| &**version)
    }

    async fn read(&self, path: &str) -> Option<Asset> {
        if let Some((site, _)) = &self.embedded {
            let file = (site.get)(path)?;
            let bytes = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            return Some(Asset::new(bytes, &file.metadata.sha256_hash()));
        }
        let path = PathBuf::from(path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let bytes = tokio::fs::read(std::path::Path::new(&*self.site_root).join(path)).await.ok()?;
        let hash = Sha256::digest(&bytes);
        Some(Asset::new(bytes.into(), &hash))
    }

    /// Returns the file in the best available encoding that the client accepts, and the name of that encoding.
    async fn find(&self, path: &str, headers: &HeaderMap) -> Option<(Asset, Option<ContentEncoding>)> {
        for encoding in ContentEncoding::ALL.into_iter().filter(|encoding| encoding.is_accepted(headers)) {
            if let Some(asset) = self.read(&format!("{path}{}", suffix(encoding))).await {
                return Some((asset, Some(encoding)));
            }
        }
        Some((self.read(path).await?, None))
    }

    async fn respond(&self, path: &str, headers: &HeaderMap, cache: &'static str) -> Response {
        let Some((asset, encoding)) = self.find(path, headers).await else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let media_type = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
        asset.respond(headers, cache, media_type, encoding)
    }
}

/// `GET /assets/{version}/{path}`. The handler ignores the version: it only makes the address unique for caches.
pub(crate) async fn asset(
    State(assets): State<Assets>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let current = assets.version() == Some(version.as_str());
    let cache = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
    assets.respond(&path, &headers, cache).await
}

/// `GET /favicon.ico` and other files that clients expect at the root.
pub(crate) async fn at_root(State(assets): State<Assets>, uri: axum::http::Uri, headers: HeaderMap) -> Response {
    assets.respond(uri.path().trim_start_matches('/'), &headers, "public, max-age=86400").await
}

/// Returns the suffix of files that are precompressed in this encoding.
fn suffix(encoding: ContentEncoding) -> &'static str {
    match encoding {
        ContentEncoding::Brotli => ".br",
        ContentEncoding::Gzip => ".gz",
    }
}

/// Returns the opaque part of an entity tag. Weak comparison ignores the `W/` prefix (RFC 9110, 8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_known_asset_is_not_sent_again() {
        let site = tempfile::tempdir().expect("a directory");
        std::fs::write(site.path().join("a.txt"), "plain").expect("a file");
        std::fs::write(site.path().join("a.txt.br"), "small").expect("a file");
        let assets = Assets::new(None, site.path().to_str().expect("a path").into());
        let asked = async |accepted: &'static str, known: Option<&HeaderValue>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            headers.extend(known.map(|etag| (header::IF_NONE_MATCH, etag.clone())));
            let answer = assets.respond("a.txt", &headers, "no-cache").await;
            let (status, etag) = (answer.status(), answer.headers()[header::ETAG].clone());
            (status, etag, to_bytes(answer.into_body(), 100).await.expect("a body"))
        };
        let (status, plain, body) = asked("identity", None).await;
        assert_eq!((status, &body[..]), (StatusCode::OK, &b"plain"[..]));
        let (_, small, body) = asked("br", None).await;
        assert_eq!(&body[..], b"small");
        assert_ne!(plain, small, "another encoding is another representation");
        let (status, etag, body) = asked("br", Some(&small)).await;
        assert_eq!((status, &etag, body.len()), (StatusCode::NOT_MODIFIED, &small, 0));
        assert_eq!(asked("br", Some(&plain)).await.0, StatusCode::OK);
        std::fs::write(site.path().join("a.txt"), "other").expect("a file");
        assert_eq!(asked("identity", Some(&plain)).await.0, StatusCode::OK, "it has changed");
        let list = format!("\"x\", {}", small.to_str().expect("ASCII"));
        let list = HeaderValue::from_str(&list).expect("a list");
        assert_eq!(asked("br", Some(&list)).await.0, StatusCode::NOT_MODIFIED);
        assert_eq!(asked("br", Some(&HeaderValue::from_static("*"))).await.0, StatusCode::NOT_MODIFIED);
        let strong = HeaderValue::from_str(small.to_str().expect("ASCII").trim_start_matches("W/")).expect("a tag");
        assert_eq!(asked("br", Some(&strong)).await.0, StatusCode::NOT_MODIFIED, "as a proxy may have made of it");
        assert_eq!(&asked("br;q=0", None).await.2[..], b"other");
    }
}
