//! The command line: `parlour` serves; the other commands maintain it.

use parlour::server::commands::{self, Command, CommandResult, OutputError};
use parlour::server::config::{self, Config};
use parlour::server::telemetry::logging;
use parlour::server::{self, EmbeddedSite, cli};
use rust_embed::RustEmbed;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// Exit code of a command whose output is no longer read, as of a program that SIGPIPE ends.
const BROKEN_PIPE: u8 = 141;

/// The folder that `scripts/site-release` has filled by the time a release is built; read from disk in debug builds. It
/// is here, not in the library, because the library compiles while that script runs.
#[derive(RustEmbed)]
#[folder = "$LEPTOS_SITE_ROOT"]
#[allow_missing = true]
struct Site;

/// Checksum of that folder, by which cargo notices a change in it.
const _: Option<&str> = option_env!("SITE_CHECKSUM");

/// Size of the stack of a worker thread, in bytes; only what is used takes memory. A debug build renders a room with
/// about 3 MB, which is more than the 2 MiB that threads have by default.
const WORKER_STACK_BYTES: usize = 8 << 20;

fn main() -> ExitCode {
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(WORKER_STACK_BYTES).build();
    match runtime {
        Ok(runtime) => runtime.block_on(start()),
        Err(error) => failed(&error, false),
    }
}

async fn start() -> ExitCode {
    let _flush = logging::FlushOnDrop;
    logging::assume_format(config::log_format_of_arguments());
    if let Err(error) = server::signals::outlast_file_size_limit() {
        return failed(&error, false);
    }
    let (command, config) = match cli::read() {
        Ok(read) => read,
        Err(error) => return failed(&error, false),
    };
    let is_server = command == Command::Serve;
    match run(command, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref::<OutputError>().is_some_and(OutputError::is_closed) => {
            ExitCode::from(BROKEN_PIPE)
        }
        Err(error) => failed(&*error, is_server),
    }
}

fn failed(error: &dyn std::error::Error, is_server: bool) -> ExitCode {
    logging::report_failure(&error, is_server);
    ExitCode::FAILURE
}

async fn run(command: Command, config: Config) -> CommandResult {
    logging::start(config.log_format, config.log_filter.as_deref())?;
    match command {
        Command::Serve => serve(config).await,
        other => commands::run(other, &config).await,
    }
}

async fn serve(config: Config) -> CommandResult {
    let addr = config.leptos.site_addr;
    let listener = TcpListener::bind(addr).await.map_err(|error| format!("addr: cannot listen on {addr}: {error}"))?;
    let shutdown = server::signals::shutdown()?;
    Ok(server::run(config, EmbeddedSite::of::<Site>(), listener, shutdown).await?)
}
