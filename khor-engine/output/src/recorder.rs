//! Records the sound of the device to a file.

mod disk_limits;
pub mod name;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use khor_api::{RecordingStatus, Trouble};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    runtime::Handle,
    sync::{
        broadcast::{self, error::RecvError},
        oneshot,
    },
    task::JoinHandle,
};
use tracing::{info, warn};

pub use self::disk_limits::{DiskLimitError, DiskLimits};
use super::{
    audio::{Block, Tap, TapFull},
    file::{FileError, Format, SoundFile},
};

/// Length of recorded sound after which the disk limits are checked again, seconds.
const LIMIT_CHECK_S: f64 = 2.0;

/// Records the device's sound to files, one file at a time.
pub struct Recorder {
    tap: Tap,
    folder: PathBuf,
    limits: Arc<Mutex<DiskLimits>>,
    shared: Arc<Mutex<RecordingStatus>>,
    work: Mutex<Option<RunningTask>>,
}

struct RunningTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Why a recording cannot start or stop.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// Another recording is running. It writes to this file.
    #[error("already recording to {}; stop that recording first", .0.display())]
    Busy(PathBuf),
    /// No recording is running.
    #[error("no recording is running")]
    Idle,
    /// The tap already has its maximum number of listeners.
    #[error(transparent)]
    Full(#[from] TapFull),
    /// A disk limit prevents further recordings.
    #[error("{0}; {fix}", fix = .0.fix())]
    DiskLimit(#[from] DiskLimitError),
    /// The file cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file that cannot be written, or the folder of the recordings.
        path: PathBuf,
        /// The system's error.
        cause: std::io::Error,
    },
    /// The extension selects no known sound format.
    #[error("format: {0} is not allowed, expected flac or wav")]
    Format(String),
}

impl Recorder {
    /// Creates a recorder without starting a recording. The first recording creates `folder` if it
    /// is missing. `limits` limits the disk space that all recordings may use.
    pub fn new(tap: Tap, folder: PathBuf, limits: DiskLimits) -> Self {
        Self {
            tap,
            folder,
            limits: Arc::new(Mutex::new(limits)),
            shared: Arc::default(),
            work: Mutex::default(),
        }
    }

    /// Sets the disk limits. They also apply to a running recording.
    pub fn set_disk_limits(&self, limits: DiskLimits) {
        *lock(&self.limits) = limits;
    }

    /// The folder of the recordings.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The status of the current or last recording.
    pub fn status(&self) -> RecordingStatus {
        lock(&self.shared).clone()
    }

    /// Starts a recording to a new file that is named after the current time. Returns the file's
    /// path. Never replaces a file. `extension` is `flac` or `wav`. Waits for the disk. Call this
    /// within a tokio runtime.
    pub fn start(&self, extension: &str) -> Result<PathBuf, RecorderError> {
        self.start_at(SystemTime::now(), extension)
    }

    fn start_at(&self, now: SystemTime, extension: &str) -> Result<PathBuf, RecorderError> {
        let mut work = lock(&self.work);
        if let RecordingStatus { recording: true, file: Some(file), .. } = self.status() {
            return Err(RecorderError::Busy(PathBuf::from(file)));
        }
        let format = format_of(extension)?;
        let limits = *lock(&self.limits);
        limits.check(&self.folder)?;
        let blocks = self.tap.listen()?;
        let (path, empty) = fs::create_dir_all(&self.folder)
            .and_then(|()| name::claim(&self.folder, now, extension))
            .map_err(|cause| RecorderError::Write { path: self.folder.clone(), cause })?;
        let (stop, stopped) = oneshot::channel();
        let recording = RecordingStatus {
            recording: true,
            file: Some(path.display().to_string()),
            ..RecordingStatus::default()
        };
        *lock(&self.shared) = recording;
        let session = Session {
            path: path.clone(),
            folder: self.folder.clone(),
            limits: Arc::clone(&self.limits),
            checked_s: 0.0,
            empty: Some(empty),
            format,
            shared: Arc::clone(&self.shared),
        };
        let runtime = Handle::current();
        let task = tokio::task::spawn_blocking(move || session.run(&runtime, blocks, stopped));
        info!("recording {}", path.display());
        *work = Some(RunningTask { stop, task });
        Ok(path)
    }

    /// Stops the recording and completes its file. Returns the final status. Waits for the disk.
    pub async fn stop(&self) -> Result<RecordingStatus, RecorderError> {
        let work = lock(&self.work).take();
        let was = self.status();
        let Some(RunningTask { stop, task }) = work.filter(|_| was.recording) else {
            return Err(RecorderError::Idle);
        };
        // Sending fails only if the recording has just ended by itself. The task fails only if it
        // panics, and panics are logged.
        stop.send(()).ok();
        drop(task.await);
        Ok(self.status())
    }

    /// Completes a running recording when khor stops. Waits for the disk. Do not call this in a
    /// tokio task, because it blocks.
    pub fn finish(&self) {
        let work = lock(&self.work).take();
        if let Some(RunningTask { stop, task }) = work {
            stop.send(()).ok();
            Handle::current().block_on(task).ok();
        }
    }
}

/// A running recording.
struct Session {
    path: PathBuf,
    folder: PathBuf,
    limits: Arc<Mutex<DiskLimits>>,
    /// Length of the recording when the disk limits were last checked, seconds.
    checked_s: f64,
    /// The file, while it is empty. `None` after the first block has arrived. That block shows the
    /// sample rate, without which no header can be written.
    empty: Option<File>,
    format: Format,
    shared: Arc<Mutex<RecordingStatus>>,
}

