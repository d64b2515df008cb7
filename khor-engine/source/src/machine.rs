//! The source of this machine: the collector, or `/proc` while the collector is unavailable.

use std::{path::PathBuf, sync::Arc};

use khor_own_traffic::OwnTraffic;
use khor_proto::Scope;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::{
    ScopeChoice, Shortfall, SourceEnded, SourceEvent, SourceInfo,
    collector::CollectorSource,
    complete::Completed,
    fallback::Fallback,
    request::CollectorRequest,
    scope::scope_label,
    send,
    ticks::{SEARCH_INTERVAL_MS, ticks},
};

/// The settings for this machine's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineSettings {
    /// The collector's socket.
    pub socket: PathBuf,
    /// Whether to use the collector. Otherwise khor reads `/proc`.
    pub use_collector: bool,
    /// The scope whose events are counted.
    pub scope: ScopeChoice,
    /// Time between the collector's samples, milliseconds, 5..=5000.
    pub interval_ms: u16,
    /// Whether to request a cue for each program that starts.
    pub exec_cues: bool,
}

/// Sends this machine's events, and subtracts the traffic in `own` from the counters. Ends when the
/// receiver of the events or the sender of the settings is dropped. While the channel is full,
/// waits. Waiting loses only time resolution, because counters are cumulative.
pub async fn machine<E: From<SourceEvent>>(
    mut settings: watch::Receiver<MachineSettings>,
    events: &mpsc::Sender<E>,
    own: &Arc<OwnTraffic>,
) -> SourceEnded {
    loop {
        let current = settings.borrow_and_update().clone();
        if let Err(ended) = run(&current, &mut settings, events, own).await {
            return ended;
        }
    }
}

/// Sends events until the source must be restarted, because the settings have changed or a unit has
/// moved to another cgroup.
async fn run<E: From<SourceEvent>>(
    now: &MachineSettings,
    settings: &mut watch::Receiver<MachineSettings>,
    events: &mpsc::Sender<E>,
    own: &Arc<OwnTraffic>,
) -> Result<(), SourceEnded> {
    let scope = resolve(&now.scope).await;
    let request = CollectorRequest { interval_ms: now.interval_ms, exec_cues: now.exec_cues, scope };
    let mut collector = now.use_collector.then(|| CollectorSource::new(&now.socket, request));
    let mut fallback = Fallback::new(now.use_collector, &now.scope);
    let mut completed = Completed::new(own);
    let mut searches = ticks(SEARCH_INTERVAL_MS);
    loop {
        let awaited = collector.as_ref().filter(|it| now.scope.names_a_unit() && it.is_scope_empty());
        let awaited = awaited.map(|collector| collector.scope().clone());
        tokio::select! {
            event = from(&mut collector) => match event {
                SourceEvent::Up(up) => {
                    info!("subscribed to the {}; scope: {}", up.detail, scope_label(&up.scope));
                    log_limit(&up);
                    fallback.stop();
                    send(events, completed.complete(SourceEvent::Up(up))).await?;
                }
                SourceEvent::Down(shortfall) => {
                    if let Some(news) = fallback.collector_lost(&shortfall) {
                        send(events, news).await?;
                    }
                }
                event => {
                    if let SourceEvent::Described(info) = &event {
                        log_limit(info);
                    }
                    send(events, completed.complete(event)).await?;
                }
            },
            event = fallback.next() => send(events, completed.complete(event)).await?,
            _ = searches.tick(), if awaited.is_some() => {
                if awaited != Some(resolve(&now.scope).await) {
                    return Ok(());
                }
            }
            changed = settings.changed() => {
                changed.map_err(|_| SourceEnded)?;
                let new = settings.borrow_and_update().clone();
                let with_new_interval = MachineSettings { interval_ms: new.interval_ms, ..now.clone() };
                if new != with_new_interval {
                    return Ok(());
                }
                if let Some(collector) = &mut collector {
                    collector.set_interval(new.interval_ms);
                }
            }
        }
    }
}

fn log_limit(info: &SourceInfo) {
    if let Some(Shortfall { error, fix }) = &info.limit {
        warn!("{error}; {fix}");
    }
}

/// Returns the scope to count, with the current cgroups of the chosen unit. Reads the file system.
async fn resolve(choice: &ScopeChoice) -> Scope {
    let (choice, as_written) = (choice.clone(), choice.as_written());
    // The task fails only if it panics, and panics are logged.
    tokio::task::spawn_blocking(move || choice.resolve()).await.unwrap_or(as_written)
}

async fn from(collector: &mut Option<CollectorSource>) -> SourceEvent {
    match collector {
        Some(collector) => collector.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceKind;

    fn settings(socket: PathBuf) -> MachineSettings {
        MachineSettings {
            socket,
            use_collector: true,
            scope: ScopeChoice::default(),
            interval_ms: 20,
            exec_cues: false,
        }
    }

    /// Starts the source in a task.
    fn start(settings: MachineSettings) -> (watch::Sender<MachineSettings>, mpsc::Receiver<SourceEvent>) {
        let (sender, receiver) = watch::channel(settings);
        let (events, received) = mpsc::channel(4);
        tokio::spawn(async move { machine(receiver, &events, &Arc::default()).await });
        (sender, received)
    }

    async fn next_up(events: &mut mpsc::Receiver<SourceEvent>) -> SourceInfo {
        loop {
            if let SourceEvent::Up(up) = events.recv().await.unwrap() {
                return up;
            }
        }
    }

    #[tokio::test]
    async fn missing_collector_falls_back_to_proc() {
        let dir = tempfile::tempdir().unwrap();
        let (_settings, mut events) = start(settings(dir.path().join("none.sock")));
        let up = next_up(&mut events).await;
        assert_eq!(up.kind, SourceKind::Proc);
        let why = up.shortfall.unwrap();
        assert!(why.error.contains("none.sock") && why.fix.contains("khor-collector"), "{why:?}");
        assert!(matches!(events.recv().await, Some(SourceEvent::Frame(_))));
    }

    #[tokio::test]
    async fn scope_never_falls_back_to_machine() {
        let dir = tempfile::tempdir().unwrap();
        let scope = ScopeChoice { cgroup: "x.service".into(), ..ScopeChoice::default() };
        let (sender, mut events) = start(MachineSettings { scope, ..settings(dir.path().join("none.sock")) });
        let Some(SourceEvent::Down(why)) = events.recv().await else { panic!("not Down") };
        assert!(why.error.contains("x.service") && why.error.contains("none.sock"), "{why:?}");
        sender.send(settings(dir.path().join("none.sock"))).unwrap();
        assert_eq!(next_up(&mut events).await.kind, SourceKind::Proc);
    }
}
