//! A server that is stopped, or fails, before it serves.

use crate::support::host::on_each_database;
use crate::support::server::executable;
use crate::support::{Client, Server, Site, database, scratch};
use std::path::Path;
use std::process::Command;

on_each_database!(a_step_of_the_schema_that_ends_in_its_middle_was_not_begun);

async fn a_step_of_the_schema_that_ends_in_its_middle_was_not_begun(site: Site) {
    let url = match site.database_url.strip_prefix("sqlite:") {
        Some(_) => format!("{}?mode=rwc", site.database_url),
        None => site.database_url.clone(),
    };
    // Of the first step, the third table is in the way; of a later one, what comes after its columns.
    for in_the_way in ["events", "standings"] {
        database::execute(&url, &format!("CREATE TABLE {in_the_way} (x integer)")).await;
        let directory = scratch::directory("server");
        let said = Server::listening(serving(&site, &directory), &directory).err().expect("it does not start");
        assert!(said.contains(in_the_way) && said.contains("already exists"), "{said}");
        database::execute(&url, &format!("DROP TABLE {in_the_way}")).await;
    }
    let server = site.start();
    assert_eq!(Client::join(&server, "harbour").await.say("a", "hello").await["seq"], 1);
}

fn serving(site: &Site, directory: &Path) -> Command {
    let mut command = executable(directory);
    command.args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
    command
}
