//! URLs among the settings: validation and redaction.

use super::ConfigError;
use super::url_parameters::validate_parameters;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use url::Url;

/// Characters of a path that have another meaning in a URL.
const NOT_PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Schemes whose URLs are shown. Anything else may be a password in the wrong place.
const DATABASES: [&str; 2] = ["postgres", "postgresql"];
const REDIS: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];
const SOCKETS: [&str; 3] = ["unix", "redis+unix", "valkey+unix"];
const SITES: [&str; 2] = ["http", "https"];

/// Replacement for text that is not shown.
const HIDDEN: &str = "***";

/// Returns the URL of an SQLite file with any name.
pub(crate) fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}", percent_encode(file.as_os_str().as_bytes(), &NOT_PLAIN))
}

/// Returns a PostgreSQL URL that names a user and no host, as `postgres://ann@/parlour?host=/run/postgresql`, in a form
/// that the driver reads too: the user moves into the parameters. libpq reads both (PostgreSQL, section 34.1.1.2).
pub(super) fn postgres_url(url: String) -> String {
    let parts = url.split_once("://").filter(|(scheme, _)| DATABASES.contains(scheme)).and_then(|(scheme, rest)| {
        let (credentials, rest) = rest.split_once("@/")?;
        (!credentials.contains(['/', '?', '#', '@'])).then_some((scheme, credentials, rest))
    });
    let Some((scheme, credentials, rest)) = parts else { return url };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    // Both are percent-encoded already, but not the characters with a meaning in a query alone.
    let encoded = |text: &str| text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut parameters = format!("user={}", encoded(user));
    if !password.is_empty() {
        parameters.push_str(&format!("&password={}", encoded(password)));
    }
    let (database, query) = rest.split_once('?').unwrap_or((rest, ""));
    let separator = if query.is_empty() { "" } else { "&" };
    format!("{scheme}:///{database}?{parameters}{separator}{query}")
}

/// Validates the URL of the database.
///
/// # Errors
///
/// Returns an error unless it is a URL of SQLite or PostgreSQL, with parameters that their drivers know.
pub(super) fn validate_database_url(url: &str) -> Result<(), ConfigError> {
    let wrong = |error| ConfigError(format!("database-url: {} is not a URL ({error})", redacted(url)));
    let parsed = Url::parse(url).map_err(wrong)?;
    if parsed.scheme() != "sqlite" && !DATABASES.contains(&parsed.scheme()) {
        return Err(ConfigError(format!("database-url: {} is neither sqlite://… nor postgres://…", redacted(url))));
    }
    validate_parameters(&parsed).map_err(|wrong| ConfigError(format!("database-url: {} {wrong}", redacted(url))))
}

/// Validates the URL of Redis.
///
/// # Errors
///
/// Returns an error unless it names exactly one Redis server. One is enough, because the database contains everything
/// that matters.
pub(super) fn validate_redis_url(url: &str) -> Result<(), ConfigError> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    // A URL of several hosts with ports cannot be parsed. A password may contain commas.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let parsed = Url::parse(url);
    let wrong = if scheme.contains("sentinel") || scheme.contains("cluster") || hosts.contains(',') {
        "Sentinel and Cluster are not supported; use one Redis, or an address that leads to the current primary"
            .to_owned()
    } else if parsed.is_err() || !REDIS.iter().chain(&SOCKETS).any(|known| *known == scheme) {
        "is not a URL like redis://redis.example, or rediss://… for TLS".to_owned()
    } else {
        match parsed.map_err(|error| error.to_string()).and_then(|url| validate_parameters(&url)) {
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        }
    };
    Err(ConfigError(format!("redis-url: {}: {wrong}", redacted(url))))
}

/// Returns scheme, host and port of a URL, as browsers send them in `Origin`.
///
/// # Errors
///
/// Returns an error if the URL is not one of a site.
pub(super) fn origin(url: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError(format!("public-url: {} is not an address like https://chat.example", redacted(url)));
    let parsed = Url::parse(url).map_err(|_| wrong())?;
    if !SITES.contains(&parsed.scheme()) || !parsed.has_host() {
        return Err(wrong());
    }
    if parsed.path() != "/" {
        let path = parsed.path();
        let reason = "the site cannot run below a path; give it its own host name, like https://chat.example";
        return Err(ConfigError(format!("public-url: {}: {path}: {reason}", redacted(url))));
    }
    Ok(parsed.origin().ascii_serialization())
}

