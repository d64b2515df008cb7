//! `khor render`: renders a capture or the demo to sound files or a MIDI file.

mod args;
mod job;
mod plan;

pub(super) use self::args::RenderArgs;

use std::{
    iter,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use khor_command_line::{
    interrupt::Interrupt,
    print::{print_line, print_stderr},
};
use khor_config::{Config, default_path, presets_dir};
use khor_engine::engine::{Library, read_preset};
use khor_music::{Preset, Role};
use khor_output::file::Format;
use khor_source::{CaptureReader, DemoSource, Recorded, SCENARIO_S};
use khor_system::words::counted;
use serde_json::json;

use self::{
    args::DEMO_LOADS,
    job::{Job, Pieces, Rendered},
    plan::Plan,
};

/// Time between two samples of the demo, in nanoseconds.
const DEMO_STEP_NS: u64 = 20_000_000;

pub(super) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let config = args.config()?;
    let format = Format::from_path(&args.output).context("--output")?;
    if args.stems && format == Format::Midi {
        bail!("--stems needs a .wav or .flac file; a .mid file has a track for each role anyway");
    }
    let preset = preset(&config.music.preset)?;
    let interrupt = Interrupt::install()?;
    let plan = Plan::of(args, format)?;
    let space = plan.admit(args)?;
    if !args.json {
        print_stderr(format_args!("rendering {}: {plan}\n", args.output.display()));
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
    let rendered = job.run(pieces(args, &config)?, space)?;
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

/// Returns the path of a role's stem, for example `x.melody.wav` for the output `x.wav`.
fn stem(output: &Path, role: Role) -> PathBuf {
    let end = output.extension().unwrap_or_default().to_string_lossy();
    output.with_extension(format!("{}.{end}", role.name()))
}

/// Reads the pieces of the capture or the demo from the beginning.
fn pieces(args: &RenderArgs, config: &Config) -> anyhow::Result<Pieces> {
    match &args.capture {
        Some(path) => capture(path),
        None => Ok(demo(config.music.seed, args.seconds.unwrap_or((DEMO_LOADS * SCENARIO_S) as f64))),
    }
}

/// Finds a preset: a built-in preset, a preset of the user, or a preset file.
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
        format!("--preset: there is no preset {name}; use one of {}, or a .toml file", known())
    })
}

fn capture(path: &Path) -> anyhow::Result<Pieces> {
    let reader = CaptureReader::open(path).with_context(|| format!("cannot read {}", path.display()))?;
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
