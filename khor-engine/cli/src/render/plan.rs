//! Computes the length and the size of a render before it starts. A capture of a few bytes can
//! become hours of sound.

use std::{fmt, path::Path};

use anyhow::{Context, bail};
use khor_music::Role;
use khor_output::file::{Format, MAX_WAV_BYTES};
use khor_source::{CaptureReader, Recorded, SCENARIO_S};
use khor_synth::Timeline;
use khor_system::{files::SpaceWatch, words::bytes};

use super::args::{DEMO_LOADS, RenderArgs};

/// Maximum length of a render without `--force`, in seconds.
const MAX_S: f64 = 24.0 * 3600.0;
/// Size of one sample frame, in bytes: left and right, 24 bits each.
const FRAME_BYTES: f64 = 6.0;
/// Estimated size of a FLAC file, divided by the size of a WAV file with the same sound.
const FLAC_SHARE: f64 = 0.5;

/// The length and the size of a render.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    seconds: f64,
    /// Total size of all files, in bytes. It is 0 for MIDI files, which are small.
    bytes: u64,
    /// Whether the size is an estimate. The size of a FLAC file depends on the sound.
    is_estimate: bool,
}

impl Plan {
    /// Computes the plan of a render. Reads the whole capture once.
    pub(super) fn of(args: &RenderArgs, format: Format) -> anyhow::Result<Self> {
        let length_s = match &args.capture {
            Some(path) => length(path)?,
            None => (DEMO_LOADS * SCENARIO_S) as f64,
        };
        let seconds = match (args.seconds, args.demo) {
            (Some(seconds), true) => seconds,
            (Some(seconds), false) => seconds.min(length_s),
            (None, _) => length_s,
        };
        let stems = if args.stems { Role::ALL.len() } else { 0 };
        let files = (1 + stems) as f64;
        Ok(Self::new(seconds, format, args.sample_rate, files))
    }

    fn new(seconds: f64, format: Format, sample_rate_hz: u32, files: f64) -> Self {
        let wav = seconds * f64::from(sample_rate_hz) * FRAME_BYTES;
        let one = match format {
            Format::Wav => wav.min(MAX_WAV_BYTES as f64),
            Format::Flac => wav * FLAC_SHARE,
            Format::Midi => 0.0,
        };
        Self { seconds, bytes: (files * one) as u64, is_estimate: format == Format::Flac }
    }

    /// Fails if the render is too long or does not fit on the disk. `--force` removes the
    /// limit on the length, and allows khor to use the disk space that it leaves free by default.
    pub(super) fn admit(self, args: &RenderArgs) -> anyhow::Result<SpaceWatch> {
        if self.seconds > MAX_S && !args.force {
            bail!(
                "the render would be {} long, and the limit is 24 h: add --seconds S to render only its beginning, or add --force",
                Length(self.seconds)
            );
        }
        let output = args.output.display();
        SpaceWatch::begin(&args.output, self.bytes, args.force)
            .with_context(|| format!("the render to {output} would be {self}"))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, bytes: size, is_estimate } = *self;
        write!(f, "{} long", Length(seconds))?;
        match (size, is_estimate) {
            (0, _) => Ok(()),
            (_, false) => write!(f, ", {}", bytes(size)),
            (_, true) => write!(f, ", about {}", bytes(size)),
        }
    }
}

/// A length in readable form, such as `12.3 s`, `30 min` or `26 h 5 min`.
struct Length(f64);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = (self.0 / 60.0).round() as u64;
        match (minutes / 60, minutes % 60) {
            _ if self.0 < 120.0 => write!(f, "{:.1} s", self.0),
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, 0) => write!(f, "{hours} h"),
            (hours, minutes) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

/// Returns the length of the rendered capture, in seconds. Skips damaged parts without a warning,
/// because the render itself warns about them.
fn length(path: &Path) -> anyhow::Result<f64> {
    let reader = CaptureReader::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut timeline = Timeline::default();
    for piece in reader.flatten() {
        if let Recorded::Frame(frame) = piece {
            timeline.push(frame.t_ns);
        }
    }
    Ok(timeline.seconds())
}

#[cfg(test)]
mod tests {
    use khor_signal::{Counter, Frame};
    use khor_source::{CaptureWriter, DemoSource, Origin};

    use super::*;

    #[test]
    fn a_plan_shows_length_and_size() {
        let plan = |seconds, format, files| Plan::new(seconds, format, 48_000, files).to_string();
        assert_eq!(plan(12.34, Format::Wav, 1.0), "12.3 s long, 3.6 MB");
        assert_eq!(plan(1800.0, Format::Wav, 1.0), "30 min long, 518.4 MB");
        assert_eq!(plan(1800.0, Format::Wav, 5.0), "30 min long, 2.6 GB");
        assert_eq!(plan(1800.0, Format::Flac, 1.0), "30 min long, about 259.2 MB");
        assert_eq!(plan(7200.0, Format::Midi, 1.0), "2 h long");
        assert_eq!(
            plan(93_900.0, Format::Wav, 1.0),
            "26 h 5 min long, 4.3 GB",
            "the size of the largest WAV file"
        );
    }

    #[test]
    fn capture_lengths_are_computed() {
        const MINUTE_NS: u64 = 60_000_000_000;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        let origin = Origin {
            kind: None,
            machine: None,
            interval_ms: 20,
            recorder: String::new(),
            availability: DemoSource::availability(),
        };
        let mut writer = CaptureWriter::create(&path, &origin, false).unwrap();
        let frame = |t_ns| Frame::new(t_ns, [None; Counter::ALL.len()]);
        (0..=30).for_each(|minute| writer.push(&frame(minute * MINUTE_NS)).unwrap());
        // A render skips this gap, because the machine was probably suspended.
        writer.push(&frame(1000 * MINUTE_NS)).unwrap();
        writer.finish().unwrap();
        assert_eq!(length(&path).unwrap(), 1800.0);
    }
}
