//! Records what the sound device is given, while it plays, into a file.

pub(crate) mod name;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{
        broadcast::{self, error::RecvError},
        oneshot,
    },
    task::JoinHandle,
};
use tracing::{info, warn};

use super::{
    audio::{Block, Tap, TapFull},
    file::{FileError, Format, SoundFile},
};
use crate::shown_path::ShownPath;

/// The recorder; records one file at a time.
pub struct Recorder {
    tap: Tap,
    folder: PathBuf,
    shared: Arc<Mutex<Recording>>,
    work: Mutex<Option<Work>>,
}

struct Work {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What is recorded now, or was last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Recording {
    /// It goes on.
    pub recording: bool,
    /// The file.
    pub file: Option<ShownPath>,
    /// Length so far, seconds.
    pub seconds: f64,
    /// Blocks of sound that are missing because the disk was too slow.
    pub lost_blocks: u64,
    /// Sound that is missing in between, seconds: those blocks, and what the machine was too slow to pass on.
    pub lost_seconds: f64,
    /// Why it ended by itself.
    pub error: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// Why it doesn't begin, or end.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// One at a time.
    #[error("{} is being recorded already; stop it first", .0.display())]
    Busy(PathBuf),
    /// There is nothing to end.
    #[error("nothing is being recorded")]
    Idle,
    /// Too many listen.
    #[error(transparent)]
    Full(#[from] TapFull),
    /// The file can't be written.
    #[error("writing {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Notes are no sound.
    #[error("format: {0} is not allowed, expected flac or wav")]
    Format(String),
}

impl Recorder {
    /// Records into `folder`, which is made when it is needed.
    pub fn new(tap: Tap, folder: PathBuf) -> Self {
        Self { tap, folder, shared: Arc::default(), work: Mutex::default() }
    }

    /// Where the files go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is recorded.
    pub fn status(&self) -> Recording {
        lock(&self.shared).clone()
    }

    /// Begins a file, named by the time, which replaces none; says its name. `extension` is `flac` or `wav`. Waits for
    /// the disk; must be called within a tokio runtime.
    pub fn start(&self, extension: &str) -> Result<PathBuf, RecorderError> {
        self.start_at(SystemTime::now(), extension)
    }

    fn start_at(&self, now: SystemTime, extension: &str) -> Result<PathBuf, RecorderError> {
        let mut work = lock(&self.work);
        if let Recording { recording: true, file: Some(file), .. } = self.status() {
            return Err(RecorderError::Busy(file.as_ref().to_owned()));
        }
        let format = format_of(extension)?;
        let blocks = self.tap.listen()?;
        let (path, empty) = fs::create_dir_all(&self.folder)
            .and_then(|()| name::claim(&self.folder, now, extension))
            .map_err(|cause| RecorderError::Write { path: self.folder.clone(), cause })?;
        let (stop, stopped) = oneshot::channel();
        let recording =
            Recording { recording: true, file: Some(path.clone().into()), ..Recording::default() };
        *lock(&self.shared) = recording;
        let session =
            Session { path: path.clone(), empty: Some(empty), format, shared: Arc::clone(&self.shared) };
        let runtime = Handle::current();
        let task = tokio::task::spawn_blocking(move || session.run(&runtime, blocks, stopped));
        info!("recording {}", path.display());
        *work = Some(Work { stop, task });
        Ok(path)
    }

    /// Completes the file; says what it holds. Waits for the disk.
    pub async fn stop(&self) -> Result<Recording, RecorderError> {
        let work = lock(&self.work).take();
        let was = self.status();
        let Some(Work { stop, task }) = work.filter(|_| was.recording) else {
            return Err(RecorderError::Idle);
        };
        // It may just have ended by itself; and it can only panic, which is logged.
        stop.send(()).ok();
        drop(task.await);
        Ok(self.status())
    }

