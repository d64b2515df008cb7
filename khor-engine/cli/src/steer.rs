//! `khor mute` and `khor snooze`: silence the running engine.

use clap::{Args, ValueEnum};
use khor_api::{Muted, Snoozed};
use khor_command_line::{number, print::print_line};

use super::client::EngineAddress;

#[derive(Args, Debug)]
pub(super) struct MuteArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Without it the mute by hand toggles; a snooze becomes a mute by hand
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
    /// For how long, 1 to 1440; 0 ends it
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
        0 => print_line("awake"),
        minutes => print_line(format_args!("silent for {minutes} min; khor snooze 0 ends it")),
    }
}
