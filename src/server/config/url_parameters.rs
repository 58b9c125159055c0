//! Parameters of database URLs. The drivers ignore most of those that they do not know, so a misspelled one would have
//! no effect: `?sslmod=require` would leave the connection unencrypted.

use url::Url;

/// Parameters of PostgreSQL's driver. `options[NAME]` sets the option NAME.
const OF_POSTGRES: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Parameters of SQLite's driver.
const OF_SQLITE: [&str; 4] = ["mode", "cache", "immutable", "vfs"];

/// Parameters of Redis' driver: over TCP, and over a Unix socket.
const OF_REDIS: [&str; 1] = ["protocol"];
const OF_REDIS_SOCKET: [&str; 4] = ["db", "user", "pass", "protocol"];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Validates the parameters of a database URL.
///
/// # Errors
///
/// Returns the problem with the first parameter that the driver does not know, or whose value it does not accept. Never
/// repeats a value.
pub(super) fn validate_parameters(url: &Url) -> Result<(), String> {
    let (whose, known) = match url.scheme() {
        "postgres" | "postgresql" => ("PostgreSQL's", &OF_POSTGRES[..]),
        "sqlite" => ("SQLite's", &OF_SQLITE[..]),
        "redis" | "rediss" | "valkey" | "valkeys" => ("Redis'", &OF_REDIS[..]),
        _ => ("a Redis socket's", &OF_REDIS_SOCKET[..]),
    };
    for (name, value) in url.query_pairs() {
        let is_option = known == OF_POSTGRES && name.starts_with("options[") && name.ends_with(']');
        if !is_option && !known.contains(&&*name) {
            // Without a value, the name may be a part of a password.
            let is_name =
                !value.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(&byte));
            let named = if is_name { format!(": {name}") } else { String::new() };
            return Err(format!("has a parameter that is not one of {whose}{named}"));
        }
        let is_sound = match &*name {
            "sslmode" | "ssl-mode" => SSL_MODES.contains(&&*value),
            "port" => value.parse::<u16>().is_ok(),
            "statement-cache-capacity" => value.parse::<usize>().is_ok(),
            "hostaddr" => value.parse::<std::net::IpAddr>().is_ok(),
            _ => true,
        };
        if !is_sound {
            let choices = if name.starts_with("ssl") {
                format!("; it is one of {}", SSL_MODES.join(", "))
            } else {
                String::new()
            };
            return Err(format!("has a parameter with an invalid value: {name}{choices}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        validate_parameters(&Url::parse(url).unwrap()).err().unwrap_or_default()
    }

    #[test]
    fn known_parameters_pass() {
        for url in [
            "postgres://db/x",
            "postgres://db/x?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=a&sslkey=b",
            "postgresql:///x?host=/run/postgresql&port=5433&user=ann&password=hush&dbname=x",
            "postgres://db/x?application_name=chat&options=-c%20x%3Dy&options[search_path]=chat",
            "sqlite://x.db?mode=rwc&cache=private",
            "redis://db/7?protocol=resp3",
            "redis+unix:///run/redis.sock?db=1&user=ann&pass=hush",
        ] {
            assert_eq!(problem(url), "", "{url}");
        }
    }

    #[test]
    fn unknown_parameters_are_named_and_values_are_not() {
        for (url, name) in [
            ("postgres://db/x?sslmod=require", "sslmod"),
            ("postgres://db/x?pass=hush", "pass"),
            ("postgres://db/x?sslmode=prefer&PGPASSWORD=hush", "PGPASSWORD"),
            ("postgres://db/x?sslmode=hush", "verify-full"),
            ("postgres://db/x?port=hush", "port"),
            ("postgres://db/x?hush", "not one of PostgreSQL's"),
            ("postgres://db/x?hush=", "not one of PostgreSQL's"),
            ("postgres://db/x?h1=hush", "not one of PostgreSQL's"),
            ("sqlite://x?key=hush", "key"),
            ("redis://db?pass=hush", "pass"),
            ("unix:///run/redis.sock?password=hush", "password"),
        ] {
            let problem = problem(url);
            assert!(problem.contains(name) && !problem.contains("hush"), "{url}: {problem}");
        }
    }
}