    /// Completes the file, if one is recorded, as khor stops. Waits for the disk; must not be called on a task.
    pub fn end(&self) {
        let work = lock(&self.work).take();
        if let Some(Work { stop, task }) = work {
            stop.send(()).ok();
            Handle::current().block_on(task).ok();
        }
    }
}

/// One file that is recorded.
struct Session {
    path: PathBuf,
    /// The file, until the first block says the rate that it begins with.
    empty: Option<File>,
    format: Format,
    shared: Arc<Mutex<Recording>>,
}

/// The file while it is written.
struct Open {
    file: SoundFile,
    sample_rate_hz: u32,
    /// Which frame is to follow, by the numbers of [`Block`].
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
        let mut open: Option<Open> = None;
        let mut problem = None;
        while let Some(heard) = next() {
            let block = match heard {
                Ok(block) => block,
                Err(RecvError::Lagged(blocks)) => {
                    // How long they were, the next one's number says.
                    lock(&self.shared).lost_blocks += blocks;
                    continue;
                }
                Err(RecvError::Closed) => break,
            };
            match self.take(&mut open, &block) {
                Ok(true) => {}
                // What was wrong with the file is known when it is finished.
                Ok(false) => break,
                Err(found) => {
                    problem = Some(found);
                    break;
                }
            }
        }
        let finished = match open {
            Some(Open { file, .. }) => file.finish().map_err(|error| Problem::of(&error)),
            None => Err(self.leave_nothing()),
        };
        self.ended(problem.or_else(|| finished.err()));
    }

    /// Writes a block, into a file that begins with the first. Says whether there can be more.
    fn take(&mut self, open: &mut Option<Open>, block: &Block) -> Result<bool, Problem> {
        let open = match open {
            Some(open) => open,
            None => match self.begin(block)? {
                Some(begun) => open.insert(begun),
                None => return Ok(false),
            },
        };
        if open.sample_rate_hz != block.sample_rate_hz {
            return Err(Problem {
                error: format!("the device's sample rate became {} Hz", block.sample_rate_hz),
                fix: "start another recording; what was recorded before is kept",
            });
        }
        let (left, right): (Vec<f32>, Vec<f32>) = block.frames.iter().map(|[l, r]| (*l, *r)).unzip();
        let takes_more = open.file.push(&left, &right);
        let seconds = |frames: u64| frames as f64 / f64::from(block.sample_rate_hz);
        let mut recording = lock(&self.shared);
        recording.seconds += seconds(block.frames.len() as u64);
        recording.lost_seconds += seconds(block.first_frame.saturating_sub(open.next_frame));
        open.next_frame = block.next_frame();
        Ok(takes_more)
    }

    /// `None`: the format holds no samples.
    fn begin(&mut self, block: &Block) -> Result<Option<Open>, Problem> {
        let Some(empty) = self.empty.take() else { return Ok(None) };
        let sample_rate_hz = block.sample_rate_hz;
        let file = SoundFile::within(empty, self.format, sample_rate_hz);
        let file = file.map_err(|error| Problem::of(&error.into()))?;
        Ok(file.map(|file| Open { file, sample_rate_hz, next_frame: block.first_frame }))
    }

    /// Removes the file, which has no frame.
    fn leave_nothing(&self) -> Problem {
        if let Err(error) = fs::remove_file(&self.path) {
            warn!("removing {}, which is empty: {error}", self.path.display());
        }
        Problem::nothing_heard()
    }

    fn ended(&self, problem: Option<Problem>) {
        let mut recording = lock(&self.shared);
        recording.recording = false;
        if let Some(Problem { error, fix }) = problem {
            warn!("recording {}: {error}; {fix}", self.path.display());
            (recording.error, recording.fix) = (Some(error), Some(fix.to_owned()));
        } else {
            info!("recorded {:.1} s into {}", recording.seconds, self.path.display());
        }
        if recording.lost_seconds > 0.0 {
            let (path, lost) = (self.path.display(), recording.lost_seconds);
            warn!(
                "recording {path}: {lost:.3} s are missing in between, the machine or the disk was too slow"
            );
        }
    }
}

/// Why a recording ended by itself.
struct Problem {
    error: String,
    fix: &'static str,
}

impl Problem {
    fn nothing_heard() -> Self {
        let error = "it was stopped before any sound came, and there is no file".into();
        Self { error, fix: "let it record for a second at least" }
    }