/// Returns the host of an origin, without scheme and port.
pub(super) fn host(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    let port = authority.rfind(':').filter(|colon| authority[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    Some(&authority[..port.unwrap_or(authority.len())])
}

/// Returns a URL that is safe to show: scheme, user, host, port and path, as far as they could be parsed. The rest is
/// hidden, because a malformed URL may contain a password anywhere.
pub fn redacted(url: &str) -> String {
    // A file has no password. Leave out parameters, which may belong to another database.
    if let Some(file) = url.strip_prefix("sqlite:") {
        return format!("sqlite:{}", file.split(['?', '#']).next().unwrap_or_default());
    }
    let Ok(parsed) = Url::parse(url) else { return HIDDEN.to_owned() };
    let scheme = parsed.scheme();
    let [is_database, is_redis, is_socket, is_site] =
        [&DATABASES[..], &REDIS, &SOCKETS, &SITES].map(|schemes| schemes.contains(&scheme));
    if !(is_database || is_redis || is_socket || is_site) || parsed.cannot_be_a_base() {
        return HIDDEN.to_owned();
    }
    let (user, password) = (parsed.username(), parsed.password());
    // A password with a slash, or the like, is parsed as host, port and path: then an @ comes too late.
    let is_torn = !parsed.has_authority() || parsed[url::Position::BeforePath..].contains('@');
    if is_torn || (!is_socket && !parsed.has_host()) {
        return format!("{scheme}://{HIDDEN}");
    }
    let credentials = match (user, password) {
        ("", None) => String::new(),
        // In a Redis URL, the user is often meant as the password.
        (_, None) if !is_database => format!("{HIDDEN}@"),
        (user, None) => format!("{user}@"),
        (user, Some(_)) => format!("{user}:{HIDDEN}@"),
    };
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
    let more = if parsed.query().or(parsed.fragment()).is_some() { format!("?{HIDDEN}") } else { String::new() };
    // Web URLs have a path, even if none was written.
    let path = if parsed.path() == "/" && !url.ends_with('/') { "" } else { parsed.path() };
    format!("{scheme}://{credentials}{host}{port}{path}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_becomes_an_origin() {
        assert_eq!(origin("https://Chat.example:443/").unwrap(), "https://chat.example");
        assert_eq!(origin("http://chat.example:8080").unwrap(), "http://chat.example:8080");
        let error = origin("https://chat.example/chat/").unwrap_err().to_string();
        assert!(error.contains("/chat/") && error.contains("below a path"), "{error}");
    }

    #[test]
    fn a_user_without_a_host_reaches_the_driver() {
        use sea_orm::sqlx::postgres::PgConnectOptions;
        for (url, user, database) in [
            ("postgres://ann@/parlour?host=/run/x", "ann", "parlour"),
            ("postgresql://a%2Bn:se%40c+ret@/parlour?host=/run/x&application_name=y", "a+n", "parlour"),
        ] {
            let rewritten = postgres_url(url.to_owned());
            assert!(validate_database_url(&rewritten).is_ok(), "{rewritten}");
            let options: PgConnectOptions = rewritten.parse().unwrap();
            assert_eq!((options.get_username(), options.get_database()), (user, Some(database)), "{rewritten}");
            assert_eq!(
                options.get_socket().map(|socket| socket.to_string_lossy()),
                Some("/run/x".into()),
                "{rewritten}"
            );
            assert!(!redacted(&rewritten).contains("ret"), "{rewritten}");
        }
        for url in
            ["postgres://ann@db/parlour", "postgres:///parlour?user=ann", "sqlite://a@/b", "postgres://db/x?y=@/"]
        {
            assert_eq!(postgres_url(url.to_owned()), url);
        }
    }

    #[test]
    fn a_path_is_the_same_in_its_url() {
        assert_eq!(sqlite_url(Path::new("/srv/parlour_1/x-y.db")), "sqlite:///srv/parlour_1/x-y.db");
        for path in ["/srv/y%41/parlour.db", "a b/c?d#e.db", "x:1/@[y]", "données/😀.db", "sqlite:/x"] {
            let url = sqlite_url(Path::new(path));
            assert!(validate_database_url(&url).is_ok(), "{url}");
            let encoded = url.strip_prefix("sqlite://").unwrap();
            assert_eq!(percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap(), path);
        }
    }

    #[test]
    fn one_redis_is_accepted_whatever_its_password() {
        for url in [
            "redis://redis.example",
            "redis://:a,b@redis.example:6379/0",
            "rediss://ann:a,b,c@redis.example?protocol=resp3",
            "redis+unix:///run/redis.sock?pass=a,b",
            "unix:///run/redis.sock",
        ] {
            assert!(validate_redis_url(url).is_ok(), "{url}");
        }
        for (url, said) in [
            ("redis://a:6379,b:6379", "Cluster"),
            ("redis://:se,cret@a:6379,b:6379", "Cluster"),
            ("redis://a,b", "Cluster"),
            ("redis+sentinel://a/x", "Sentinel"),
            ("redis:/:secret@a", "like redis://"),
            ("redis://:sec/ret@a", "like redis://"),
            ("ann:secret@redis.example", "like redis://"),
        ] {
            let error = validate_redis_url(url).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("ret"), "{error}");
        }
    }

    #[test]
    fn a_url_is_shown_as_it_was_understood() {
        for url in [
            "postgres://db/parlour",
            "postgres://ann@db:5433/parlour",
            "postgresql://[::1]/parlour",
            "redis://redis.example",
            "redis://redis.example:6380/7",
            "rediss://redis.example/",
            "unix:///run/redis.sock",
            "https://chat.example",
            "sqlite://data/parlour.db",
            "sqlite:///srv/a@b/parlour.db",
        ] {
            assert_eq!(redacted(url), url);
        }
        assert_eq!(redacted("postgres://ann:secret@db/parlour"), "postgres://ann:***@db/parlour");
        assert_eq!(redacted("rediss://default:secret@redis.example"), "rediss://default:***@redis.example");
        assert_eq!(redacted("postgres://db/x?user=ann&password=secret"), "postgres://db/x?***");
    }

    #[test]
    fn secrets_are_not_shown_wherever_they_stand() {
        for url in [
            "redis://:secret@a:6379,b:6379",
            "redis+unix:///run/redis.sock?pass=secret",
            "unix:///run/redis.sock?user=ann&pass=secret&db=1",
            "unix://secret@/run/redis.sock",
            "redis:/:secret@host",
            "redis::secret@host",
            "redis:secret",
            "redis://secret@host",
            "ann:secret@host",
            "secret",
            "secret@host",
            "host=db user=ann password=secret",
            "password='secret' host=db",
            "postgres://ann:secret@db:port/x",
            "postgres://ann:secret/more@db/x",
            "postgres://ann:1/secret@db/x",
            "postgres://ann:1#secret@db/x",
            "postgres://ann:1?secret@db/x",
            "postgres://ann:sec ret@[db/x",
            "postgres:ann:secret@db/x",
            "postgres:///x?password=secret",
            "postgres://db/x?PGPASSWORD=secret",
            "postgres://db/x#secret",
            "secret://db/x",
            "mysql://ann:secret@db/x",
            "https://ann:secret@chat.example/x",
            "sqlite://x?key=secret",
            "://ann:secret@db",
            "",
        ] {
            let shown = redacted(url);
            assert!(!shown.contains("secret") && !shown.contains("sec ret"), "{url}: {shown}");
            for error in [validate_database_url(url).err(), validate_redis_url(url).err(), origin(url).err()]
                .into_iter()
                .flatten()
            {
                assert!(!error.to_string().contains("secret"), "{url}: {error}");
            }
        }
    }
}
