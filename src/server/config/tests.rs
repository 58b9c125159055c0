//! Tests of the settings as a whole.

use super::*;

pub(in crate::server) fn resolved(arguments: &[&str], file: Option<&str>) -> Result<Config, ConfigError> {
    let arguments = ["parlour"].iter().chain(arguments);
    let matches =
        Settings::arguments().try_get_matches_from(arguments).map_err(|error| ConfigError(error.to_string()))?;
    resolve(&matches, file)
}

#[test]
fn without_any_setting_there_is_a_file_in_the_data_directory() {
    let config = resolved(&[], None).unwrap();
    assert_eq!(config.database_url, "sqlite://data/parlour.db");
    assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:3000");
    assert_eq!(config.redis_url, None);
}

#[test]
fn flags_win() {
    let config = resolved(&["--data", "/var/x", "--addr", "[::1]:80"], None).unwrap();
    assert_eq!(config.database_url, "sqlite:///var/x/parlour.db");
    assert_eq!(config.leptos.site_addr.to_string(), "[::1]:80");
    let config = resolved(&["--addr", "localhost:4000"], None).unwrap();
    assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:4000");
    let config = resolved(&[], Some("[package.metadata.leptos]\nsite-addr = 'localhost:4001'")).unwrap();
    assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:4001");
}

#[test]
fn the_file_holds_what_it_wants_to_hold_and_no_more() {
    let file = "[package.metadata.leptos]\nsite-addr = '127.0.0.1:4000'\n[parlour]\ndata = '/var/x'";
    let config = resolved(&[], Some(file)).unwrap();
    assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:4000");
    assert_eq!(config.database_url, "sqlite:///var/x/parlour.db");
    let config = resolved(&["--data", "here"], Some("[parlour]\ndata = '/var/x'")).unwrap();
    assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:3000");
    assert_eq!(config.database_url, "sqlite://here/parlour.db");
}

#[test]
fn an_invalid_setting_is_named() {
    for (arguments, name) in [
        (&["--prot", "80"][..], "--prot"),
        (&["--addr", "nowhere"], "--addr"),
        (&["--public-url", "chat.example"], "public-url"),
        (&["--public-url", "https://example.com/chat"], "/chat"),
        (&["--front-page-indexed", "maybe"], "--front-page-indexed"),
        (&["--outgoing-webhooks", "maybe"], "--outgoing-webhooks"),
        (&["--webhook-hosts", "ci.example"], "--webhook-hosts"),
        (&["--addr", "localhost"], "--addr"),
        (&["--allowed-hosts", "*"], "--allowed-hosts"),
        (&["--allowed-hosts", "chat.example,*.chat.example"], "--allowed-hosts"),
        (&["--allowed-hosts", ".chat.example"], "--allowed-hosts"),
        (&["--redis-url", "redis://127.0.0.1"], "redis-url"),
        (&["--redis-url", "redis+sentinel://a,b/mymaster"], "Sentinel"),
        (&["--redis-url", "redis://a:6379,b:6379"], "Cluster"),
        (&["--redis-url", "redis.example"], "redis-url"),
        (&["--database-url", "sqlite://a b/parlour.db"], "database-url"),
        (&["--limits", "some"], "--limits"),
        (&["--log-format", "loud"], "--log-format"),
        (&["--trusted-proxies", "10.0.0.1,proxy"], "--trusted-proxies"),
        (&["--allowed-hosts", "chat.example,http://x"], "--allowed-hosts"),
        (&["--message-burst", "0"], "--message-burst"),
        (&["--max-connections", "many"], "--max-connections"),
        (&["--request-burst", "0"], "--request-burst"),
        (&["--message-kilobytes-per-minute", "0"], "--message-kilobytes-per-minute"),
    ] {
        let error = resolved(arguments, None).unwrap_err().to_string();
        assert!(error.contains(name), "{arguments:?}: {error}");
    }
}

#[test]
fn limits_are_settings_and_can_be_lifted() {
    let rates = resolved(&["--message-burst", "3"], Some("[parlour]\nrooms-per-hour = 7")).unwrap().rates.unwrap();
    assert_eq!((rates.message_burst.get(), rates.rooms_per_hour.get(), rates.messages_per_second.get()), (3, 7, 5));
    assert_eq!(resolved(&["--limits", "off"], None).unwrap().rates, None);
}

#[test]
fn allowed_hosts_are_names_as_browsers_send_them() {
    let of_flag = resolved(&["--allowed-hosts", "Chat.Example., bücher.example"], None).unwrap().allowed_hosts;
    assert_eq!(of_flag, ["chat.example", "xn--bcher-kva.example"]);
    let of_file = resolved(&[], Some("[parlour]\nallowed-hosts = ['Chat.Example', 'bücher.example']")).unwrap();
    assert_eq!(of_file.allowed_hosts, of_flag);
    let with_public = resolved(&["--public-url", "https://site.example:8443", "--allowed-hosts", "a"], None).unwrap();
    assert_eq!(with_public.hosts().collect::<Vec<_>>(), ["site.example", "a"]);
}

#[test]
fn proxies_are_addresses_and_networks() {
    let of_flag = resolved(&["--trusted-proxies", "10.0.0.0/8, ::1"], None).unwrap().trusted_proxies;
    let of_file = resolved(&[], Some("[parlour]\ntrusted-proxies = ['10.0.0.0/8', '::1']")).unwrap().trusted_proxies;
    assert_eq!(of_flag, of_file);
    assert_eq!(of_flag.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
}
