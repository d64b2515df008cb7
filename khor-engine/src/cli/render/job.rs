//! One file that is rendered.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use tracing::warn;

use crate::{
    cli::{interrupt::Interrupt, progress::Progress},
    config::Config,
    engine::{Offline, Part, heard_as},
    music::{Note, Preset},
    output::file::{FileError, Format, NoteFile, SoundFile},
    signal::Frame,
    source::{CaptureError, Recorded},
};

/// A recording, piece by piece, from wherever.
pub(super) type Pieces = Box<dyn Iterator<Item = Result<Recorded, CaptureError>>>;

/// What is to be rendered, and how.
pub(super) struct Job<'a> {
    pub(super) part: Part,
    pub(super) output: PathBuf,
    pub(super) format: Format,
    pub(super) config: &'a Config,
    pub(super) preset: &'a Preset,
    pub(super) until_s: f64,
    pub(super) interrupt: Interrupt,
    /// Shows no progress.
    pub(super) is_quiet: bool,
}

/// What came of it.
pub(super) struct Rendered {
    pub(super) output: PathBuf,
    pub(super) seconds: f64,
    pub(super) notes: u64,
    /// Highest sample, 0..=1, of a file that has samples.
    pub(super) peak: Option<f32>,
}

/// A file of sound or of notes.
enum Sheet {
    Sound { file: SoundFile, peak: f32 },
    Notes(NoteFile),
}

impl Sheet {
    /// Says whether it takes more.
    fn sound(&mut self, left: &[f32], right: &[f32]) -> bool {
        let Self::Sound { file, peak } = self else { return true };
        *peak = left.iter().chain(right).fold(*peak, |peak, sample| peak.max(sample.abs()));
        file.push(left, right)
    }

    fn notes(&mut self, notes: &[Note]) {
        if let Self::Notes(file) = self {
            file.push(notes);
        }
    }

    /// Writes what is left to write; says the highest sample where there are any.
    fn finish(self, path: &Path) -> Result<Option<f32>, FileError> {
        match self {
            Self::Sound { file, peak } => match file.finish() {
                Err(FileError::Full) => {
                    warn!("{}: {}; the rest is left out", path.display(), FileError::Full);
                    Ok(Some(peak))
                }
                written => written.map(|()| Some(peak)),
            },
            Self::Notes(file) => Ok(file.write(path).map(|()| None)?),
        }
    }
}

impl Job<'_> {
    /// Renders it.
    pub(super) fn run(self, pieces: Pieces) -> anyhow::Result<Rendered> {
        let writing = || format!("writing {}", self.output.display());
        let sample_rate_hz = self.config.audio.sample_rate;
        let file = SoundFile::create(&self.output, self.format, sample_rate_hz).with_context(writing)?;
        let sheet = match file {
            Some(file) => Sheet::Sound { file, peak: 0.0 },
            None => Sheet::Notes(NoteFile::new(self.config.music.bpm)),
        };
        let mut render = Render {
            offline: Offline::new(self.config, self.preset.clone(), sample_rate_hz).with_part(self.part),
            sheet,
            progress: Progress::new(!self.is_quiet),
            job: &self,
        };
        render.pieces(pieces);
        let Render { offline, sheet, progress, .. } = render;
        let peak = sheet.finish(&self.output).with_context(writing)?;
        progress.clear();
        Ok(Rendered { seconds: offline.seconds(), notes: offline.notes(), peak, output: self.output })
    }
}

struct Render<'a> {
    offline: Offline,
    sheet: Sheet,
    progress: Progress,
    job: &'a Job<'a>,
}

impl Render<'_> {
    fn pieces(&mut self, pieces: Pieces) {
        for piece in pieces {
            match piece {
                Ok(Recorded::Start(_)) => self.offline.restart(),
                Ok(Recorded::Frame(frame)) => match self.frame(frame) {
                    ControlFlow::Continue(None) => {}
                    ControlFlow::Continue(Some(gap)) => self.warn(&format!(
                        "nothing was recorded for {:.1} h (suspended, or damaged): left out",
                        gap.as_secs_f64() / 3600.0
                    )),
                    ControlFlow::Break(()) => break,
                },
                Ok(Recorded::Cue(cue)) => {
                    if let Some(kind) = heard_as(cue.kind) {
                        self.offline.cue(kind);
                    }
                }
                Ok(Recorded::Lost { .. }) => {}
                Err(problem) => {
                    self.warn(&format!("the capture is {problem}; what was readable is rendered"));
                }
            }
            if self.job.interrupt.is_raised() {
                break;
            }
        }
    }

    fn frame(&mut self, frame: Frame) -> ControlFlow<(), Option<Duration>> {
        let Self { offline, sheet, progress, job } = self;
        let before_s = offline.seconds();
        let mut frames = 0;
        let rendered = offline.frame(frame, &mut |left, right| {
            if !sheet.sound(left, right) {
                return ControlFlow::Break(());
            }
            frames += left.len();
            let seconds = before_s + frames as f64 / f64::from(job.config.audio.sample_rate);
            progress.show(seconds, "");
            if job.interrupt.is_raised() || seconds >= job.until_s {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        sheet.notes(offline.last_notes());
        rendered
    }

    /// Of several files rendered from one capture, one tells what is wrong with it.
    fn warn(&self, problem: &str) {
        if matches!(self.job.part, Part::Whole | Part::Tacet) {
            warn!("{problem}");
        }
    }
}
