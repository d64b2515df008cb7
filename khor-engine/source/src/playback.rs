//! Plays a capture in real time: sends its events at the recorded intervals.

use std::{path::PathBuf, thread, time::Duration};

use khor_proto::{Scope, inert};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::{info, warn};

use super::{
    CaptureError, CaptureReader, Origin, Recorded, Shortfall, SourceEnded, SourceEvent, SourceInfo,
    SourceKind, send,
};

/// Maximum time between two frames. A longer gap in a capture, for example a night in suspend, is
/// shortened to this time.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Minimum time between two starts of a repeated capture. Without it, an empty capture would repeat
/// without a pause.
const SHORTEST_ROUND: Duration = Duration::from_secs(1);
/// Maximum number of warnings that khor logs about the damaged parts of one capture.
const MAX_DAMAGE_WARNINGS: u32 = 8;
/// Number of events that are read ahead.
const PIECES_AHEAD: usize = 64;

/// The settings for playing a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// The capture.
    pub path: PathBuf,
    /// Whether the capture starts again when it ends.
    pub repeat: bool,
}

/// Plays a capture, and returns when it has ended. Logs and skips damaged parts.
pub async fn play<E: From<SourceEvent>>(
    playback: &Playback,
    events: &mpsc::Sender<E>,
) -> Result<(), SourceEnded> {
    loop {
        let round = Instant::now();
        play_once(playback, events).await?;
        if !playback.repeat {
            return Ok(());
        }
        sleep_until(round + SHORTEST_ROUND).await;
    }
}

async fn play_once<E: From<SourceEvent>>(
    playback: &Playback,
    events: &mpsc::Sender<E>,
) -> Result<(), SourceEnded> {
    let name = playback.path.display();
    let mut pieces = read_ahead(playback.path.clone());
    let (mut pace, mut damages) = (Pace::default(), 0_u32);
    while let Some(piece) = pieces.recv().await {
        let event = match piece {
            Ok(Recorded::Start(origin)) => SourceEvent::Up(playback.info(origin)),
            Ok(Recorded::Lanes(catalogue)) => SourceEvent::Lanes(catalogue),
            Ok(Recorded::Frame(frame)) => {
                sleep_until(pace.due(frame.t_ns)).await;
                SourceEvent::Frame(frame)
            }
            Ok(Recorded::Cue(cue)) => SourceEvent::Cue(cue),
            Ok(Recorded::Lost { cues }) => SourceEvent::Lost { cues },
            Err(ReadError::Open(problem)) => {
                warn!("{name}: {problem}");
                let fix = "choose another file; khor record creates captures".to_owned();
                SourceEvent::Down(Shortfall { error: format!("{name}: {problem}"), fix })
            }
            Err(ReadError::Damaged(problem)) => {
                damages += 1;
                let problem = problem.sentence(playback.path.display());
                match damages {
                    ..MAX_DAMAGE_WARNINGS => warn!("{problem}; khor plays the readable parts"),
                    MAX_DAMAGE_WARNINGS => {
                        warn!("{problem}; khor logs no further damage of this capture");
                    }
                    _ => {}
                }
                continue;
            }
        };
        send(events, event).await?;
    }
    Ok(())
}

/// Why a capture, or a part of it, cannot be read.
#[derive(Debug)]
enum ReadError {
    /// The capture cannot be opened.
    Open(CaptureError),
    /// A part of the capture cannot be read.
    Damaged(CaptureError),
}

/// Starts a thread that reads a capture, and returns the events that the thread reads. The thread
/// is separate from the runtime, because the file system may hang.
fn read_ahead(path: PathBuf) -> mpsc::Receiver<Result<Recorded, ReadError>> {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    let failed = sender.clone();
    let read = move || {
        let reader = match CaptureReader::open(&path) {
            Ok(reader) => reader,
            Err(problem) => return drop(sender.blocking_send(Err(ReadError::Open(problem)))),
        };
        for piece in reader {
            // Sending fails if the playback has ended.
            if sender.blocking_send(piece.map_err(ReadError::Damaged)).is_err() {
                return;
            }
        }
    };
    if let Err(problem) = thread::Builder::new().name("khor-capture".into()).spawn(read) {
        drop(failed.try_send(Err(ReadError::Open(problem.into()))));
    }
    pieces
}

