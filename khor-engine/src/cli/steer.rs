//! `khor mute`, `khor snooze` and `khor config`: steer the running engine.

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{
    client::EngineAddress,
    number,
    print::{print_line, remark},
};

#[derive(Args, Debug)]
pub(super) struct MuteArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Without it mute is toggled
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

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// A setting, such as music.bpm; without it all of them are printed
    path: Option<String>,
    /// Set it to this: JSON, or text that needs no quotes
    #[arg(requires = "path")]
    value: Option<String>,
}

pub(super) fn mute(args: &MuteArgs) -> anyhow::Result<()> {
    let query = match args.state {
        Some(Switch::On) => "?on=true",
        Some(Switch::Off) => "?on=false",
        None => "",
    };
    let answer = args.engine.client()?.post(&format!("actions/mute{query}"))?;
    print_line(if answer["muted"] == true { "muted" } else { "unmuted" })
}

pub(super) fn snooze(args: &SnoozeArgs) -> anyhow::Result<()> {
    args.engine.client()?.post(&format!("actions/snooze?minutes={}", args.minutes))?;
    match args.minutes {
        0 => print_line("awake"),
        minutes => print_line(format_args!("silent for {minutes} min; khor snooze 0 ends it")),
    }
}

pub(super) fn config(args: &ConfigArgs) -> anyhow::Result<()> {
    let client = args.engine.client()?;
    let Some(path) = &args.path else {
        return print_line(serde_json::to_string_pretty(&client.get("config")?)?);
    };
    let place = format!("/{}", path.replace('.', "/"));
    let mut whole = client.get("config")?;
    // A configuration keeps keys that it does not know, for a newer khor; a slip of the pen is none of those.
    if whole.pointer(&place).is_none() {
        bail!("'{path}' is no setting: khor config lists them");
    }
    if let Some(value) = &args.value {
        whole = client.patch_config(&nested(path, parsed(value)))?;
    }
    let value = whole.pointer(&place).unwrap_or(&Value::Null);
    match value.as_str() {
        Some(text) => print_line(text)?,
        None => print_line(serde_json::to_string_pretty(value)?)?,
    }
    if whole["restart_required"] == true {
        remark("it acts after a restart of the engine\n");
    }
    Ok(())
}

/// JSON where it is, text otherwise.
pub(super) fn parsed(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()))
}

/// `music.bpm` and 90 as `{"music": {"bpm": 90}}`.
pub(super) fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_and_a_value_are_a_part_of_the_configuration() {
        assert_eq!(nested("music.bpm", parsed("90")), json!({ "music": { "bpm": 90 } }));
        assert_eq!(nested("music.preset", parsed("rain")), json!({ "music": { "preset": "rain" } }));
        assert_eq!(nested("osc.targets", parsed("[\"a:1\"]")), json!({ "osc": { "targets": ["a:1"] } }));
    }
}
