//! The command line of the program `khor`.
//!
//! Exit codes: 0 for success, 1 for a failure that the message explains, 2 for wrong usage.

mod client;
mod connect;
mod doctor;
#[cfg(test)]
mod documents;
mod engine;
mod explain;
mod generate;
mod lists;
#[cfg(test)]
mod numbers;
mod open;
mod places;
mod play;
mod record;
mod render;
mod scope_args;
mod setting_arg;
mod settings;
mod status;
mod steer;
mod table;
mod top;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Hear what a Linux machine is doing.
#[derive(Debug, Parser)]
#[command(name = "khor", version, about, max_term_width = 80)]
#[command(after_help = khor_command_line::AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play this machine as sound, MIDI and OSC, with a page at 127.0.0.1:17321
    Engine(engine::EngineArgs),
    /// Play a capture on the sound device
    Play(play::PlayArgs),
    /// Render a capture or the demo to a sound file or a MIDI file
    Render(render::RenderArgs),
    /// Record this machine's activity to a capture file
    Record(record::RecordArgs),
    /// Publish this machine's activity over NATS, for the engines of a site
    Relay(khor_relay::RelayArgs),
    /// Show the state of each part of the running engine, and what it plays
    Status(status::StatusArgs),
    /// Open the page of the running engine in the browser
    Open(open::OpenArgs),
    /// Show and steer the running engine live in this terminal
    Top(top::TopArgs),
    /// Explain in words what the running engine plays and why
    Explain(explain::ExplainArgs),
    /// List the problems on this machine, with a fix for each
    Doctor(doctor::DoctorArgs),
    /// Mute or unmute the running engine
    Mute(steer::MuteArgs),
    /// Mute the running engine for some minutes
    Snooze(steer::SnoozeArgs),
    /// List, show or change the running engine's settings
    Config(settings::ConfigArgs),
    /// List the presets, or check a preset file
    Presets(lists::PresetsArgs),
    /// List the sound devices
    Devices(lists::ListArgs),
    /// Print the completion script for a shell
    Completions(generate::CompletionsArgs),
    /// Print the manual page, or write all manual pages to a folder
    Man(generate::ManArgs),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    khor_command_line::run("info,zbus=warn,async_nats=warn", run)
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Doctor(args) => return doctor::run(&args),
        Command::Status(args) => return status::run(&args),
        Command::Mute(args) => steer::mute(&args),
        Command::Snooze(args) => steer::snooze(&args),
        Command::Config(args) => settings::config(&args),
        Command::Engine(args) => engine::run(&args),
        Command::Play(args) => play::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Open(args) => open::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Relay(args) => khor_relay::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Presets(args) => lists::presets(&args),
        Command::Devices(args) => lists::devices(&args),
        Command::Completions(args) => generate::completions(&args, Cli::command()),
        Command::Man(args) => generate::man(&args, Cli::command()),
    }?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }
}
