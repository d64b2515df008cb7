//! Keeps one source running: the collector where it answers, `/proc` while it doesn't, the demo or a capture when asked.

use std::{path::PathBuf, sync::Arc, time::Duration};

use khor_proto::Scope;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};
use tracing::{info, warn};

use super::{
    DemoSource, Playback, ScopeChoice, Shortfall, SourceEvent, SourceInfo, SourceKind,
    collector::{CollectorSource, Wish},
    complete::Completed,
    playback::{Played, play},
    procfs::ProcSource,
    scope::whose,
    site::{SiteSettings, listen},
};
use crate::{OwnTraffic, signal::Frame};

/// How long the collector may be away before `/proc` takes over: longer than its restart takes.
const GRACE: Duration = Duration::from_millis(1500);
/// `/proc` costs a few hundred µs a reading; ten a second are enough for it.
const PROC_INTERVAL_MS: u16 = 100;
/// Time between two looks for a unit that isn't where it was.
const LOOK_INTERVAL_MS: u16 = 1000;

/// What a live source needs to know, and what may change while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSettings {
    /// The collector's socket.
    pub socket: PathBuf,
    /// Listen to the collector at all.
    pub use_collector: bool,
    /// Play this capture instead of this machine.
    pub capture: Option<Playback>,
    /// Hear the hosts of a site instead of this machine.
    pub site: Option<SiteSettings>,
    /// Play the demo instead of this machine.
    pub demo: bool,
    /// Whose activity is heard.
    pub scope: ScopeChoice,
    /// Milliseconds between the collector's samples, 5..=5000.
    pub interval_ms: u16,
    /// Hear also of every program that starts, as a cue.
    pub exec_cues: bool,
    /// Seed of the demo.
    pub seed: u64,
}

/// Runs until nobody listens to `events` any more, or a capture is over. When the channel is full
/// the source waits: counters are cumulative, so nothing is lost but time resolution. Subtracts the
/// traffic in `own` from this machine's counters.
pub async fn run(
    mut settings: watch::Receiver<LiveSettings>,
    events: mpsc::Sender<SourceEvent>,
    own: Arc<OwnTraffic>,
) {
    loop {
        let now = settings.borrow_and_update().clone();
        let ended = if let Some(playback) = &now.capture {
            match play(playback, &mut settings, &events).await {
                Ok(Played::Over) => return,
                Ok(Played::Replaced) => Ok(()),
                Err(ended) => Err(ended),
            }
        } else if let Some(site) = &now.site {
            listen(site, &mut settings, &events).await
        } else if now.demo {
            demo(&now, &mut settings, &events).await
        } else {
            machine(&now, &mut settings, &events, &own).await
        };
        if ended.is_err() {
            return;
        }
    }
}

/// Nobody listens any more.
pub(super) struct Ended;

pub(super) async fn send(events: &mpsc::Sender<SourceEvent>, event: SourceEvent) -> Result<(), Ended> {
    events.send(event).await.map_err(|_| Ended)
}

/// Returns when the settings ask for something else.
async fn demo(
    now: &LiveSettings,
    settings: &mut watch::Receiver<LiveSettings>,
    events: &mpsc::Sender<SourceEvent>,
) -> Result<(), Ended> {
    let mut demo = DemoSource::new(now.seed);
    let up = SourceInfo {
        kind: SourceKind::Demo,
        detail: "synthetic demo, not this machine".into(),
        shortfall: None,
        limit: None,
        machine: None,
        scope: Scope::Machine,
        interval_ms: now.interval_ms,
        availability: DemoSource::availability(),
    };
    send(events, SourceEvent::Up(up)).await?;
    let mut ticks = ticks(now.interval_ms);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let frame = demo.advance(u64::from(now.interval_ms) * 1_000_000);
                for cue in demo.cues() {
                    send(events, SourceEvent::Cue(cue.clone())).await?;
                }
                send(events, SourceEvent::Frame(frame)).await?;
            }
            changed = settings.changed() => return changed.map_err(|_| Ended),
        }
    }
}

