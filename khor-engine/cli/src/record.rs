//! `khor record`: records the activity of this machine to a capture file.

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Args;
use khor_command_line::{interrupt, number, print::print_line, progress::ProgressLine};
use khor_source::{CaptureWriter, DemoSettings, MachineSettings, Origin, SourceEvent};
use khor_system::{
    files::{LowSpace, SpaceWatch},
    words::counted,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::{info, warn};

use super::{places::Places, scope_args::ScopeArgs};

/// Maximum time to wait for a source. If the collector does not answer within half of this time,
/// khor reads /proc.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// The capture file to write
    output: PathBuf,
    #[command(flatten)]
    places: Places,
    /// Stop after this many seconds, 0.001 to 31536000 [default: record until Ctrl-C]
    #[arg(long, value_name = "S", value_parser = number::seconds(), allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Milliseconds between samples, 5 to 5000
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = number::within(5, 5000_u16), allow_negative_numbers = true)]
    interval: u16,
    /// Record every start of a program as a cue
    #[arg(long)]
    exec_cues: bool,
    /// Omit the boot id, and the process id, program name and cgroup of each cue
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Read /proc instead of the collector
    #[arg(long)]
    no_bpf: bool,
    /// Record the synthetic demo
    #[arg(long, visible_alias = "fake")]
    demo: bool,
    /// Also use the disk space that khor leaves free by default
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(record(args))
}

async fn record(args: &RecordArgs) -> anyhow::Result<()> {
    let (sender, mut events) = mpsc::channel(16);
    let _settings = start_source(args, sender)?;
    let mut space = SpaceWatch::begin(&args.output, 0, args.force)?;
    let mut recording = CaptureRecording { args, writer: None, frames: 0, cues: 0, lost: 0 };
    let mut progress = ProgressLine::new(true);
    let begun = Instant::now();
    let length = args.seconds.map_or(Duration::from_secs(u64::from(u32::MAX)), Duration::from_secs_f64);
    // The recording lasts `length` from the first answer of a source. Wait for this answer for
    // `length` or `SOURCE_TIMEOUT`, whichever is longer.
    let taken = take_until(&mut events, interrupt::wait(), begun + length.max(SOURCE_TIMEOUT), |event| {
        space.check()?;
        let was_begun = recording.writer.is_some();
        recording.take(event)?;
        progress.show(begun.elapsed().as_secs_f64(), recording.progress());
        Ok((!was_begun && recording.writer.is_some()).then(|| Instant::now() + length))
    })
    .await;
    progress.clear();
    match taken {
        Ok(()) => recording.finish(),
        Err(low) if low.is::<LowSpace>() && recording.writer.is_some() => {
            recording.finish()?;
            Err(low.context("the disk is nearly full, so the recording ended early"))
        }
        Err(error) => Err(recording.unfinished(error)),
    }
}

/// Starts the source. The source ends when the returned sender is dropped.
fn start_source(
    args: &RecordArgs,
    events: mpsc::Sender<SourceEvent>,
) -> anyhow::Result<watch::Sender<MachineSettings>> {
    let interval_ms = args.interval;
    let (keep, settings) = watch::channel(MachineSettings {
        socket: args.places.socket.clone(),
        use_collector: !args.no_bpf,
        scope: args.scope.scope()?,
        interval_ms,
        exec_cues: args.exec_cues,
    });
    if args.demo {
        tokio::spawn(async move { khor_source::demo(DemoSettings { seed: 1, interval_ms }, &events).await });
    } else {
        tokio::spawn(async move { khor_source::machine(settings, &events, &Arc::default()).await });
    }
    Ok(keep)
}

/// Receives events until the source ends, `stopped` completes, or the time `end` is reached. `take`
/// handles each event, and may return a later end. The loop polls the same `stopped` future for
/// all events, because a new future would miss a Ctrl-C that arrives together with an event.
async fn take_until(
    events: &mut mpsc::Receiver<SourceEvent>,
    stopped: impl Future<Output = std::io::Result<()>>,
    end: Instant,
    mut take: impl FnMut(SourceEvent) -> anyhow::Result<Option<Instant>>,
) -> anyhow::Result<()> {
    let (mut stopped, mut ended) = (pin!(stopped), pin!(sleep_until(end)));
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    if let Some(later) = take(event)? {
                        ended.as_mut().reset(later);
                    }
                }
                None => return Ok(()),
            },
            stopped = &mut stopped => return Ok(stopped?),
            () = &mut ended => return Ok(()),
        }
    }
}

