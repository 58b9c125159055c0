//! Settings: flags, then the environment, then `Leptos.toml`, then defaults. Errors name the wrong setting.

use crate::support::redis::Redis;
use crate::support::server::{Server, executable, run};
use crate::support::{Database, Site, postgres, tempdir};
use std::path::Path;

/// Runs `parlour ARGUMENTS` in `directory` with these variables.
fn parlour(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = executable(directory);
    command.args(arguments).envs(environment.iter().copied());
    let (status, said) = run(&mut command);
    (status.success(), said)
}

/// Starts a server in `directory`, and returns the address on which it listens, without the port.
fn listens_on(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = executable(directory);
    command.args(arguments).envs(environment.iter().copied());
    let server = Server::listening(command, directory).expect("it starts");
    server.addr.ip().to_string()
}

#[test]
fn an_invalid_setting_is_named() {
    let directory = tempdir::directory("settings");
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 25] = [
        (&["--prot", "80"], &[], "--prot"),
        (&["dance"], &[], "dance"),
        (&["--addr", "nowhere"], &[], "--addr"),
        (&["--addr", "127.0.0.1"], &[], "--addr"),
        (&["--addr"], &[], "--addr"),
        (&["--log-format", "loud"], &[], "--log-format"),
        (&["--public-url", "chat.example"], &[], "public-url"),
        (&["--public-url", "https://chat.example/below"], &[], "public-url"),
        (&["--redis-url", "redis://127.0.0.1:1"], &[], "redis-url"),
        (&["--database-url", "mysql://127.0.0.1/parlour"], &[], "database-url"),
        (&["--database-url", "nonsense"], &[], "database-url"),
        (&["--database-url", "postgres://db/x?sslmod=require"], &[], "sslmod"),
        (&["--database-url", "postgres://db/x?sslmode=requir"], &[], "verify-full"),
        (&[], &[("DATABASE_URL", "postgres://db/x?pass=hush")], "not one of PostgreSQL's: pass"),
        (&["--database-url", "sqlite::memory:"], &[], "database-url"),
        (&["--database-url", "sqlite://x.db?mode=memory"], &[], "database-url"),
        (&["--limits", "some"], &[], "--limits"),
        (&[], &[("PARLOUR_LIMITS", "0")], "--limits"),
        (&[], &[("PARLOUR_COLOUR", "red")], "PARLOUR_COLOUR"),
        (&[], &[("PARLOUR_DTA", "/tmp")], "PARLOUR_DTA"),
        (&[], &[("PARLOUR_LOG_FORMAT", "loud")], "loud"),
        (&[], &[("PARLOUR_PUBLIC_URL", "chat.example")], "public-url"),
        (&[], &[("LEPTOS_SITE_ADDR", "nowhere")], "nowhere"),
        (&[], &[("RUST_LOG", "parlour=lowd")], "RUST_LOG"),
        (&[], &[("DATABASE_URL", "mysql://127.0.0.1/parlour")], "database-url"),
    ];
    // These cases do not depend on the default port being free.
    let anywhere = [("LEPTOS_SITE_ADDR", "127.0.0.1:0")];
    for (arguments, environment, name) in cases {
        let environment = [&anywhere, environment].concat();
        for command in ["serve", "check"] {
            let (well, said) = parlour(&directory, &[&[command], arguments].concat(), &environment);
            assert!(!well && said.contains(name), "{command} {arguments:?} {environment:?}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
    }
    let left: Vec<_> = std::fs::read_dir(&directory).expect("a directory").collect();
    assert!(left.is_empty(), "a server that cannot start leaves nothing behind: {left:?}");
}

#[test]
fn the_address_to_listen_on_may_be_a_name() {
    let directory = tempdir::directory("settings");
    assert_eq!(listens_on(&directory, &["--addr", "localhost:0"], &[]), "127.0.0.1");
    assert_eq!(listens_on(&directory, &[], &[("LEPTOS_SITE_ADDR", "localhost:0")]), "127.0.0.1");
    let file = "[package.metadata.leptos]\nsite-addr = \"localhost:0\"\n";
    std::fs::write(directory.join("Leptos.toml"), file).expect("a file");
    assert_eq!(listens_on(&directory, &[], &[]), "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_with_passwords_may_be_in_files() {
    let directory = tempdir::directory("settings");
    let url = postgres::fresh_database().await;
    let file = directory.join("database-url");
    std::fs::write(&file, format!("{url}\n")).expect("a file");
    let path = file.to_str().expect("a path");
    let (well, said) = parlour(&directory, &["check"], &[("DATABASE_URL_FILE", path)]);
    assert!(well, "{said}");
    std::fs::write(&file, "postgres://ann:hush@db.example/x").expect("a file");
    let (well, said) = parlour(&directory, &["config"], &[("DATABASE_URL_FILE", path), ("REDIS_URL", "redis://r")]);
    let line = said.lines().find(|line| line.starts_with("database-url "));
    assert!(well && line.is_some_and(|line| line.contains("ann:***@") && line.ends_with(path)), "{said}");
    assert!(!said.contains("hush"), "{said}");
    let both = [("DATABASE_URL_FILE", path), ("DATABASE_URL", "postgres://ann:hush@db/x")];
    let (well, said) = parlour(&directory, &["check"], &both);
    assert!(!well && said.contains("database-url-file") && !said.contains("hush"), "{said}");
    let (well, said) = parlour(&directory, &["check", "--redis-url-file", "nowhere"], &[]);
    assert!(!well && said.contains("redis-url-file") && said.contains("nowhere"), "{said}");
}

#[test]
fn a_mistake_in_the_file_is_named() {
    for (text, name) in [
        ("this is not TOML", "Leptos.toml"),
        ("[package.metadata.leptos]\nsite-addr = \"nowhere\"", "Leptos.toml"),
        ("site-addr = \"127.0.0.1:80\"", "site-addr"),
        ("[package.metadata.leptos]\n\n[parlour]\ncolour = \"red\"", "colour"),
        ("[package.metadata.leptos]\n\n[parlour]\nlog-format = \"loud\"", "loud"),
    ] {
        let directory = tempdir::directory("settings");
        std::fs::write(directory.join("Leptos.toml"), text).expect("a file");
        let (well, said) = parlour(&directory, &["check"], &[]);
        assert!(!well && said.contains(name) && said.contains("Leptos.toml"), "{text}: {said}");
    }
}

#[test]
fn flags_win_then_the_environment_then_the_file() {
    let directory = tempdir::directory("settings");
    let file = "[package.metadata.leptos]\nsite-addr = \"127.0.0.4:0\"\n\n[parlour]\ndata = \"from-file\"\n";
    std::fs::write(directory.join("Leptos.toml"), file).expect("a file");
    let environment = [("LEPTOS_SITE_ADDR", "127.0.0.3:0"), ("PARLOUR_DATA", "from-environment")];
    let flags = ["--addr", "127.0.0.2:0", "--data", "from-flag"];
    for (arguments, environment, addr, data) in [
        (&flags[..], &environment[..], "127.0.0.2", "from-flag"),
        (&[], &environment[..], "127.0.0.3", "from-environment"),
        (&[], &[], "127.0.0.4", "from-file"),
    ] {
        assert!(!directory.join(data).exists());
        assert_eq!(listens_on(&directory, arguments, environment), addr);
        assert!(directory.join(data).join("parlour.db").exists(), "{data}");
    }
}

#[test]
fn without_settings_everything_is_in_the_data_directory() {
    let directory = tempdir::directory("settings");
    assert_eq!(listens_on(&directory, &["--addr", "127.0.0.1:0"], &[]), "127.0.0.1");
    assert!(directory.join("data").join("parlour.db").exists());
}

#[tokio::test]
async fn check_says_whether_everything_answers() {
    let directory = tempdir::directory("settings");
    let (well, said) = parlour(&directory, &["check"], &[]);
    assert!(!well && said.contains("data/parlour.db does not exist"), "{said}");
    assert!(!directory.join("data").exists(), "nothing is made");
    listens_on(&directory, &["--addr", "127.0.0.1:0"], &[]);
    let (well, said) = parlour(&directory, &["check"], &[]);
    assert!(well, "{said}");

    let url = postgres::fresh_database().await;
    let mut redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let redis_url = redis.url();
    let environment = [("DATABASE_URL", url.as_str()), ("REDIS_URL", redis_url.as_str())];
    let (well, said) = parlour(&directory, &["check"], &environment);
    assert!(well, "{said}");

    redis.kill();
    let (well, said) = parlour(&directory, &["check"], &environment);
    assert!(!well && said.contains("redis-url"), "{said}");

    let nowhere = url.replace("/parlour_", "/nowhere_");
    let (well, said) = parlour(&directory, &["check", "--database-url", &nowhere], &[]);
    assert!(!well && said.contains("nowhere_"), "{said}");
    let (well, said) = parlour(&directory, &["check", "--database-url", "postgres://parlour@127.0.0.1:1/x"], &[]);
    assert!(!well && said.contains("database") && said.contains("refused"), "it says why: {said}");
    let (well, said) = parlour(&directory, &["check", "--data", "/proc/nowhere"], &[]);
    assert!(!well && said.contains("/proc/nowhere"), "{said}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let directory = tempdir::directory("settings");
    let addr = server.addr.to_string();
    let (well, said) = parlour(&directory, &["--addr", &addr], &[]);
    assert!(!well && said.contains(&addr) && said.contains("addr"), "{said}");
}

#[test]
fn config_shows_what_is_in_force_and_where_it_comes_from() {
    let directory = tempdir::directory("settings");
    let file = "[package.metadata.leptos]\nsite-addr = \"127.0.0.4:80\"\n\n[parlour]\nmessage-burst = 3\n";
    std::fs::write(directory.join("Leptos.toml"), file).expect("a file");
    let url = "postgres://ann:hush-postgres@db.example/parlour";
    let redis = "rediss://default:hush-redis@redis.example";
    let environment = [("DATABASE_URL", url), ("REDIS_URL", redis), ("RUST_LOG", "debug")];
    let (well, said) = parlour(&directory, &["config", "--log-format", "json"], &environment);
    assert!(well && !said.contains("hush"), "{said}");
    for (name, value, origin) in [
        ("addr", "127.0.0.4:80", "Leptos.toml"),
        ("database-url", "postgres://ann:***@db.example/parlour", "DATABASE_URL"),
        ("redis-url", "rediss://default:***@redis.example", "REDIS_URL"),
        ("data", "data", "default"),
        ("message-burst", "3", "Leptos.toml"),
        ("log-format", "json", "--log-format"),
        ("log-filter", "debug", "RUST_LOG"),
    ] {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(name));
        let words: Vec<_> = line.unwrap_or_else(|| panic!("{name}: {said}")).split_whitespace().collect();
        assert_eq!(words, [name, value, origin]);
    }
    assert!(!directory.join("data").exists(), "nothing is opened");
}

#[test]
fn help_and_version_are_there() {
    let directory = tempdir::directory("settings");
    let (well, said) = parlour(&directory, &["--help"], &[]);
    assert!(well, "{said}");
    for setting in ["--addr", "DATABASE_URL", "REDIS_URL", "PARLOUR_DATA", "--public-url", "check"] {
        assert!(said.contains(setting), "{setting}: {said}");
    }
    assert!(parlour(&directory, &["--version"], &[]).1.starts_with("parlour "));
    let variables: Vec<&str> = said.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect();
    assert!(variables.len() > 10, "{said}");
    for variable in variables {
        assert!(include_str!("../../.env.example").contains(&format!("# {variable}=")), ".env.example: {variable}");
        assert!(include_str!("../../README.md").contains(&format!("`{variable}`")), "README.md: {variable}");
    }
}

#[test]
fn variables_that_are_empty_or_of_kubernetes_are_no_settings() {
    let directory = tempdir::directory("settings");
    let environment = [
        ("PARLOUR_SERVICE_HOST", "10.96.0.7"),
        ("PARLOUR_SERVICE_PORT", "3000"),
        ("PARLOUR_SERVICE_PORT_HTTP", "3000"),
        ("PARLOUR_PORT", "tcp://10.96.0.7:3000"),
        ("PARLOUR_PORT_3000_TCP", "tcp://10.96.0.7:3000"),
        ("PARLOUR_PORT_3000_TCP_PROTO", "tcp"),
        ("PARLOUR_PORT_3000_TCP_PORT", "3000"),
        ("PARLOUR_PORT_3000_TCP_ADDR", "10.96.0.7"),
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("LEPTOS_SITE_ADDR", ""),
        ("LEPTOS_SITE_ROOT", ""),
        ("LEPTOS_RELOAD_PORT", ""),
        ("LEPTOS_ENV", ""),
        ("PARLOUR_DATA", ""),
        ("PARLOUR_PUBLIC_URL", ""),
        ("PARLOUR_TRUSTED_PROXIES", ""),
        ("PARLOUR_LIMITS", ""),
        ("PARLOUR_MESSAGE_BURST", ""),
        ("PARLOUR_RETENTION_DAYS", ""),
        ("PARLOUR_LOG_FORMAT", ""),
        ("PARLOUR_COLOUR", ""),
        ("RUST_LOG", ""),
        ("NO_COLOR", ""),
    ];
    for file in [None, Some("[package.metadata.leptos]\nsite-addr = \"127.0.0.1:3000\"\n")] {
        if let Some(text) = file {
            std::fs::write(directory.join("Leptos.toml"), text).expect("a file");
        }
        let (well, said) = parlour(&directory, &["config"], &environment);
        assert!(well && !said.contains("_URL") && !said.contains("PARLOUR_"), "{said}");
        for line in ["sqlite://data/parlour.db", "127.0.0.1:3000", "(forever)", "info"] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
    assert_eq!(listens_on(&directory, &["--addr", "127.0.0.1:0"], &environment), "127.0.0.1");
    let (well, said) = parlour(&directory, &["config"], &[("PARLOUR_PORT", "3000")]);
    assert!(!well && said.contains("PARLOUR_PORT"), "{said}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let directory = tempdir::directory("settings");
    for url in ["ann:hush@db.example", "host=db password=hush", "redis:/:hush@x", "postgres://ann:1/hush@db/x", "hush"]
    {
        for name in ["DATABASE_URL", "REDIS_URL", "PARLOUR_PUBLIC_URL"] {
            for command in ["config", "check", "serve"] {
                let arguments = [command, "--addr", "127.0.0.1:0", "--data", "/proc/nowhere"];
                let (_, said) = parlour(&directory, &arguments, &[(name, url)]);
                assert!(!said.contains("hush"), "{name}={url} {command}: {said}");
            }
        }
    }
    for command in ["config", "check", "serve"] {
        let (well, said) = parlour(&directory, &[command], &[("DATABASE_URL", "postgres://db/x?pass=hush")]);
        assert!(!well && !said.contains("hush"), "{command}: {said}");
    }
    for arguments in [&["postgres://ann:hush@db/x"][..], &["--url=postgres://ann:hush@db/x"], &["--limits=ann:hush@x"]]
    {
        let (well, said) = parlour(&directory, arguments, &[]);
        assert!(!well && !said.contains("hush"), "{arguments:?}: {said}");
    }
    std::fs::write(directory.join("Leptos.toml"), "[parlour]\nredis-url = redis://:hush@x\n").expect("a file");
    let (well, said) = parlour(&directory, &["config"], &[]);
    assert!(!well && said.contains("line 2") && !said.contains("hush"), "{said}");
}
