//! `khor presets` and `khor devices`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Places;
use crate::{
    config::presets_dir,
    engine::{Library, read_preset},
    music::Preset,
    output::audio,
};

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct PresetsArgs {
    #[command(flatten)]
    places: Places,
    /// Check this preset file instead
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Print as JSON
    #[arg(long, conflicts_with = "check")]
    json: bool,
}

pub(super) fn presets(args: &PresetsArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.check {
        let preset = read_preset(path).map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()))?;
        println!("{}: preset {} is fine", path.display(), preset.name);
        return Ok(());
    }
    let library = Library::open(presets_dir(&args.places.config_path()?));
    if args.json {
        let about = |preset: &Preset| {
            let file = library.file_of(&preset.name);
            json!({ "name": preset.name, "hint": preset.hint, "file": file })
        };
        let list: Vec<_> = library.presets().map(about).collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    for preset in library.presets() {
        println!("{:<12} {}", preset.name, preset.hint);
    }
    for problem in library.problems() {
        eprintln!("{problem}");
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