impl Playback {
    fn info(&self, origin: Origin) -> SourceInfo {
        let name = self.path.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
        let name = inert::line(&name);
        let detail = format!("capture {name} of {}, not this machine's current data", origin.describe());
        info!("playing the {detail}");
        SourceInfo {
            kind: SourceKind::Capture,
            detail,
            shortfall: None,
            limit: None,
            machine: origin.machine,
            scope: Scope::Machine,
            interval_ms: origin.interval_ms,
            availability: origin.availability,
        }
    }
}

/// Converts the times in a capture to the instants at which its frames are sent.
#[derive(Default)]
struct Pace {
    last: Option<(u64, Instant)>,
}

impl Pace {
    /// Returns when a frame with this time must be sent. A late playback catches up by sending the
    /// next frames sooner. If it is late by more than [`LONGEST_WAIT`], it does not catch up: the
    /// frame must be sent now.
    fn due(&mut self, t_ns: u64) -> Instant {
        let now = Instant::now();
        let due = match self.last {
            Some((last_ns, at)) => at + Duration::from_nanos(t_ns.saturating_sub(last_ns)).min(LONGEST_WAIT),
            None => now,
        };
        let due = if now > due + LONGEST_WAIT { now } else { due };
        self.last = Some((t_ns, due));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CaptureWriter, DemoSource};

    fn capture(frames: u64) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        let origin = Origin { interval_ms: 20, ..Origin::unknown() };
        let mut writer = CaptureWriter::create(&path, &origin, false).unwrap();
        let mut demo = DemoSource::new(1);
        for _ in 0..frames {
            writer.push(&demo.advance(20_000_000)).unwrap();
        }
        writer.lost(3).unwrap();
        writer.finish().unwrap();
        (dir, path)
    }

    /// Starts to play a capture, and returns its events.
    fn start(path: PathBuf, repeat: bool) -> mpsc::Receiver<SourceEvent> {
        let (sender, events) = mpsc::channel(4);
        tokio::spawn(async move { play(&Playback { path, repeat }, &sender).await });
        events
    }

    #[tokio::test]
    async fn capture_plays_in_recorded_time() {
        let (_dir, path) = capture(26);
        let mut events = start(path, false);
        let (begun, lateness) = (Instant::now(), khor_patience::Lateness::start());
        let (mut frames, mut lost) = (0, 0);
        while let Some(event) = events.recv().await {
            match event {
                SourceEvent::Up(info) => {
                    assert_eq!((info.kind, info.interval_ms), (SourceKind::Capture, 20));
                    assert!(info.detail.contains("capture x.khor"), "{}", info.detail);
                }
                SourceEvent::Frame(_) => frames += 1,
                SourceEvent::Lost { cues } => lost += cues,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((frames, lost), (26, 3));
        let took = begun.elapsed();
        let late = lateness.total();
        assert!(took >= Duration::from_millis(500), "{took:?}");
        assert!(
            took < Duration::from_secs(1) + 2 * late,
            "{took:?}; threads on this machine woke {late:?} late"
        );
    }

    #[tokio::test]
    async fn a_repeated_capture_starts_again() {
        let (_dir, path) = capture(10);
        let mut events = start(path, true);
        let mut rounds = 0;
        while rounds < 2 {
            rounds += u32::from(matches!(events.recv().await, Some(SourceEvent::Up(_))));
        }
    }

    #[tokio::test]
    async fn invalid_capture_names_reason() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        std::fs::write(&path, "hello").unwrap();
        let mut events = start(path, false);
        let Some(SourceEvent::Down(why)) = events.recv().await else { panic!("not Down") };
        assert!(why.error.contains("x.khor: not a khor capture"), "{}", why.error);
        assert!(events.recv().await.is_none());
    }
}
