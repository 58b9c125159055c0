//! Fuzz tests of flags and file. Any input yields valid settings, or an error that names the mistake.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const NAMES: [&str; 23] = [
    "addr",
    "database-url",
    "redis-url",
    "data",
    "public-url",
    "trusted-proxies",
    "limits",
    "log-format",
    "messages-per-second",
    "message-burst",
    "messages-per-second-per-address",
    "message-burst-per-address",
    "message-kilobytes-per-minute",
    "requests-per-second",
    "request-burst",
    "connections-per-address",
    "joins-per-minute",
    "rooms-per-hour",
    "visitors-per-hour",
    "connections",
    "outgoing-webhooks",
    "webhook-hosts",
    "colour",
];

fn value() -> impl Strategy<Value = String> {
    let known = vec![
        "",
        "on",
        "off",
        "text",
        "json",
        "0",
        "1",
        "-1",
        "4294967296",
        "127.0.0.1:0",
        "[::1]:80",
        "[::]",
        ":80",
        "10.0.0.0/8",
        "10.0.0.0/99",
        "::/0",
        "https://chat.example",
        "https://chat.example/x",
        "javascript:alert(1)",
        "http://",
        "http://a b",
        "sqlite://x",
        "sqlite:",
        "postgres://ann:secret@db/parlour",
        "postgres://%00",
        "redis://",
        "redis://:secret@x:99999",
    ];
    prop_oneof![
        3 => proptest::sample::select(known).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "\\PC{0,20}",
    ]
}

fn setting() -> impl Strategy<Value = (&'static str, String)> {
    (proptest::sample::select(&NAMES[..]), value())
}

/// Generates the file: settings in TOML, or text that is not TOML.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => setting().prop_map(|(name, value)| format!("{name} = {}", toml::Value::String(value))),
        2 => (proptest::sample::select(&NAMES[..]), any::<i64>()).prop_map(|(name, number)| format!("{name} = {number}")),
        1 => Just("[package.metadata.leptos]".to_owned()),
        1 => any::<String>(),
    ];
    vec(line, 0..4).prop_map(|lines| format!("[parlour]\n{}\n", lines.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn settings_are_sound_or_the_error_says_what_is_wrong(
        flags in vec(setting(), 0..3),
        file in proptest::option::of(file()),
    ) {
        let arguments = flags.iter().map(|(name, value)| format!("--{name}={value}"));
        let arguments = std::iter::once("parlour".to_owned()).chain(arguments);
        let resolved = Settings::arguments()
            .try_get_matches_from(arguments)
            .map_err(|error| ConfigError(error.to_string()))
            .and_then(|matches| resolve(&matches, file.as_deref()));
        match resolved {
            Ok(config) => {
                let origin = config.public_url.as_deref().map(|origin| ::url::Url::parse(origin).is_ok());
                prop_assert!(origin.is_none_or(|is_url| is_url));
                let is_file = config.database_url.starts_with("sqlite:");
                prop_assert!(is_file || !redacted(&config.database_url).contains("secret"));
            }
            Err(error) => {
                let error = error.to_string();
                let named = NAMES.iter().any(|name| error.contains(name)) || error.contains(FILE) || error.contains("TOML");
                prop_assert!(named, "{error}");
            }
        }
    }
}
