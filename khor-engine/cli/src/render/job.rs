//! Renders a capture or the demo to its output files. These are a mix with optional stems, or one
//! MIDI file.

use std::{
    fmt::Display,
    iter,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use khor_command_line::{interrupt::Interrupt, progress::ProgressLine};
use khor_config::Config;
use khor_engine::engine::offline_settings;
use khor_music::{CueSound, Note, Preset};
use khor_output::file::{FileError, Format, NoteFile, SoundFile};
use khor_signal::Frame;
use khor_source::{CaptureError, Recorded};
use khor_synth::{Offline, RenderMode, Samples};
use khor_system::{
    files::{LowSpace, Replacement, SpaceWatch},
    words::counted,
};
use tracing::warn;

/// Maximum number of skipped parts that are logged individually.
const MAX_WARNINGS: u64 = 8;

/// The pieces of a capture or of the demo, in chronological order.
pub(super) type Pieces = Box<dyn Iterator<Item = Result<Recorded, CaptureError>>>;

/// The output files and the settings of a render.
pub(super) struct Job<'a> {
    pub(super) output: PathBuf,
    /// Paths of the stem files, one for each role, in the order of [`khor_music::Role::ALL`]. Empty
    /// if khor writes no stems.
    pub(super) stems: Vec<PathBuf>,
    pub(super) format: Format,
    pub(super) config: &'a Config,
    pub(super) preset: &'a Preset,
    /// The render ends this many seconds after its start. Infinite if the whole capture is
    /// rendered.
    pub(super) until_s: f64,
    pub(super) interrupt: Interrupt,
    /// Whether the progress line is hidden.
    pub(super) is_quiet: bool,
}

/// The result of a render.
pub(super) struct Rendered {
    pub(super) seconds: f64,
    pub(super) notes: u64,
    /// Largest absolute value of a sample, 0..=1. `None` for a MIDI file.
    pub(super) peak: Option<f32>,
}

/// The open output files: the sound files, or one MIDI file.
enum OutputFiles {
    Sound {
        mix: SoundFile,
        stems: Vec<SoundFile>,
        /// The temporary files of the mix and of each stem, in this order. When these files are
        /// complete, they replace the old files.
        replacements: Vec<Replacement>,
        peak: f32,
    },
    Notes(NoteFile),
}

impl OutputFiles {
    /// Writes samples. Returns false if a file has reached its maximum size.
    fn sound(&mut self, samples: &Samples) -> bool {
        let Self::Sound { mix, stems, peak, .. } = self else { return true };
        *peak = samples.left.iter().chain(&samples.right).fold(*peak, |peak, sample| peak.max(sample.abs()));
        let mut takes_more = mix.push(&samples.left, &samples.right);
        for (file, [left, right]) in stems.iter_mut().zip(&samples.stems) {
            takes_more &= file.push(left, right);
        }
        takes_more
    }

    fn notes(&mut self, notes: &[Note]) {
        if let Self::Notes(file) = self {
            file.push(notes);
        }
    }

    /// Completes all new files, and only then replaces the old files. Returns the peak, or `None`
    /// for a MIDI file.
    fn finish(self, job: &Job) -> anyhow::Result<Option<f32>> {
        match self {
            Self::Sound { mix, stems, replacements, peak } => {
                for (file, path) in iter::once(mix).chain(stems).zip(job.paths()) {
                    finish(file, path)?;
                }
                for (replacement, path) in replacements.into_iter().zip(job.paths()) {
                    replacement.finish().with_context(|| writing(path))?;
                }
                Ok(Some(peak))
            }
            Self::Notes(file) => {
                file.write(&job.output).with_context(|| writing(&job.output))?;
                Ok(None)
            }
        }
    }
}

fn finish(file: SoundFile, path: &Path) -> anyhow::Result<()> {
    match file.finish() {
        Err(FileError::Full) => {
            warn!("{}: {}; khor skips the rest", path.display(), FileError::Full);
            Ok(())
        }
        written => written.with_context(|| writing(path)),
    }
}

