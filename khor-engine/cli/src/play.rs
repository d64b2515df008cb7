//! `khor play`: plays a capture as if its events happened now.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use khor_command_line::print::print_line;
use khor_source::{CaptureError, CaptureReader, Playback, Recorded};
use khor_system::words::counted;

use super::{engine::OutputArgs, places::Places};

/// Flags override settings for this run only. They do not change the configuration file.
#[derive(Args, Debug)]
pub(super) struct PlayArgs {
    /// The capture, a file that khor record wrote
    capture: PathBuf,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    outputs: OutputArgs,
    /// Start again when the capture ends
    #[arg(long = "loop")]
    repeat: bool,
    /// Don't serve the page and the API
    #[arg(long)]
    no_http: bool,
}

pub(super) fn run(args: &PlayArgs) -> anyhow::Result<()> {
    let path = &args.capture;
    let contents = scan(path).with_context(|| format!("cannot play {}", path.display()))?;
    print_line(format_args!("{}: {}", path.display(), contents.describe()))?;
    let mut flags = args.outputs.patch();
    (flags.features.bpf, flags.features.fake) = (Some(false), Some(false));
    let store = args.places.open_config()?.with_flags(flags)?;
    let playback = Playback { path: path.clone(), repeat: args.repeat };
    super::engine::play(
        store,
        args.places.socket.clone(),
        Some(playback),
        (!args.no_http).then_some(&args.outputs),
    )?;
    match contents.damage {
        Some(damage) => bail!("{} is {damage}; khor played the rest", path.display()),
        None => Ok(()),
    }
}

/// A summary of a capture.
#[derive(Debug, Default)]
struct Contents {
    /// Descriptions of the sources that were recorded, in the order of the capture.
    from: Vec<String>,
    frames: u64,
    cues: u64,
    first_ns: Option<u64>,
    last_ns: u64,
    /// The first damaged part of the capture.
    damage: Option<CaptureError>,
}

impl Contents {
    fn describe(&self) -> String {
        let seconds = self.last_ns.saturating_sub(self.first_ns.unwrap_or(self.last_ns)) as f64 * 1e-9;
        let from = self.from.join(", then ");
        let (samples, cues) = (counted(self.frames, "sample"), counted(self.cues, "cue"));
        format!("{seconds:.1} s, {samples}, {cues}, from {from}")
    }
}

/// Reads the whole capture once, so that an invalid file is rejected before khor plays it.
fn scan(path: &Path) -> anyhow::Result<Contents> {
    let mut contents = Contents::default();
    for piece in CaptureReader::open(path)? {
        match piece {
            Ok(Recorded::Start(origin)) => contents.from.push(origin.describe()),
            Ok(Recorded::Frame(frame)) => {
                contents.frames += 1;
                contents.first_ns.get_or_insert(frame.t_ns);
                contents.last_ns = frame.t_ns;
            }
            Ok(Recorded::Cue(_)) => contents.cues += 1,
            Ok(Recorded::Lanes(_) | Recorded::Lost { .. }) => {}
            Err(problem) => {
                contents.damage.get_or_insert(problem);
            }
        }
    }
    match contents.damage.take() {
        Some(problem) if contents.frames == 0 => bail!(problem),
        _ if contents.frames == 0 => bail!("the capture has no samples"),
        damage => contents.damage = damage,
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use khor_source::{CaptureWriter, DemoSource, Origin, SourceKind};

    use super::*;

    fn written() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        let origin = Origin {
            kind: Some(SourceKind::Demo),
            machine: None,
            interval_ms: 20,
            recorder: String::new(),
            availability: DemoSource::availability(),
        };
        let mut writer = CaptureWriter::create(&path, &origin, false).unwrap();
        let mut demo = DemoSource::new(1);
        (0..=200).for_each(|_| writer.push(&demo.advance(20_000_000)).unwrap());
        writer.finish().unwrap();
        (dir, path)
    }

    #[test]
    fn whole_and_truncated_captures_are_described() {
        let (_dir, path) = written();
        let whole = scan(&path).unwrap();
        assert_eq!(whole.describe(), "4.0 s, 201 samples, 0 cues, from the synthetic demo");
        assert!(whole.damage.is_none());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let cut = scan(&path).unwrap();
        assert!(cut.damage.unwrap().to_string().starts_with("cut short after"));
    }

    #[test]
    fn files_without_a_capture_are_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for (text, reason) in [("hello, world", "not a khor capture"), ("khorcap\x02", "cut short after 0")] {
            std::fs::write(&path, text).unwrap();
            let error = scan(&path).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(scan(&dir.path().join("none")).is_err());
    }
}
