//! `khor presets` and `khor devices`.

use clap::Args;
use serde_json::json;

use crate::{music::Preset, output::audio};

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn presets(args: &ListArgs) -> anyhow::Result<()> {
    let presets = Preset::builtin();
    if args.json {
        let list: Vec<_> =
            presets.iter().map(|preset| json!({ "name": preset.name, "hint": preset.hint })).collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    for preset in presets {
        println!("{:<12} {}", preset.name, preset.hint);
    }
    Ok(())
}

pub(super) fn devices(args: &ListArgs) -> anyhow::Result<()> {
    let devices = audio::list();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&devices)?);
        return Ok(());
    }
    if devices.is_empty() {
        println!("No sound device answers: start PipeWire or PulseAudio, or plug in a sound card.");
    }
    for device in devices {
        println!("{} {:<40} {}", if device.is_default { "*" } else { " " }, device.id, device.name);
    }
    Ok(())
}