/// A file to which sound is written.
struct OpenFile {
    file: SoundFile,
    sample_rate_hz: u32,
    /// Frame number at which the next block should begin, counted as in [`Block`].
    next_frame: u64,
}

impl Session {
    fn run(
        mut self,
        runtime: &Handle,
        mut blocks: broadcast::Receiver<Block>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let mut next = || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = &mut stopped => None,
                    block = blocks.recv() => Some(block),
                }
            })
        };
        let mut open: Option<OpenFile> = None;
        let mut problem = None;
        while let Some(received) = next() {
            let block = match received {
                Ok(block) => block,
                Err(RecvError::Lagged(blocks)) => {
                    // The next block's frame number shows how many frames were lost.
                    lock(&self.shared).lost_blocks += blocks;
                    continue;
                }
                Err(RecvError::Closed) => break,
            };
            match self.take(&mut open, &block) {
                Ok(true) => {}
                // Writing has failed. `finish` below returns the error.
                Ok(false) => break,
                Err(found) => {
                    problem = Some(found);
                    break;
                }
            }
        }
        let finished = match open {
            Some(OpenFile { file, .. }) => file.finish().map_err(|error| Problem::from_error(&error)),
            None => Err(self.remove_empty_file()),
        };
        self.publish_end(problem.or_else(|| finished.err()));
    }

    /// Writes a block. The first block starts the file. Returns `false` if writing has failed.
    fn take(&mut self, open: &mut Option<OpenFile>, block: &Block) -> Result<bool, Problem> {
        let open = match open {
            Some(open) => open,
            None => match self.begin(block)? {
                Some(begun) => open.insert(begun),
                None => return Ok(false),
            },
        };
        if open.sample_rate_hz != block.sample_rate_hz {
            return Err(Problem {
                error: format!("the device's sample rate changed to {} Hz", block.sample_rate_hz),
                fix: "start another recording; the sound until then is kept",
            });
        }
        self.check_disk_limits()?;
        let (left, right): (Vec<f32>, Vec<f32>) = block.frames.iter().map(|[l, r]| (*l, *r)).unzip();
        let takes_more = open.file.push(&left, &right);
        let seconds = |frames: u64| frames as f64 / f64::from(block.sample_rate_hz);
        let mut recording = lock(&self.shared);
        recording.seconds += seconds(block.frames.len() as u64);
        recording.lost_seconds += seconds(block.first_frame.saturating_sub(open.next_frame));
        open.next_frame = block.next_frame();
        Ok(takes_more)
    }

    fn check_disk_limits(&mut self) -> Result<(), Problem> {
        let seconds = lock(&self.shared).seconds;
        if seconds - self.checked_s < LIMIT_CHECK_S {
            return Ok(());
        }
        self.checked_s = seconds;
        let limits = *lock(&self.limits);
        limits.check(&self.folder).map_err(|found| Problem { error: found.to_string(), fix: found.fix() })
    }

    /// Starts writing the file, at the sample rate of the first block. Returns `None` if the format
    /// stores notes instead of samples.
    fn begin(&mut self, block: &Block) -> Result<Option<OpenFile>, Problem> {
        let Some(empty) = self.empty.take() else { return Ok(None) };
        let sample_rate_hz = block.sample_rate_hz;
        let file = SoundFile::start(empty, self.format, sample_rate_hz);
        let file = file.map_err(|error| Problem::from_error(&error.into()))?;
        Ok(file.map(|file| OpenFile { file, sample_rate_hz, next_frame: block.first_frame }))
    }

    /// Removes the file, because it contains no sound. Returns the problem to report.
    fn remove_empty_file(&self) -> Problem {
        if let Err(error) = fs::remove_file(&self.path) {
            warn!("cannot remove {}, which is empty: {error}", self.path.display());
        }
        Problem::no_sound()
    }

    fn publish_end(&self, problem: Option<Problem>) {
        let mut recording = lock(&self.shared);
        recording.recording = false;
        if let Some(Problem { error, fix }) = problem {
            warn!("recording {}: {error}; {fix}", self.path.display());
            recording.trouble = Some(Trouble::new(error, fix));
        } else {
            info!("recorded {:.1} s to {}", recording.seconds, self.path.display());
        }
        if recording.lost_seconds > 0.0 {
            let (path, lost) = (self.path.display(), recording.lost_seconds);
            warn!("recording {path}: {lost:.3} s are missing, because the machine or the disk was too slow");
        }
    }
}

/// Why a recording ended by itself.
struct Problem {
    error: String,
    fix: &'static str,
}

impl Problem {
    fn no_sound() -> Self {
        let error = "the recording was stopped before any sound arrived, so there is no file".into();
        Self { error, fix: "record for at least one second" }
    }

    fn from_error(error: &FileError) -> Self {
        let fix = match error {
            FileError::Full => "start another recording, or record flac; the sound until then is kept",
            FileError::Io(_) => "free some space, or allow khor to write there, then start another recording",
        };
        Self { error: error.to_string(), fix }
    }
}

/// The sound format that an extension selects.
fn format_of(extension: &str) -> Result<Format, RecorderError> {
    match Format::from_path(&Path::new("khor").with_extension(extension)) {
        Ok(format @ (Format::Wav | Format::Flac)) => Ok(format),
        Ok(Format::Midi) | Err(_) => Err(RecorderError::Format(extension.to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