    fn of(error: &FileError) -> Self {
        let fix = match error {
            FileError::Full => "start another recording, or record flac; what was recorded is kept",
            FileError::Io(_) => "make room, or let khor write there, and start another recording",
        };
        Self { error: error.to_string(), fix }
    }
}

/// What the end of a recording's name stands for.
fn format_of(extension: &str) -> Result<Format, RecorderError> {
    match Format::of(&Path::new("khor").with_extension(extension)) {
        Ok(format @ (Format::Wav | Format::Flac)) => Ok(format),
        Ok(Format::Midi) | Err(_) => Err(RecorderError::Format(extension.to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {

    use super::*;

    /// The file has so many seconds, all of them of that level, to the left above zero and to the right below.
    fn assert_holds(file: &Path, seconds: f64, level: f32) {
        let mut reader = hound::WavReader::open(file).unwrap();
        assert!((f64::from(reader.duration()) / 48_000.0 - seconds).abs() < 1e-9);
        let (samples, level): (Vec<i32>, _) =
            (reader.samples().map(Result::unwrap).collect(), (level * 8_388_608.0) as i32);
        assert!(samples.chunks(2).all(|frame| frame == [level, -level]), "{}", file.display());
    }

    /// Lets sound come until the recording has `seconds`.
    async fn feed_until(recorder: &Recorder, seconds: f64, mut push: impl FnMut()) {
        khor_e2e::wait_until_async("enough recorded sound", || {
            let enough = recorder.status().seconds >= seconds;
            if !enough {
                push();
            }
            enough
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_is_heard_is_in_the_file_and_one_records_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        let recorder = Recorder::new(tap.clone(), dir.path().join("recordings"));
        assert!(matches!(recorder.stop().await, Err(RecorderError::Idle)));
        assert!(matches!(recorder.start("mid"), Err(RecorderError::Format(_))));
        assert!(matches!(recorder.start("mp3"), Err(RecorderError::Format(_))));
        let file = recorder.start("wav").unwrap();
        assert!(matches!(recorder.start("wav"), Err(RecorderError::Busy(busy)) if busy == file));
        feed_until(&recorder, 0.5, || feed.push(&[0.5; 480], &[-0.5; 480])).await;
        let recorded = recorder.stop().await.unwrap();
        assert!(!recorded.recording && recorded.error.is_none());
        assert!(recorded.lost_blocks == 0 && recorded.lost_seconds == 0.0, "{recorded:?}");
        assert_holds(&file, recorded.seconds, 0.5);
        tap.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn two_of_one_second_are_two_files_and_both_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        let recorder = Recorder::new(tap.clone(), dir.path().to_owned());
        let mut recorded = Vec::new();
        for level in [0.25, 0.5] {
            let file = recorder.start_at(SystemTime::UNIX_EPOCH, "wav").unwrap();
            feed_until(&recorder, 0.1, || feed.push(&[level; 480], &[-level; 480])).await;
            let Recording { seconds, error, .. } = recorder.stop().await.unwrap();
            assert_eq!(error, None);
            recorded.push((file, seconds, level));
            khor_e2e::wait_until_async("the tap to stop", || feed.is_idle()).await;
        }
        for (file, seconds, level) in &recorded {
            assert_holds(file, *seconds, *level);
        }
        let names: Vec<_> = recorded.iter().map(|(file, ..)| file.file_name().unwrap()).collect();
        assert_eq!(names, ["khor-19700101T000000Z.wav", "khor-19700101T000000Z-2.wav"]);
        tap.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_is_missing_in_between_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        let recorder = Recorder::new(tap.clone(), dir.path().to_owned());
        recorder.start("wav").unwrap();
        feed_until(&recorder, 0.1, || feed.push(&[0.5; 480], &[0.5; 480])).await;
        // Two seconds at once are more than the tap holds.
        let long = vec![0.5; 96_000];
        feed.push(&long, &long);
        let before = recorder.status().seconds;
        feed_until(&recorder, before + 1.5, || feed.push(&[0.5; 480], &[0.5; 480])).await;
        let recorded = recorder.stop().await.unwrap();
        assert!((0.6..1.5).contains(&recorded.lost_seconds), "{recorded:?}");
        assert_eq!(recorded.error, None, "it is good for all that");
        tap.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn where_nothing_was_heard_there_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let (tap, _feed) = Tap::start(48_000).unwrap();
        let recorder = Recorder::new(tap.clone(), dir.path().to_owned());
        let file = recorder.start("flac").unwrap();
        let recorded = recorder.stop().await.unwrap();
        assert!(recorded.error.is_some_and(|error| error.contains("there is no file")));
        assert!(!file.exists());
        tap.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn another_rate_ends_it_with_a_reason_and_keeps_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        let recorder = Recorder::new(tap.clone(), dir.path().to_owned());
        let file = recorder.start("flac").unwrap();
        khor_e2e::wait_until_async("the recording to end", || {
            feed.push(&[0.5; 480], &[0.5; 480]);
            if recorder.status().seconds > 0.2 {
                feed.set_rate(44_100);
            }
            !recorder.status().recording
        })
        .await;
        let recorded = recorder.status();
        assert_eq!(recorded.error.as_deref(), Some("the device's sample rate became 44100 Hz"));
        assert!(file.metadata().unwrap().len() > 0);
        tap.close();
    }
}
