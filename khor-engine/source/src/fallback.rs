//! Reads `/proc` while the collector is unavailable.

use std::time::Duration;

use khor_proto::Scope;
use khor_signal::Frame;
use tokio::time::{Instant, Interval, sleep_until};
use tracing::{error, info, warn};

use super::{
    ScopeChoice, Shortfall, SourceEvent, SourceInfo, SourceKind,
    procfs::ProcSource,
    scope::scope_label,
    ticks::{SEARCH_INTERVAL_MS, ticks},
};

/// How long the collector may be unavailable before khor reads `/proc`. This is longer than a
/// restart of the collector.
const GRACE_PERIOD: Duration = Duration::from_millis(1500);
/// Time between two readings of `/proc`, milliseconds. A reading takes a few hundred µs, so khor
/// does not read more often.
const PROC_INTERVAL_MS: u16 = 100;

/// Reads `/proc` while the collector is unavailable. `/proc` counts only the whole machine, so a
/// scope has no fallback.
pub(super) struct Fallback {
    proc: ProcSource,
    state: FallbackState,
    why: Shortfall,
    /// The name of the requested scope; `None` for the whole machine.
    scoped: Option<String>,
}

enum FallbackState {
    /// The collector is available, so khor does not read `/proc`.
    Off,
    /// The collector is unavailable. khor waits for the collector until this time, and then begins
    /// to read `/proc`.
    Due(Instant),
    /// `/proc` is read.
    On(Interval),
    /// No counter can be read, and khor has reported this. It tries again every second.
    Unreadable(Interval),
    /// khor has reported that it cannot count the scope, and why it cannot.
    ScopeLost,
}

impl Fallback {
    pub(super) fn new(use_collector: bool, choice: &ScopeChoice) -> Self {
        let why = if use_collector {
            Shortfall {
                error: "the collector has not answered yet".into(),
                fix: "start khor-collector".into(),
            }
        } else {
            Shortfall {
                error: "the collector is switched off".into(),
                fix: "set features.bpf to true, or start without --no-bpf".into(),
            }
        };
        let grace_period = if use_collector { GRACE_PERIOD } else { Duration::ZERO };
        let scoped = (!choice.is_machine()).then(|| scope_label(&choice.as_written()));
        Self {
            proc: ProcSource::new("/proc"),
            state: FallbackState::Due(Instant::now() + grace_period),
            why,
            scoped,
        }
    }

    pub(super) fn stop(&mut self) {
        self.state = FallbackState::Off;
    }

    /// Stores why the collector is unavailable. Returns an event if the source was lost, or if khor
    /// reads `/proc` for another reason than before.
    pub(super) fn collector_lost(&mut self, shortfall: &Shortfall) -> Option<SourceEvent> {
        let has_new_reason = self.why != *shortfall;
        self.why.clone_from(shortfall);
        if self.scoped.is_some() {
            let is_news = has_new_reason || !matches!(self.state, FallbackState::ScopeLost);
            return is_news.then(|| self.report_lost_scope());
        }
        match self.state {
            FallbackState::Off => {
                warn!(
                    "lost the connection to the collector: {}; khor reads /proc if the collector does not return",
                    shortfall.error
                );
                self.state = FallbackState::Due(Instant::now() + GRACE_PERIOD);
                Some(SourceEvent::Down(shortfall.clone()))
            }
            FallbackState::On(_) if has_new_reason => {
                info!("still reading /proc: {}", shortfall.error);
                Some(SourceEvent::Described(self.info()))
            }
            FallbackState::On(_)
            | FallbackState::Due(_)
            | FallbackState::Unreadable(_)
            | FallbackState::ScopeLost => None,
        }
    }

    /// Reports the scope as lost, because `/proc` counts only the whole machine.
    fn report_lost_scope(&mut self) -> SourceEvent {
        let scope = self.scoped.as_deref().unwrap_or_default();
        let error = format!("khor cannot count {scope}: {}", self.why.error);
        warn!("{error}; /proc counts only the whole machine");
        self.state = FallbackState::ScopeLost;
        SourceEvent::Down(Shortfall { error, fix: self.why.fix.clone() })
    }

    /// Waits for the next event of `/proc`. While `/proc` is not read, the future stays pending. If
    /// the future is dropped, no event is lost.
    pub(super) async fn next(&mut self) -> SourceEvent {
        loop {
            match &mut self.state {
                FallbackState::Off | FallbackState::ScopeLost => std::future::pending().await,
                FallbackState::Due(at) => {
                    sleep_until(*at).await;
                    if self.scoped.is_some() {
                        return self.report_lost_scope();
                    }
                    return self.begin();
                }
                FallbackState::On(ticks) => {
                    ticks.tick().await;
                    match self.proc.frame() {
                        Ok(frame) if has_no_counter(&frame) => return self.unreadable(),
                        Ok(frame) => return SourceEvent::Frame(frame),
                        Err(error) => warn!("cannot read /proc: {error}; trying again"),
                    }
                }
                FallbackState::Unreadable(ticks) => {
                    ticks.tick().await;
                    if self.proc.frame().is_ok_and(|frame| !has_no_counter(&frame)) {
                        return self.begin();
                    }
                }
            }
        }
    }

    /// Begins to read `/proc` if any counter is readable there.
    fn begin(&mut self) -> SourceEvent {
        if !self.proc.frame().is_ok_and(|frame| !has_no_counter(&frame)) {
            return self.unreadable();
        }
        self.state = FallbackState::On(ticks(PROC_INTERVAL_MS));
        info!("reading /proc instead of the collector: {}", self.why.error);
        SourceEvent::Up(self.info())
    }

    /// Reports that no counter can be read. Without this report, the user would take the silence
    /// for an idle machine.
    fn unreadable(&mut self) -> SourceEvent {
        let error = format!("no counter is available: khor can read none in /proc, and {}", self.why.error);
        let fix = format!(
            "{}; or make stat, net/dev and diskstats in /proc readable: a container or the mount option subset=pid \
             may hide them",
            self.why.fix
        );
        error!("{error}; {fix}");
        self.state = FallbackState::Unreadable(ticks(SEARCH_INTERVAL_MS));
        SourceEvent::Down(Shortfall { error, fix })
    }

    fn info(&mut self) -> SourceInfo {
        SourceInfo {
            kind: SourceKind::Proc,
            detail: "/proc, read ten times a second".into(),
            shortfall: Some(self.why.clone()),
            limit: None,
            machine: self.proc.machine(),
            scope: Scope::Machine,
            interval_ms: PROC_INTERVAL_MS,
            availability: self.proc.availability(),
        }
    }
}

/// Whether a frame contains no counter at all.
fn has_no_counter(frame: &Frame) -> bool {
    frame.counters.iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unreadable_proc_is_a_lost_source() {
        let dir = tempfile::tempdir().unwrap();
        let mut fallback = Fallback::new(false, &ScopeChoice::default());
        fallback.proc = ProcSource::new(dir.path());
        let SourceEvent::Down(why) = fallback.next().await else { panic!("not Down") };
        assert!(why.error.contains("no counter is available") && why.fix.contains("subset=pid"), "{why:?}");
        std::fs::write(dir.path().join("stat"), "ctxt 5\nprocesses 7\n").unwrap();
        let SourceEvent::Up(up) = fallback.next().await else { panic!("not Up") };
        assert_eq!(up.kind, SourceKind::Proc);
        assert!(matches!(fallback.next().await, SourceEvent::Frame(_)));
        std::fs::remove_file(dir.path().join("stat")).unwrap();
        assert!(matches!(fallback.next().await, SourceEvent::Down(_)), "the source is lost again");
    }
}
