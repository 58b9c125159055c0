//! `parlour healthcheck`, which container runtimes call.

use crate::support::server::{executable, run};
use crate::support::{Client, Database, Server, Site, database, eventually, http, tempdir};

fn healthcheck(addr: &str) -> (bool, String) {
    let mut command = executable(&tempdir::directory("command"));
    let (status, said) = run(command.args(["healthcheck", "--addr", addr]));
    (status.success(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_whether_the_server_is_ready() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let addr = server.addr.to_string();
    assert_eq!(healthcheck(&addr), (true, String::new()));

    // A client has an unfinished post, so that the server's shutdown takes time.
    let mut client = Client::join(&server, "harbour").await;
    let held = database::hold_rooms(&site.database_url).await;
    client.post("a", "hello").await;
    client.send_text("not a frame").await;
    client.expect("rejected").await;
    server.terminate();
    client.expect("drain").await;
    let (well, said) = healthcheck(&addr);
    assert!(!well && said.contains("503") && said.contains("\"draining\":true"), "{said}");
    held.release().await;

    drop(server);
    let (well, said) = healthcheck(&addr);
    assert!(!well && said.contains(&addr), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_every_address_is_asked_on_the_loopback_one() {
    let directory = tempdir::directory("everywhere");
    let mut command = executable(&directory);
    command.args(["--addr", "0.0.0.0:0"]);
    let server = Server::listening(command, &directory).expect("it starts");
    let (well, said) = healthcheck(&format!("0.0.0.0:{}", server.addr.port()));
    assert!(well, "{said}");
}

/// Terminates all other sessions, so that they have to reconnect.
const HANG_UP: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_can_only_be_read_is_not_ready() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    assert_eq!(http::readiness(&server).await.0, 200);
    let name = site.database_url.rsplit('/').next().expect("a name");
    for (read_only, status) in [("on", 503), ("off", 200)] {
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        database::execute(&site.database_url, &format!("BEGIN READ WRITE; {set}; COMMIT")).await;
        database::execute(&site.database_url, HANG_UP).await;
        eventually("it says so", || async { (http::readiness(&server).await.0 == status).then_some(()) }).await;
    }
}
