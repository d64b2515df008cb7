//! `khor render`: a capture, or the demo, to a WAV file.

use std::{
    fmt::Display,
    io::IsTerminal,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use tracing::warn;

use super::interrupt::Interrupt;
use crate::{
    config::{Config, default_path, presets_dir},
    engine::{Library, Offline, heard_as, read_preset},
    music::{Preset, Scale},
    output::wav::{WavError, WavWriter},
    signal::Frame,
    source::{CaptureError, CaptureReader, DemoSource, Recorded, SCENARIO_S},
};

/// Interval of the demo's samples, nanoseconds.
const DEMO_STEP_NS: u64 = 20_000_000;
/// Number of loads in the demo.
const DEMO_LOADS: u64 = 8;
/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_millis(200);

#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    /// The capture (see khor record)
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    capture: Option<PathBuf>,
    /// Render the synthetic demo: eight loads, 15 s each
    #[arg(long, visible_alias = "fake")]
    demo: bool,
    /// The WAV file to write (24-bit stereo)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Stop after this many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Preset (see khor presets), or a preset file (.toml)
    #[arg(long, default_value = "ambient")]
    preset: String,
    /// Beats per minute, 20 to 300
    #[arg(long)]
    bpm: Option<f32>,
    /// Tonic, MIDI note 0 to 127
    #[arg(long, value_name = "MIDI")]
    key: Option<u8>,
    /// Scale, such as dorian or `pentatonic_minor`
    #[arg(long, value_parser = parse_scale)]
    scale: Option<Scale>,
    /// How much of the work becomes notes, 0 to 1
    #[arg(long)]
    density: Option<f32>,
    /// Volume, 0 to 1
    #[arg(long)]
    gain: Option<f32>,
    /// Same seed, same music
    #[arg(long)]
    seed: Option<u64>,
    /// Hertz, 8000 to 192000
    #[arg(long, value_name = "HZ", default_value_t = 48_000)]
    sample_rate: u32,
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
        config.audio.sample_rate = self.sample_rate;
        config.validate()?;
        if self.seconds.is_some_and(|seconds| !(seconds > 0.0 && seconds.is_finite())) {
            bail!("--seconds: expected a number above 0");
        }
        Ok(config)
    }
}

/// A recording, piece by piece, from wherever.
type Pieces = Box<dyn Iterator<Item = Result<Recorded, CaptureError>>>;

pub(super) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let config = args.config()?;
    let preset = preset(&config.music.preset)?;
    let pieces = match &args.capture {
        Some(path) => capture(path)?,
        None => demo(config.music.seed, args.seconds.unwrap_or((DEMO_LOADS * SCENARIO_S) as f64)),
    };
    let mut render = Render {
        offline: Offline::new(&config, preset, args.sample_rate),
        wav: WavWriter::create(&args.output, args.sample_rate).with_context(|| writing(&args.output))?,
        peak: 0.0,
        interrupt: Interrupt::listen()?,
        progress: Progress::new(!args.json),
        until_s: args.seconds.unwrap_or(f64::INFINITY),
    };
    let begun = Instant::now();
    render.pieces(pieces).with_context(|| writing(&args.output))?;
    render.report(args, begun.elapsed())
}

struct Render {
    offline: Offline,
    wav: WavWriter,
    peak: f32,
    interrupt: Interrupt,
    progress: Progress,
    until_s: f64,
}

/// Why a render ends before the capture does.
enum Ending {
    /// Asked for: long enough, or interrupted.
    Wanted,
    Full,
    Failed(hound::Error),
}

impl Render {
    fn pieces(&mut self, pieces: Pieces) -> anyhow::Result<()> {
        for piece in pieces {
            match piece {
                Ok(Recorded::Start(_)) => self.offline.restart(),
                Ok(Recorded::Frame(frame)) => match self.frame(frame) {
                    ControlFlow::Continue(None) => {}
                    ControlFlow::Continue(Some(gap)) => warn!(
                        "nothing was recorded for {:.1} h (suspended, or damaged): left out",
                        gap.as_secs_f64() / 3600.0
                    ),
                    ControlFlow::Break(Ending::Wanted) => break,
                    ControlFlow::Break(Ending::Full) => {
                        warn!("{} ({:.0} s): the rest is left out", WavError::Full, self.wav.seconds());
                        break;
                    }
                    ControlFlow::Break(Ending::Failed(problem)) => return Err(problem.into()),
                },
                Ok(Recorded::Cue(cue)) => {
                    if let Some(kind) = heard_as(cue.kind) {
                        self.offline.cue(kind);
                    }
                }
                Ok(Recorded::Lost { .. }) => {}
                Err(problem) => warn!("the capture is {problem}; what was readable is rendered"),
            }
            if self.interrupt.is_raised() {
                break;
            }
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame) -> ControlFlow<Ending, Option<Duration>> {
        let Self { offline, wav, peak, interrupt, progress, until_s } = self;
        offline.frame(frame, &mut |left, right| {
            *peak = left.iter().chain(right).fold(*peak, |peak, sample| peak.max(sample.abs()));
            match wav.push(left, right) {
                Ok(()) => {}
                Err(WavError::Full) => return ControlFlow::Break(Ending::Full),
                Err(WavError::Hound(problem)) => return ControlFlow::Break(Ending::Failed(problem)),
            }
            progress.show(wav.seconds(), "");
            if interrupt.is_raised() || wav.seconds() >= *until_s {
                return ControlFlow::Break(Ending::Wanted);
            }
            ControlFlow::Continue(())
        })
    }

    fn report(self, args: &RenderArgs, took: Duration) -> anyhow::Result<()> {
        let seconds = self.wav.seconds();
        self.wav.finish().with_context(|| writing(&args.output))?;
        self.progress.clear();
        let notes = self.offline.notes();
        let speed = seconds / took.as_secs_f64().max(1e-9);
        let peak_db = 20.0 * self.peak.max(1e-9).log10();
        if args.json {
            let report = json!({
                "output": args.output, "seconds": seconds, "notes": notes, "peak_dbfs": peak_db,
                "times_real_time": speed, "interrupted": self.interrupt.is_raised(),
            });
            println!("{report}");
        } else {
            let name = args.output.display();
            println!("{name}: {seconds:.1} s, {notes} notes, peak {peak_db:.1} dBFS, {speed:.0} x real time");
        }
        Ok(())
    }
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

fn writing(path: &Path) -> String {
    format!("writing {}", path.display())
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    serde_json::from_value(json!(text)).map_err(|problem| problem.to_string())
}

/// One line on a terminal, redrawn.
pub(super) struct Progress {
    wanted: bool,
    shown_at: Option<Instant>,
}

impl Progress {
    /// Shows nothing unless stderr is a terminal and it is `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted: wanted && std::io::stderr().is_terminal(), shown_at: None }
    }

    /// Shows how many seconds are done, and `more`.
    pub(super) fn show(&mut self, seconds: f64, more: impl Display) {
        if self.wanted && self.shown_at.is_none_or(|at| at.elapsed() >= PROGRESS) {
            self.shown_at = Some(Instant::now());
            eprint!("\r{seconds:7.1} s{more}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown_at.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
