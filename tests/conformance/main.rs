//! WebSocket conformance: the cases of the Autobahn test suite, groups 1 to 7 and 10, under its numbers, against an
//! echo behind the product's own upgrade, settings and accept loop. Further cases go against a room of the executable.
//!
//! `serve HOST:PORT` as the only arguments serves the echo for another suite; `CONFORMANCE_ADDR` names another echo.

mod case;
mod closing;
mod echo;
mod framing;
mod room;
mod utf8;
mod wire;

use case::Case;
use libtest_mimic::{Arguments, Failed, Trial};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Runtime;

fn main() {
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let given: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, addr] = given.as_slice()
        && serve == "serve"
    {
        let addr: SocketAddr = addr.parse().expect("HOST:PORT");
        return runtime.block_on(async {
            println!("the echo listens on {}", echo::serve(addr).await.expect("a free address"));
            std::future::pending::<()>().await;
        });
    }
    let arguments = Arguments::from_args();
    let elsewhere = std::env::var("CONFORMANCE_ADDR").ok().map(|addr| addr.parse().expect("HOST:PORT"));
    let addr = elsewhere.unwrap_or_else(|| {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        runtime.block_on(echo::serve(anywhere)).expect("a free port")
    });
    let mut trials: Vec<Trial> = Vec::new();
    let mut add = |case: Case, path: &'static str| {
        let runtime = runtime.clone();
        let number = case.number.clone();
        trials.push(Trial::test(number, move || runtime.block_on(case.run(addr, path)).map_err(Failed::from)));
    };
    // Rooms accept 16 KiB: longer messages are refused there, and echoed on the path for large messages.
    for case in framing::messages() {
        if case.is_longer_than(parlour::protocol::MAX_FRAME_BYTES) {
            add(case.clone().too_large(), echo::PATH);
            add(case, echo::LARGE);
        } else {
            add(case, echo::PATH);
        }
    }
    let groups = [framing::pings(), framing::reserved_bits(), framing::opcodes(), framing::fragments()];
    for case in groups.into_iter().flatten().chain(utf8::cases()).chain(closing::cases()).chain(framing::beyond()) {
        add(case, echo::PATH);
    }
    let server = room::Server::start();
    trials.extend(room::trials(&runtime, server.addr));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(server);
    conclusion.exit();
}