/// A recording in progress. Its writer is created when a source first answers.
struct CaptureRecording<'a> {
    args: &'a RecordArgs,
    writer: Option<CaptureWriter>,
    frames: u64,
    cues: u64,
    lost: u64,
}

impl CaptureRecording<'_> {
    fn take(&mut self, event: SourceEvent) -> anyhow::Result<()> {
        let path = &self.args.output;
        let writing = || format!("cannot write {}", path.display());
        match (event, &mut self.writer) {
            (SourceEvent::Up(up), None) => {
                info!("recording from {}", up.detail);
                let writer =
                    CaptureWriter::create(path, &Origin::of(&up), self.args.redact).with_context(writing)?;
                self.writer = Some(writer);
            }
            (SourceEvent::Up(up), Some(writer)) => {
                info!("now recording from {}", up.detail);
                writer.source_changed(&Origin::of(&up)).with_context(writing)?;
            }
            (SourceEvent::Lanes(catalogue), Some(writer)) => {
                writer.lanes(&catalogue).with_context(writing)?;
            }
            (SourceEvent::Frame(frame), Some(writer)) => {
                self.frames += 1;
                writer.push(&frame).with_context(writing)?;
            }
            (SourceEvent::Cue(cue), Some(writer)) => {
                self.cues += 1;
                writer.cue(&cue).with_context(writing)?;
            }
            (SourceEvent::Lost { cues }, Some(writer)) => {
                self.lost += cues;
                writer.lost(cues).with_context(writing)?;
            }
            (SourceEvent::Down(shortfall), Some(writer)) => {
                warn!("{}", shortfall.error);
                writer.flush().with_context(writing)?;
            }
            (SourceEvent::Down(shortfall), None) => warn!("{}", shortfall.error),
            (
                SourceEvent::Lanes(_)
                | SourceEvent::Frame(_)
                | SourceEvent::Cue(_)
                | SourceEvent::Lost { .. },
                None,
            )
            | (SourceEvent::Described(_), _) => {}
        }
        Ok(())
    }

    fn progress(&self) -> String {
        let bytes = self.writer.as_ref().map_or(0, CaptureWriter::bytes);
        let (samples, cues) = (counted(self.frames, "sample"), counted(self.cues, "cue"));
        format!(", {samples}, {cues}, {} KiB", bytes / 1024)
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let path = self.args.output.display();
        let writer = self.writer.as_mut().context("nothing was recorded, because no source answered")?;
        match writer.finish().with_context(|| format!("cannot write {path}")) {
            Ok(bytes) => {
                let (samples, cues) = (counted(self.frames, "sample"), counted(self.cues, "cue"));
                print_line(format_args!("{path}: {samples}, {cues} ({} lost), {bytes} bytes", self.lost))
            }
            Err(error) => Err(self.unfinished(error)),
        }
    }

    /// Adds the path of the incomplete recording to the error that ended the recording.
    fn unfinished(&self, error: anyhow::Error) -> anyhow::Error {
        let (output, written) = (&self.args.output, self.writer.as_ref().map(CaptureWriter::path));
        match written.filter(|written| *written != output) {
            Some(written) => {
                let (output, written) = (output.display(), written.display());
                error.context(format!("{output} is unchanged; the partial recording is in {written}"))
            }
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{Counter, Frame};
    use nix::sys::signal::{Signal, raise};

    use super::*;

    #[test]
    fn signals_arrive_despite_many_events() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for _ in 0..20 {
                let (sender, mut events) = mpsc::channel(16);
                let sending = tokio::spawn(async move {
                    let frame = Frame::new(0, [None; Counter::ALL.len()]);
                    while sender.send(SourceEvent::Frame(frame.clone())).await.is_ok() {}
                });
                let mut taken = 0;
                let end = Instant::now() + khor_patience::hang_timeout();
                // The first poll installs the signal handler. Without the handler, the signal would
                // end the test process.
                let mut stopped = Box::pin(interrupt::wait());
                assert!(futures_util::poll!(&mut stopped).is_pending());
                let take = |_| {
                    taken += 1;
                    if taken == 100 {
                        raise(Signal::SIGTERM)?;
                    }
                    Ok(None)
                };
                take_until(&mut events, stopped, end, take).await.unwrap();
                assert!(Instant::now() < end, "the signal did not arrive");
                sending.abort();
            }
        });
    }
}
