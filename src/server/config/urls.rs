//! URLs among the settings: which can be, and how they are shown.

use super::ConfigError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What stands in a path, and for something else in a URL.
const NOT_PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The URL of a file of SQLite, whatever its name.
pub(crate) fn of_sqlite(file: &Path) -> String {
    format!("sqlite://{}", percent_encode(file.as_os_str().as_bytes(), &NOT_PLAIN))
}

/// What reads URLs of databases takes for granted that they are some.
pub(super) fn a_database(url: &str) -> Result<(), ConfigError> {
    let wrong = |error| ConfigError(format!("database-url: {} is no address ({error})", redacted(url)));
    url::Url::parse(url).map(|_| ()).map_err(wrong)
}

/// The relay needs one Redis, and no more: nothing depends on it that the database does not hold.
pub(super) fn one_redis(url: &str) -> Result<(), ConfigError> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let hosts = rest.split('/').next().unwrap_or_default();
    let wrong = if scheme.contains("sentinel") || scheme.contains("cluster") || hosts.contains(',') {
        "Sentinel and Cluster are not spoken; name one Redis, or one address that leads to the present one"
    } else if !["redis", "rediss", "unix", "redis+unix"].contains(&scheme) {
        "is no address like redis://redis.example, or rediss://… for TLS"
    } else {
        return Ok(());
    };
    Err(ConfigError(format!("redis-url: {}: {wrong}", redacted(url))))
}

/// Scheme, host and port of a URL, as browsers send them in `Origin`.
pub(super) fn origin(url: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError(format!("public-url: {url} is not an address like https://chat.example"));
    let parsed = url::Url::parse(url).map_err(|_| wrong())?;
    if !matches!(parsed.scheme(), "http" | "https") || !matches!(parsed.path(), "" | "/") {
        return Err(wrong());
    }
    Ok(parsed.origin().ascii_serialization())
}

/// The host of an origin, without scheme and port.
pub(super) fn host(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    let port = authority.rfind(':').filter(|colon| authority[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    Some(&authority[..port.unwrap_or(authority.len())])
}

/// A URL fit to be shown: without its password, wherever that stands.
pub fn redacted(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        // Whatever this is meant to be, what stands before an @ is nobody's business.
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, rest)| format!("***@{rest}"));
    };
    let is_secret = |name: &str| name.to_lowercase().contains("password");
    let mut changed = false;
    if parsed.password().is_some() {
        let _ = parsed.set_password(Some("***"));
        changed = true;
    }
    if parsed.query_pairs().any(|(name, _)| is_secret(&name)) {
        let pairs: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
        let shown = pairs.iter().map(|(name, value)| (name, if is_secret(name) { "***" } else { value.as_str() }));
        parsed.query_pairs_mut().clear().extend_pairs(shown);
        changed = true;
    }
    if changed { parsed.to_string() } else { url.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_becomes_an_origin() {
        assert_eq!(origin("https://Chat.example:443/").unwrap(), "https://chat.example");
        assert_eq!(origin("http://chat.example:8080").unwrap(), "http://chat.example:8080");
        assert!(origin("https://chat.example/chat/").is_err());
    }

    #[test]
    fn a_path_is_the_same_in_its_url() {
        assert_eq!(of_sqlite(Path::new("/srv/parlour_1/x-y.db")), "sqlite:///srv/parlour_1/x-y.db");
        for path in ["/srv/y%41/parlour.db", "a b/c?d#e.db", "x:1/@[y]", "données/😀.db", "sqlite:/x"] {
            let url = of_sqlite(Path::new(path));
            assert!(a_database(&url).is_ok(), "{url}");
            let encoded = url.strip_prefix("sqlite://").unwrap();
            assert_eq!(percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap(), path);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("postgres://ann:secret@db/parlour"), "postgres://ann:***@db/parlour");
        assert_eq!(redacted("redis://:secret@a:6379,b:6379"), "***@a:6379,b:6379");
        assert_eq!(redacted("postgres://db/x?user=ann&password=secret"), "postgres://db/x?user=ann&password=***");
        assert_eq!(redacted("sqlite://data/parlour.db"), "sqlite://data/parlour.db");
    }
}
