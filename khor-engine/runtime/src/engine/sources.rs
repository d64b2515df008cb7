//! Runs the source that the configuration selects, and switches to another source when the
//! selection changes.

use std::sync::Arc;

use khor_own_traffic::OwnTraffic;
use khor_site::{FleetEvent, SiteSettings};
use khor_source::{DemoSettings, MachineSettings, Playback, SourceEnded, SourceEvent, demo, machine, play};
use tokio::sync::{mpsc, watch};

/// The selected source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceChoice {
    /// Counts this machine.
    Machine(MachineSettings),
    /// Plays a capture.
    Capture(Playback),
    /// Plays the hosts of a site.
    Site(SiteSettings),
    /// Plays the demo.
    Demo(DemoSettings),
}

/// An event that a source sends to the signal task.
#[derive(Clone, Debug)]
pub(super) enum InputEvent {
    /// An event that every kind of source can send.
    Source(SourceEvent),
    /// An event of a site, such as new readings of its hosts.
    Fleet(FleetEvent),
}

impl From<SourceEvent> for InputEvent {
    fn from(event: SourceEvent) -> Self {
        Self::Source(event)
    }
}

impl From<FleetEvent> for InputEvent {
    fn from(event: FleetEvent) -> Self {
        Self::Fleet(event)
    }
}

/// Runs the selected source. Returns when `events` has no receiver, `choice` has no sender, or a
/// capture ends. Subtracts khor's own traffic, which `own` counts, from this machine's counters.
pub(super) async fn run(
    mut choice: watch::Receiver<SourceChoice>,
    events: mpsc::Sender<InputEvent>,
    own: Arc<OwnTraffic>,
) {
    loop {
        let current = choice.borrow_and_update().clone();
        let ended = match current {
            SourceChoice::Machine(settings) => run_machine(settings, &mut choice, &events, &own).await,
            SourceChoice::Capture(playback) => until_changed(&mut choice, play(&playback, &events)).await,
            SourceChoice::Site(settings) => {
                until_changed(&mut choice, Box::pin(khor_site::subscribe(&settings, &events))).await
            }
            SourceChoice::Demo(settings) => until_changed(&mut choice, demo(settings, &events)).await,
        };
        if ended.is_err() {
            return;
        }
    }
}

/// Runs a source until another source is selected. Returns an error if the source ends on its own.
async fn until_changed<T>(
    choice: &mut watch::Receiver<SourceChoice>,
    source: impl Future<Output = T>,
) -> Result<(), SourceEnded> {
    tokio::select! {
        _ = source => Err(SourceEnded),
        changed = choice.changed() => changed.map_err(|_| SourceEnded),
    }
}

/// Runs the source of this machine until another source is selected. A change of this machine's
/// settings does not restart the source.
async fn run_machine(
    settings: MachineSettings,
    choice: &mut watch::Receiver<SourceChoice>,
    events: &mpsc::Sender<InputEvent>,
    own: &Arc<OwnTraffic>,
) -> Result<(), SourceEnded> {
    let (sender, receiver) = watch::channel(settings);
    let follow = async {
        loop {
            choice.changed().await.map_err(|_| SourceEnded)?;
            match &*choice.borrow_and_update() {
                SourceChoice::Machine(settings) => sender.send_replace(settings.clone()),
                _ => return Ok(()),
            };
        }
    };
    tokio::select! {
        _ = machine(receiver, events, own) => Err(SourceEnded),
        followed = follow => followed,
    }
}

#[cfg(test)]
mod tests {
    use khor_source::{ScopeChoice, SourceKind};

    use super::*;

    fn this_machine() -> SourceChoice {
        SourceChoice::Machine(MachineSettings {
            socket: "/nonexistent/none.sock".into(),
            use_collector: true,
            scope: ScopeChoice::default(),
            interval_ms: 20,
            exec_cues: false,
        })
    }

    async fn next_kind(events: &mut mpsc::Receiver<InputEvent>) -> SourceKind {
        loop {
            if let InputEvent::Source(SourceEvent::Up(info)) = events.recv().await.unwrap() {
                return info.kind;
            }
        }
    }

    #[tokio::test]
    async fn another_choice_replaces_the_source() {
        let demo = SourceChoice::Demo(DemoSettings { seed: 1, interval_ms: 20 });
        let (sender, choice) = watch::channel(demo);
        let (events_in, mut events) = mpsc::channel(4);
        tokio::spawn(run(choice, events_in, Arc::default()));
        assert_eq!(next_kind(&mut events).await, SourceKind::Demo);
        sender.send(this_machine()).unwrap();
        assert_eq!(next_kind(&mut events).await, SourceKind::Proc);
        sender.send(SourceChoice::Demo(DemoSettings { seed: 2, interval_ms: 20 })).unwrap();
        assert_eq!(next_kind(&mut events).await, SourceKind::Demo);
    }

    #[tokio::test]
    async fn sources_end_with_their_engine() {
        let (sender, choice) = watch::channel(this_machine());
        let (events_in, mut events) = mpsc::channel(4);
        tokio::spawn(run(choice, events_in, Arc::default()));
        drop(sender);
        while events.recv().await.is_some() {}
    }
}
