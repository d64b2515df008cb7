//! `khor-collector`: counts kernel events and serves the counts on a Unix socket.
//!
//! The collector is khor's only privileged process. First, a single thread does all privileged
//! work: it binds the socket, loads and attaches the programs, maps the counters, and gives up
//! every capability. Then the collector serves clients from shared memory, without privileges.

mod cli;
mod clock;
mod controllers;
mod count;
mod cues;
mod dbus;
mod failure;
mod memory;
mod polled;
mod privilege;
mod probes;
mod readable;
mod run;
mod sampler;
mod scope;
mod serve;
mod service;
mod table;
mod trust;

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use clap::Parser;

fn main() -> ExitCode {
    khor_log::start("info");
    let done = match cli::Options::try_parse() {
        Ok(options) => run::run(&options),
        Err(wrong) if wrong.use_stderr() => wrong.exit(),
        Err(help) => run::printed(help.print().and_then(|()| stdout().flush())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            failure.exit_code()
        }
    }
}
