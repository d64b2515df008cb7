//! The `khor` command line.
//!
//! Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage.

mod client;
mod connect;
mod doctor;
#[cfg(test)]
mod documents;
mod engine;
mod explain;
mod interrupt;
mod lists;
mod nats;
mod number;
mod open;
mod place;
mod play;
mod print;
mod progress;
mod record;
mod relay;
mod render;
mod service;
mod status;
mod steer;
mod table;
mod terminal;
mod texts;
mod top;
mod whom;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use khor_proto::inert;

use crate::config::{ConfigStore, default_path};

/// Hear what a Linux machine is doing.
#[derive(Debug, Parser)]
#[command(name = "khor", version, about, max_term_width = 80)]
#[command(after_help = "Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play this machine: sound, MIDI, OSC, and a page at 127.0.0.1:17321
    Engine(engine::EngineArgs),
    /// Play a capture on the sound device
    Play(play::PlayArgs),
    /// Render a capture, or the demo, to a file of sound or notes
    Render(render::RenderArgs),
    /// Record what the machine does into a capture file
    Record(record::RecordArgs),
    /// Send what this machine does to a site's listeners, over NATS
    Relay(relay::RelayArgs),
    /// How the running engine is, and what sounds
    Status(status::StatusArgs),
    /// Open the page of the running engine in the browser
    Open(open::OpenArgs),
    /// Watch and steer the running engine, live in this terminal
    Top(top::TopArgs),
    /// What is sounding and why, in words
    Explain(explain::ExplainArgs),
    /// What is in khor's way on this machine, and how it is mended
    Doctor(doctor::DoctorArgs),
    /// Mute or unmute the running engine
    Mute(steer::MuteArgs),
    /// Mute the running engine for a while
    Snooze(steer::SnoozeArgs),
    /// Show or change the running engine's settings
    Config(steer::ConfigArgs),
    /// List the presets, or check a preset file
    Presets(lists::PresetsArgs),
    /// List the sound devices
    Devices(lists::ListArgs),
    /// Print a script that completes khor's commands in a shell
    Completions(texts::CompletionsArgs),
    /// Print the manual page
    Man(texts::ManArgs),
}

/// Where the configuration and the collector are.
#[derive(Args, Clone, Debug)]
struct Places {
    /// Configuration file [default: ~/.config/khor/config.json]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The collector's socket
    #[arg(long, value_name = "PATH", env = khor_proto::client::SOCKET_ENV,
          default_value = khor_proto::client::DEFAULT_SOCKET)]
    socket: PathBuf,
}

impl Places {
    fn open_config(&self) -> anyhow::Result<ConfigStore> {
        Ok(ConfigStore::open(self.config_path()?))
    }

    fn config_path(&self) -> anyhow::Result<PathBuf> {
        let path = self.config.clone().or_else(default_path);
        path.ok_or_else(|| anyhow::anyhow!("no home directory: say where with --config FILE"))
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // The standard library would print the error unchanged, and it may quote a peer or a file.
        print::remark(format_args!("Error: {error:?}\n"));
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() => wrong.exit(),
        Err(help) => {
            print::outcome(help.print().and_then(|()| io::stdout().flush()))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    start_log();
    match cli.command {
        Command::Doctor(args) => return doctor::run(&args),
        Command::Status(args) => return status::run(&args),
        Command::Mute(args) => steer::mute(&args),
        Command::Snooze(args) => steer::snooze(&args),
        Command::Config(args) => steer::config(&args),
        Command::Engine(args) => engine::run(&args),
        Command::Play(args) => play::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Open(args) => open::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Relay(args) => relay::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Presets(args) => lists::presets(&args),
        Command::Devices(args) => lists::devices(&args),
        Command::Completions(args) => texts::completions(&args),
        Command::Man(args) => texts::man(&args),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The log goes to stderr; `RUST_LOG` sets its level. Each record is one line of inert text, even
/// if its values contain line breaks.
fn start_log() {
    use tracing_subscriber::{EnvFilter, field::MakeExt, fmt::format::debug_fn};

    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,zbus=warn,async_nats=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(terminal::stderr_is_drawable() && terminal::wants_colours())
        .with_target(false)
        .fmt_fields(
            debug_fn(|writer, field, value| inert::log_field(writer, field.name(), value)).delimited(" "),
        )
        // To stderr again, which would panic: a full disk must not cost the music.
        .log_internal_errors(false)
        .init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
