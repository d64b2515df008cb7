//! Lists the presets (`khor presets`) and the sound devices (`khor devices`).

use std::path::PathBuf;

use clap::Args;
use khor_command_line::print::{print_json, print_line, print_stderr};
use khor_config::presets_dir;
use khor_engine::engine::{Library, read_preset};
use khor_output::audio;

use super::places::Places;

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
    /// Check this preset file instead of listing the presets
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Print as JSON
    #[arg(long, conflicts_with = "check")]
    json: bool,
}

pub(super) fn presets(args: &PresetsArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.check {
        let preset = read_preset(path).map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()))?;
        return print_line(format_args!("{}: preset {} is valid", path.display(), preset.name));
    }
    let library = Library::open(presets_dir(&args.places.config_path()?));
    if args.json {
        return print_json(&library.presets().map(|preset| library.info(preset)).collect::<Vec<_>>());
    }
    for preset in library.presets() {
        print_line(format_args!("{:<12} {}", preset.name, preset.hint))?;
    }
    for problem in library.problems() {
        print_stderr(format_args!("{problem}\n"));
    }
    Ok(())
}

pub(super) fn devices(args: &ListArgs) -> anyhow::Result<()> {
    let devices = audio::list();
    if args.json {
        return print_json(&devices);
    }
    if devices.is_empty() {
        print_line("No sound device found: start PipeWire or PulseAudio, or connect a sound card.")?;
    }
    for device in devices {
        let mark = if device.is_default { "*" } else { " " };
        print_line(format_args!("{mark} {:<40} {}", device.id, device.name))?;
    }
    Ok(())
}
