//! The load generator: starts a server, runs a workload, checks that no message was lost, repeated or reordered, and
//! reports the server's CPU time and memory. `plot` draws the results.

mod check;
mod client;
mod host;
mod http;
mod plot;
mod report;
mod workload;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(about = "Puts a load on a chat server, checks what it delivers, and says what that cost it")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Messages in rooms, delivered to all subscribers
    Fanout(workload::fanout::Fanout),
    /// Connections that only listen: the cost of opening and holding each; then broadcasts; then a reconnect of all
    Idle(workload::idle::Idle),
    /// A room with more readers than one process can hold, on several nodes
    Crowd(workload::crowd::Crowd),
    /// The readers of one node of a crowd, which `crowd` starts
    #[command(hide = true)]
    CrowdReaders(workload::crowd::readers::CrowdReaders),
    /// Writes to sockets without a server: the cost of the system alone
    Floor(workload::floor::Floor),
    /// Pages: the cost of one page
    Page(workload::page::Page),
    /// The list of a visitor's rooms: the cost of a refresh
    Previews(workload::previews::Previews),
    /// Hostile and clumsy clients beside active visitors: the effect on visitors, and the server's resources
    Attack(workload::attack::Run),
    /// A table of two runs of the attacks: `attacks BEFORE [AFTER]`
    Attacks(workload::attack::compare::Compare),
    /// Draws a line through results: `plot FILE X Y > picture.svg`
    Plot(plot::Plot),
    /// A table of results, with the range of each
    Table {
        /// File with results of the other commands.
        file: PathBuf,
    },
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    match Cli::parse().command {
        Command::Fanout(fanout) => fanout.run().await,
        Command::Idle(idle) => idle.run().await,
        Command::Crowd(crowd) => crowd.run().await,
        Command::CrowdReaders(readers) => readers.run().await,
        Command::Floor(floor) => floor.run().await,
        Command::Page(page) => page.run().await,
        Command::Previews(previews) => previews.run().await,
        Command::Attack(attack) => attack.run().await,
        Command::Attacks(compare) => compare.print(),
        Command::Plot(plot) => plot.draw(),
        Command::Table { file } => report::table(&file),
    }
}