fn writing(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

impl Job<'_> {
    /// Renders the pieces to the output files. Fails if the free disk space gets too low.
    pub(super) fn run(&self, pieces: Pieces, space: SpaceWatch) -> anyhow::Result<Rendered> {
        let (files, mode) = self.files()?;
        let mut render = Render {
            offline: Offline::new(&offline_settings(self.config, mode), self.preset.clone()),
            files,
            progress: ProgressLine::new(!self.is_quiet),
            space,
            skipped: 0,
            job: self,
        };
        let rendered = render.pieces(pieces);
        if let Err(low) = rendered {
            render.progress.clear();
            return Err(anyhow::Error::from(low).context(writing(&self.output)));
        }
        let Render { offline, files, progress, .. } = render;
        let peak = files.finish(self)?;
        progress.clear();
        Ok(Rendered { seconds: offline.seconds(), notes: offline.notes(), peak })
    }

    /// Returns the paths of the output files, the mix first.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        iter::once(&self.output).chain(&self.stems).map(PathBuf::as_path)
    }

    /// Opens the output files. Returns them with the render mode that they need.
    fn files(&self) -> anyhow::Result<(OutputFiles, RenderMode)> {
        let (mut files, mut replacements) = (Vec::new(), Vec::new());
        for path in self.paths().filter(|_| self.format != Format::Midi) {
            let replacement = Replacement::begin(path).with_context(|| writing(path))?;
            let rate = self.config.audio.sample_rate;
            let file = replacement.file().and_then(|file| SoundFile::start(file, self.format, rate));
            files.extend(file.with_context(|| writing(path))?);
            replacements.push(replacement);
        }
        let mut files = files.into_iter();
        let Some(mix) = files.next() else {
            return Ok((OutputFiles::Notes(NoteFile::new(self.config.music.bpm)), RenderMode::NotesOnly));
        };
        let mode = if self.stems.is_empty() { RenderMode::Mix } else { RenderMode::Stems };
        Ok((OutputFiles::Sound { mix, stems: files.collect(), replacements, peak: 0.0 }, mode))
    }
}

/// A render in progress.
struct Render<'a> {
    offline: Offline,
    files: OutputFiles,
    progress: ProgressLine,
    space: SpaceWatch,
    /// Number of skipped parts of the capture.
    skipped: u64,
    job: &'a Job<'a>,
}

impl Render<'_> {
    fn pieces(&mut self, pieces: Pieces) -> Result<(), LowSpace> {
        for piece in pieces {
            self.space.check()?;
            match piece {
                Ok(Recorded::Start(_)) => self.offline.restart(),
                Ok(Recorded::Lanes(catalogue)) => self.offline.set_catalogue(&catalogue),
                Ok(Recorded::Frame(frame)) => match self.frame(frame) {
                    ControlFlow::Continue(None) => {}
                    ControlFlow::Continue(Some(gap)) => self.warn_of_skipped_part(format_args!(
                        "skipped a gap of {:.1} min: the machine was suspended, or the capture is damaged",
                        gap.as_secs_f64() / 60.0
                    )),
                    ControlFlow::Break(()) => break,
                },
                Ok(Recorded::Cue(cue)) => {
                    if let Some(kind) = CueSound::for_event(cue.kind) {
                        self.offline.cue(kind);
                    }
                }
                Ok(Recorded::Lost { .. }) => {}
                Err(problem) => {
                    self.warn_of_skipped_part(format_args!(
                        "{}; khor renders the readable parts",
                        problem.sentence("the capture")
                    ));
                }
            }
            if self.job.interrupt.is_raised() {
                break;
            }
        }
        if self.skipped > MAX_WARNINGS {
            warn!("skipped {} of the capture", counted(self.skipped - MAX_WARNINGS, "more part"));
        }
        Ok(())
    }

    /// Logs a skipped part of the capture. A damaged capture can have thousands of skipped parts,
    /// so only the first [`MAX_WARNINGS`] are logged.
    fn warn_of_skipped_part(&mut self, warning: impl Display) {
        self.skipped += 1;
        if self.skipped <= MAX_WARNINGS {
            warn!("{warning}");
        }
    }

    /// Renders up to the time of `frame`. Returns `Break` at the end of the render. Otherwise
    /// returns the length of the gap that the render skipped before the frame, or `None` without a
    /// gap.
    fn frame(&mut self, frame: Frame) -> ControlFlow<(), Option<Duration>> {
        let Self { offline, files, progress, job, .. } = self;
        let before_s = offline.seconds();
        let mut frames = 0;
        let rendered = offline.frame(frame, &mut |samples| {
            if !files.sound(samples) {
                return ControlFlow::Break(());
            }
            frames += samples.left.len();
            let seconds = before_s + frames as f64 / f64::from(job.config.audio.sample_rate);
            progress.show(seconds, "");
            if job.interrupt.is_raised() || seconds >= job.until_s {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        files.notes(offline.last_notes());
        rendered
    }
}
