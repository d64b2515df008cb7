//! `khor render`: a capture, or the demo, to files of sound or notes.

mod job;
mod plan;

use std::{
    iter,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use self::{
    job::{Job, Pieces, Rendered},
    plan::Plan,
};
use khor_command_line::{
    interrupt::Interrupt,
    number,
    print::{print_line, remark},
};
use khor_engine::config::{Config, default_path, presets_dir};
use khor_engine::engine::{Library, read_preset};
use khor_music::{Preset, Role, Scale};
use khor_output::file::Format;
use khor_source::{CaptureReader, DemoSource, Recorded, SCENARIO_S};
use khor_system::words::counted;

/// Interval of the demo's samples, nanoseconds.
const DEMO_STEP_NS: u64 = 20_000_000;
/// Number of loads in the demo.
const DEMO_LOADS: u64 = 8;

#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    /// The capture (see khor record)
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    capture: Option<PathBuf>,
    /// Render the synthetic demo: eight loads, 15 s each
    #[arg(long, visible_alias = "fake")]
    demo: bool,
    /// The file to write: .wav or .flac (24-bit stereo), or .mid (notes)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Beside it, each role's share of the sound, effects included, in a file of its own: NAME.melody.wav, …; together
    /// they are the whole
    #[arg(long)]
    stems: bool,
    /// Stop after this many seconds, 0.001 to 31536000
    #[arg(long, value_name = "S", value_parser = number::seconds(), allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Preset (see khor presets), or a preset file (.toml)
    #[arg(long, default_value = "ambient")]
    preset: String,
    /// Beats per minute, 20 to 300
    #[arg(long, value_parser = number::within(20.0, 300.0_f32), allow_negative_numbers = true)]
    bpm: Option<f32>,
    /// Tonic, MIDI note 0 to 127
    #[arg(long, value_name = "MIDI", value_parser = number::within(0, 127_u8), allow_negative_numbers = true)]
    key: Option<u8>,
    /// Scale, such as dorian or `pentatonic_minor`
    #[arg(long, value_parser = parse_scale)]
    scale: Option<Scale>,
    /// How much of the work becomes notes, 0 to 1
    #[arg(long, value_parser = number::within(0.0, 1.0_f32), allow_negative_numbers = true)]
    density: Option<f32>,
    /// Volume, 0 to 1
    #[arg(long, value_parser = number::within(0.0, 1.0_f32), allow_negative_numbers = true)]
    gain: Option<f32>,
    /// Loudness of an idle machine's music, LUFS: -23, -18 or -16
    #[arg(long, value_name = "LUFS", value_parser = loudness, allow_negative_numbers = true)]
    loudness: Option<i8>,
    /// Same seed, same music: 0 to 18446744073709551615
    #[arg(long, value_parser = number::within(0, u64::MAX), allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Hertz, 8000 to 192000
    #[arg(long, value_name = "HZ", default_value_t = 48_000,
          value_parser = number::within(8_000, 192_000_u32), allow_negative_numbers = true)]
    sample_rate: u32,
    /// Render even more than 24 hours, or if less disk space stays free than khor leaves by default
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl RenderArgs {
    /// The defaults and the flags: a render depends on nothing else.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::default();
        let music = &mut config.music;
        music.preset.clone_from(&self.preset);
        music.bpm = self.bpm.unwrap_or(music.bpm);
        music.key_midi = self.key.unwrap_or(music.key_midi);
        music.scale = self.scale.unwrap_or(music.scale);
        music.density = self.density.unwrap_or(music.density);
        music.seed = self.seed.unwrap_or(music.seed);
        config.audio.master_gain = self.gain.unwrap_or(config.audio.master_gain);
        config.audio.loudness_lufs = self.loudness.unwrap_or(config.audio.loudness_lufs);
        config.audio.sample_rate = self.sample_rate;
        config.validate()?;
        Ok(config)
    }

    /// What is rendered, from its beginning.
    fn pieces(&self, config: &Config) -> anyhow::Result<Pieces> {
        match &self.capture {
            Some(path) => capture(path),
            None => Ok(demo(config.music.seed, self.seconds.unwrap_or((DEMO_LOADS * SCENARIO_S) as f64))),
        }
    }
}

