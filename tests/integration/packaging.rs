//! The files of a package: settings that open no other database when a line is uncommented, and units that hold.

use crate::support::server::{executable, run};
use crate::support::tempdir;
use std::collections::BTreeSet;

const OF_PACKAGE: &str = include_str!("../../deploy/parlour.env");
const EXAMPLE: &str = include_str!("../../.env.example");

/// The variables in a settings file, each commented out, and their values.
fn variables(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# ")?.split_once('='));
    lines.filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')).collect()
}

#[test]
fn no_line_of_the_packages_settings_opens_an_empty_database_when_it_is_uncommented() {
    let unit = include_str!("../../deploy/parlour.service");
    let data = unit.lines().find_map(|line| line.strip_prefix("Environment=PARLOUR_DATA=")).expect("a data directory");
    let directory = tempdir::directory("settings");
    let all = variables(OF_PACKAGE);
    assert!(all.len() > 20, "{all:?}");
    for (name, value) in all {
        // Files with secrets are not there.
        if name.ends_with("_FILE") {
            continue;
        }
        let mut command = executable(&directory);
        command.arg("config").env("PARLOUR_DATA", data).env(name, value);
        if name == "REDIS_URL" {
            command.env("DATABASE_URL", "postgres://db.example/parlour");
        }
        let (status, said) = run(&mut command);
        assert!(status.success(), "{name}: {said}");
        let file = format!("sqlite://{data}/parlour.db");
        assert!(said.contains(&file) || name.starts_with("DATABASE_URL") || name == "REDIS_URL", "{name}: {said}");
    }
}

#[test]
fn both_settings_files_name_the_same_variables() {
    let names = |text: &'static str| variables(text).into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
    let of_compose = BTreeSet::from(["SITE", "POSTGRES_PASSWORD"]);
    assert_eq!(names(EXAMPLE).difference(&of_compose).copied().collect::<BTreeSet<_>>(), names(OF_PACKAGE));
}

#[test]
fn a_package_carries_its_license_and_its_examples() {
    let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).expect("TOML");
    let package = &manifest["package"]["metadata"]["deb"];
    assert!(package["copyright"].is_str() && package["license-file"][0].as_str() == Some("LICENSE"));
    let assets = package["assets"].as_array().expect("a list");
    let sources: BTreeSet<&str> = assets.iter().filter_map(|asset| asset[0].as_str()).collect();
    for file in ["LICENSE", "deploy/parlour.env", "deploy/nginx.conf", "deploy/Caddyfile", "deploy/alerts.yml"] {
        assert!(sources.contains(file), "{file}");
    }
}

#[test]
fn a_unit_is_started_again_whatever_it_waits_for_and_reloads_its_settings() {
    let unit = include_str!("../../deploy/parlour.service");
    let (head, service) = unit.split_once("[Service]").expect("a service");
    assert!(head.contains("StartLimitIntervalSec=0"), "it belongs to [Unit]");
    for line in ["Restart=on-failure", "ExecReload=/bin/kill -HUP $MAINPID"] {
        assert!(service.lines().any(|found| found == line), "{line}");
    }
}
