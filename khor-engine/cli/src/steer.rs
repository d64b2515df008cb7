//! Mutes the running engine (`khor mute`), or mutes it for some minutes (`khor snooze`).

use clap::{Args, ValueEnum};
use khor_api::{Muted, Snoozed};
use khor_command_line::{number, print::print_line};

use super::client::EngineAddress;

#[derive(Args, Debug)]
pub(super) struct MuteArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Mute (on) or unmute (off). Without this argument, khor toggles the mute, or replaces a
    /// snooze by a mute without an end
    state: Option<Switch>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Args, Debug)]
pub(super) struct SnoozeArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Length of the snooze, 1 to 1440 minutes; 0 ends a snooze
    #[arg(default_value_t = 15, value_parser = number::within(0, 1440_u32), allow_negative_numbers = true)]
    minutes: u32,
}

pub(super) fn mute(args: &MuteArgs) -> anyhow::Result<()> {
    let query = match args.state {
        Some(Switch::On) => "?on=true",
        Some(Switch::Off) => "?on=false",
        None => "",
    };
    let Muted { muted, .. } = args.engine.client()?.post(&format!("actions/mute{query}"))?;
    print_line(if muted { "muted" } else { "unmuted" })
}

pub(super) fn snooze(args: &SnoozeArgs) -> anyhow::Result<()> {
    args.engine.client()?.post::<Snoozed>(&format!("actions/snooze?minutes={}", args.minutes))?;
    match args.minutes {
        0 => print_line("snooze ended"),
        minutes => print_line(format_args!("muted for {minutes} min; khor snooze 0 ends the snooze")),
    }
}