pub(super) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let config = args.config()?;
    let format = Format::from_path(&args.output).context("--output")?;
    if args.stems && format == Format::Midi {
        bail!("--stems: a .mid file has a track for each role; stems are .wav or .flac");
    }
    let preset = preset(&config.music.preset)?;
    let interrupt = Interrupt::listen()?;
    let plan = Plan::of(args, format)?;
    let space = plan.admit(args)?;
    if !args.json {
        remark(format_args!("rendering {}: {plan}\n", args.output.display()));
    }
    let begun = Instant::now();
    let stems = if args.stems { Role::ALL.map(|role| stem(&args.output, role)).to_vec() } else { Vec::new() };
    let job = Job {
        output: args.output.clone(),
        stems,
        format,
        config: &config,
        preset: &preset,
        until_s: args.seconds.unwrap_or(f64::INFINITY),
        interrupt: interrupt.clone(),
        is_quiet: args.json,
    };
    let rendered = job.run(args.pieces(&config)?, space)?;
    print_line(report(args, &job, &rendered, begun.elapsed(), interrupt.is_raised()))
}

fn report(args: &RenderArgs, job: &Job, rendered: &Rendered, took: Duration, interrupted: bool) -> String {
    let (Job { output, stems, .. }, Rendered { seconds, notes, peak }) = (job, rendered);
    let speed = seconds / took.as_secs_f64().max(1e-9);
    let peak_db = peak.map(|peak| 20.0 * peak.max(1e-9).log10());
    if args.json {
        let report = json!({
            "output": output, "seconds": seconds, "notes": notes, "peak_dbfs": peak_db,
            "times_real_time": speed, "interrupted": interrupted,
            "stems": stems,
        });
        return report.to_string();
    }
    let peak = peak_db.map(|peak| format!(", peak {peak:.1} dBFS")).unwrap_or_default();
    let notes = counted(*notes, "note");
    let mix = format!("{}: {seconds:.1} s, {notes}{peak}, {speed:.0} x real time", output.display());
    let lines = iter::once(mix).chain(stems.iter().map(|stem| stem.display().to_string()));
    lines.collect::<Vec<_>>().join("\n")
}

/// `x.wav` becomes `x.melody.wav`.
fn stem(output: &Path, role: Role) -> PathBuf {
    let end = output.extension().unwrap_or_default().to_string_lossy();
    output.with_extension(format!("{}.{end}", role.name()))
}

/// A built-in preset, one of the user's own, or a preset file.
fn preset(name: &str) -> anyhow::Result<Preset> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return read_preset(path).map_err(|problem| anyhow::anyhow!("{name}: {problem}"));
    }
    let dir = default_path().map(|config| presets_dir(&config)).unwrap_or_default();
    let library = Library::open(dir);
    let known = || library.presets().map(|preset| preset.name.clone()).collect::<Vec<_>>().join(", ");
    let found = library.find(name).cloned();
    found.with_context(|| {
        format!("--preset: {name} is not allowed, expected one of {}, or a .toml file", known())
    })
}

fn capture(path: &Path) -> anyhow::Result<Pieces> {
    let reader = CaptureReader::open(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(Box::new(reader))
}

fn demo(seed: u64, seconds: f64) -> Pieces {
    let mut demo = DemoSource::new(seed);
    let steps = (seconds * 1e9 / DEMO_STEP_NS as f64).ceil() as u64 + 1;
    Box::new((0..steps).flat_map(move |_| {
        let frame = demo.advance(DEMO_STEP_NS);
        let cues: Vec<_> = demo.cues().iter().cloned().map(Recorded::Cue).collect();
        cues.into_iter().chain([Recorded::Frame(frame)]).map(Ok)
    }))
}

fn loudness(text: &str) -> Result<i8, String> {
    let loudness = text.parse().ok().filter(|loudness| [-23, -18, -16].contains(loudness));
    loudness.ok_or_else(|| "expected -23, -18 or -16".to_owned())
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    serde_json::from_value(json!(text)).map_err(|problem| problem.to_string())
}
