//! The program `khor-relay`: the command `khor relay` for servers without sound libraries.

use std::process::ExitCode;

use clap::Parser;
use khor_relay::RelayArgs;

/// Publishes the activity of this machine to a site, over NATS.
#[derive(Debug, Parser)]
#[command(name = "khor-relay", version, about, max_term_width = 80)]
#[command(after_help = khor_command_line::AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    relay: RelayArgs,
}

fn main() -> ExitCode {
    khor_command_line::run("info,async_nats=warn", |cli: Cli| {
        khor_relay::run(&cli.relay).map(|()| ExitCode::SUCCESS)
    })
}