/// This machine: collector and `/proc`. Returns when the settings ask for something else, or a unit is somewhere else
/// than before.
async fn machine(
    now: &LiveSettings,
    settings: &mut watch::Receiver<LiveSettings>,
    events: &mpsc::Sender<SourceEvent>,
    own: &Arc<OwnTraffic>,
) -> Result<(), Ended> {
    let scope = resolve(&now.scope).await;
    let wish = Wish { interval_ms: now.interval_ms, exec_cues: now.exec_cues, scope };
    let mut collector = now.use_collector.then(|| CollectorSource::new(&now.socket, wish));
    let mut fallback = Fallback::new(now.use_collector, &now.scope);
    let mut completed = Completed::new(own);
    let mut looks = ticks(LOOK_INTERVAL_MS);
    loop {
        let awaited = collector.as_ref().filter(|it| now.scope.names_a_unit() && it.hears_nobody());
        let awaited = awaited.map(|collector| collector.scope().clone());
        tokio::select! {
            event = from(&mut collector) => match event {
                SourceEvent::Up(up) => {
                    info!("listening to the {}, {}", up.detail, whose(&up.scope));
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
            _ = looks.tick(), if awaited.is_some() => {
                if awaited != Some(resolve(&now.scope).await) {
                    return Ok(());
                }
            }
            changed = settings.changed() => {
                changed.map_err(|_| Ended)?;
                let wanted = settings.borrow_and_update().clone();
                let same = LiveSettings { interval_ms: wanted.interval_ms, seed: wanted.seed, ..now.clone() };
                if wanted != same {
                    return Ok(());
                }
                if let Some(collector) = &mut collector {
                    collector.set_interval(wanted.interval_ms);
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

/// What that stands for now; looks into the file system.
async fn resolve(choice: &ScopeChoice) -> Scope {
    let (choice, as_written) = (choice.clone(), choice.as_written());
    // It can only panic, and that is logged.
    tokio::task::spawn_blocking(move || choice.resolve()).await.unwrap_or(as_written)
}

async fn from(collector: &mut Option<CollectorSource>) -> SourceEvent {
    match collector {
        Some(collector) => collector.next().await,
        None => std::future::pending().await,
    }
}

fn ticks(interval_ms: u16) -> Interval {
    let mut ticks = interval(Duration::from_millis(u64::from(interval_ms)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// `/proc`, when its turn comes. It knows the whole machine only: of a scope it has nothing to say.
struct Fallback {
    proc: ProcSource,
    state: FallbackState,
    why: Shortfall,
    /// Whose activity is wanted, if it is not the whole machine's.
    scoped: Option<String>,
}

enum FallbackState {
    Off,
    Due(Instant),
    On(Interval),
    /// No counter can be read, which was reported. Another attempt follows every second.
    Unreadable(Interval),
    /// It was said why nothing is heard.
    Withheld,
}

impl Fallback {
    fn new(use_collector: bool, choice: &ScopeChoice) -> Self {
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
        let grace = if use_collector { GRACE } else { Duration::ZERO };
        let scoped = (!choice.is_machine()).then(|| whose(&choice.as_written()));
        Self {
            proc: ProcSource::new("/proc"),
            state: FallbackState::Due(Instant::now() + grace),
            why,
            scoped,
        }
    }

    fn stop(&mut self) {
        self.state = FallbackState::Off;
    }

    /// Notes why the collector is away, and answers what is news about that: that it is lost, or why `/proc` is
    /// still read.
    fn collector_lost(&mut self, shortfall: &Shortfall) -> Option<SourceEvent> {
        let reworded = self.why != *shortfall;
        self.why.clone_from(shortfall);
        if self.scoped.is_some() {
            let is_news = reworded || !matches!(self.state, FallbackState::Withheld);
            return is_news.then(|| self.withhold());
        }
        match self.state {
            FallbackState::Off => {
                warn!("the collector was lost: {}; /proc takes over if it stays away", shortfall.error);
                self.state = FallbackState::Due(Instant::now() + GRACE);
                Some(SourceEvent::Down(shortfall.clone()))
            }
            FallbackState::On(_) if reworded => {
                info!("still reading /proc: {}", shortfall.error);
                Some(SourceEvent::Described(self.info()))
            }
            FallbackState::On(_)
            | FallbackState::Due(_)
            | FallbackState::Unreadable(_)
            | FallbackState::Withheld => None,
        }
    }

    /// Nothing is heard rather than somebody else.
    fn withhold(&mut self) -> SourceEvent {
        let whose = self.scoped.as_deref().unwrap_or_default();
        let error = format!("nothing is heard of {whose}: {}", self.why.error);
        warn!("{error}; only the collector can tell it apart");
        self.state = FallbackState::Withheld;
        SourceEvent::Down(Shortfall { error, fix: self.why.fix.clone() })
    }

    /// The next event of `/proc`, if it is its turn; else waits. May be dropped and called again.
    async fn next(&mut self) -> SourceEvent {
        loop {
            match &mut self.state {
                FallbackState::Off | FallbackState::Withheld => std::future::pending().await,
                FallbackState::Due(at) => {
                    sleep_until(*at).await;
                    if self.scoped.is_some() {
                        return self.withhold();
                    }
                    return self.begin();
                }
                FallbackState::On(ticks) => {
                    ticks.tick().await;
                    match self.proc.frame() {
                        Ok(frame) if has_no_counter(&frame) => return self.unreadable(),
                        Ok(frame) => return SourceEvent::Frame(frame),
                        Err(error) => warn!("reading /proc: {error}; trying again"),
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

    /// Starts to read `/proc`, if it has any counter.
    fn begin(&mut self) -> SourceEvent {
        if !self.proc.frame().is_ok_and(|frame| !has_no_counter(&frame)) {
            return self.unreadable();
        }
        self.state = FallbackState::On(ticks(PROC_INTERVAL_MS));
        info!("reading /proc: {}", self.why.error);
        SourceEvent::Up(self.info())
    }

    /// Reports that no counter can be read. Silence would sound like a calm machine.
    fn unreadable(&mut self) -> SourceEvent {
        let error = format!("no counter is known: /proc has none that khor can read, and {}", self.why.error);
        let fix = format!(
            "{}; or let khor read /proc (stat, net/dev, diskstats), which a container or the mount option subset=pid \
             may hide",
            self.why.fix
        );
        warn!("{error}; {fix}");
        self.state = FallbackState::Unreadable(ticks(LOOK_INTERVAL_MS));
        SourceEvent::Down(Shortfall { error, fix })
    }

    fn info(&mut self) -> SourceInfo {
        SourceInfo {
            kind: SourceKind::Proc,
            detail: "/proc, ten times a second".into(),
            shortfall: Some(self.why.clone()),
            limit: None,
            machine: self.proc.machine(),
            scope: Scope::Machine,
            interval_ms: PROC_INTERVAL_MS,
            availability: self.proc.availability(),
        }
    }
}

/// Whether a frame has no counter.
fn has_no_counter(frame: &Frame) -> bool {
    frame.counters.iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(socket: PathBuf) -> LiveSettings {
        LiveSettings {
            socket,
            use_collector: true,
            capture: None,
            site: None,
            demo: false,
            scope: ScopeChoice::default(),
            interval_ms: 20,
            exec_cues: false,
            seed: 1,
        }
    }

    async fn next_up(events: &mut mpsc::Receiver<SourceEvent>) -> SourceInfo {
        loop {
            if let SourceEvent::Up(up) = events.recv().await.unwrap() {
                return up;
            }
        }
    }

    #[tokio::test]
    async fn without_a_collector_proc_takes_over_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let (_settings, watch) = watch::channel(settings(dir.path().join("none.sock")));
        let (sender, mut events) = mpsc::channel(4);
        tokio::spawn(run(watch, sender, Arc::default()));
        let up = next_up(&mut events).await;
        assert_eq!(up.kind, SourceKind::Proc);
        let why = up.shortfall.unwrap();
        assert!(why.error.contains("none.sock") && why.fix.contains("khor-collector"), "{why:?}");
        assert!(matches!(events.recv().await, Some(SourceEvent::Frame(_))));
    }

    #[tokio::test]
    async fn a_proc_without_counters_is_a_lost_source_until_it_has_some() {
        let dir = tempfile::tempdir().unwrap();
        let mut fallback = Fallback::new(false, &ScopeChoice::default());
        fallback.proc = ProcSource::new(dir.path());
        let SourceEvent::Down(why) = fallback.next().await else { panic!("not Down") };
        assert!(why.error.contains("no counter is known") && why.fix.contains("subset=pid"), "{why:?}");
        std::fs::write(dir.path().join("stat"), "ctxt 5\nprocesses 7\n").unwrap();
        let SourceEvent::Up(up) = fallback.next().await else { panic!("not Up") };
        assert_eq!(up.kind, SourceKind::Proc);
        assert!(matches!(fallback.next().await, SourceEvent::Frame(_)));
        std::fs::remove_file(dir.path().join("stat")).unwrap();
        assert!(matches!(fallback.next().await, SourceEvent::Down(_)), "it is lost again");
    }

    #[tokio::test]
    async fn the_demo_starts_and_stops_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let real = settings(dir.path().join("none.sock"));
        let (sender, watch) = watch::channel(LiveSettings { demo: true, ..real.clone() });
        let (events_in, mut events) = mpsc::channel(4);
        tokio::spawn(run(watch, events_in, Arc::default()));
        assert_eq!(next_up(&mut events).await.kind, SourceKind::Demo);
        sender.send(real).unwrap();
        assert_eq!(next_up(&mut events).await.kind, SourceKind::Proc);
    }

    #[tokio::test]
    async fn of_a_scope_nothing_is_heard_rather_than_the_whole_machine() {
        let dir = tempfile::tempdir().unwrap();
        let scope = ScopeChoice { cgroup: "x.service".into(), ..ScopeChoice::default() };
        let (sender, watch) =
            watch::channel(LiveSettings { scope, ..settings(dir.path().join("none.sock")) });
        let (events_in, mut events) = mpsc::channel(4);
        tokio::spawn(run(watch, events_in, Arc::default()));
        let Some(SourceEvent::Down(why)) = events.recv().await else { panic!("not Down") };
        assert!(why.error.contains("x.service") && why.error.contains("none.sock"), "{why:?}");
        sender.send(settings(dir.path().join("none.sock"))).unwrap();
        assert_eq!(next_up(&mut events).await.kind, SourceKind::Proc);
    }
}
