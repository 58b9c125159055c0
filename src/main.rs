//! The command line: `parlour` serves; the other commands look after it.

use parlour::server::commands::{self, Command, CommandResult};
use parlour::server::{self, config, telemetry};
use std::process::ExitCode;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match command().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parlour: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn command() -> CommandResult {
    let (command, config) = config::read()?;
    telemetry::start(config.log_format)?;
    match command {
        Command::Serve => serve(config).await,
        other => commands::run(other, &config).await,
    }
}

async fn serve(config: config::Config) -> CommandResult {
    let addr = config.leptos.site_addr;
    let listener = TcpListener::bind(addr).await.map_err(|error| format!("addr: cannot listen on {addr}: {error}"))?;
    let shutdown = server::signals::shutdown()?;
    Ok(server::run(config, listener, shutdown).await?)
}
