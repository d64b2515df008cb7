//! `org.khor.Engine1`: state and actions of the engine, for scripts and desktop tools.

use std::{collections::BTreeMap, sync::Arc};

use khor_api::Health;
use khor_proto::inert;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{MissedTickBehavior, interval},
};
use zbus::{
    fdo, interface,
    object_server::{InterfaceRef, SignalEmitter},
};

use super::{
    session_bus::{POLL_INTERVAL, POLLS_PER_SLOW_UPDATE, replace_if_changed, session},
    steer,
};
use crate::engine::Engine;

pub(super) const NAME: &str = "org.khor.Engine";
const PATH: &str = "/org/khor/Engine";

/// Level, deviation and surprise of one lane.
type Lane = (f64, f64, f64);

/// The object that khor publishes on the session bus.
struct Engine1 {
    engine: Arc<Engine>,
}

#[expect(clippy::unused_self, reason = "zbus needs a method for each property, even for a constant one")]
#[interface(name = "org.khor.Engine1")]
impl Engine1 {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Whether the sound device is silent because of a mute, a snooze or quiet hours.
    #[zbus(property)]
    fn muted(&self) -> bool {
        self.engine.controls().muted
    }

    /// When the snooze ends, in milliseconds since 1970; 0 if there is no snooze.
    #[zbus(property)]
    fn snoozed_until(&self) -> u64 {
        self.engine.controls().snoozed_until_ts_ms.unwrap_or(0)
    }

    /// When the current quiet hours end, in milliseconds since 1970; 0 outside quiet hours, and
    /// after the user has unmuted during quiet hours.
    #[zbus(property)]
    fn quiet_until(&self) -> u64 {
        self.engine.controls().quiet_until_ts_ms.unwrap_or(0)
    }

    #[zbus(property)]
    fn preset(&self) -> String {
        self.engine.controls().preset
    }

    /// The names of all presets.
    #[zbus(property)]
    fn presets(&self) -> Vec<String> {
        presets(&self.engine)
    }

    /// One sentence about what the machine is doing.
    #[zbus(property)]
    fn summary(&self) -> String {
        self.engine.explain().sentence
    }

    /// Level, deviation and surprise of each available lane. The key is the name of the lane.
    #[zbus(property)]
    fn signals(&self) -> BTreeMap<String, Lane> {
        lanes(&self.engine)
    }

    /// The missing lanes. The key is the name of the lane, and the value is the reason why the lane
    /// is missing.
    #[zbus(property)]
    fn absent_signals(&self) -> BTreeMap<String, String> {
        absent(&self.engine)
    }

    fn mute(&self) {
        self.engine.set_muted(true);
    }

    fn unmute(&self) {
        self.engine.set_muted(false);
    }

    /// Mutes the sound device for 1 to 1440 minutes; 0 ends the snooze. Returns when the snooze
    /// ends, in milliseconds since 1970, or 0 if there is no snooze.
    fn snooze(&self, minutes: u32) -> fdo::Result<u64> {
        let until = self.engine.snooze(minutes);
        Ok(until.map_err(|problem| fdo::Error::InvalidArgs(problem.to_string()))?.unwrap_or(0))
    }

    async fn select_preset(&self, name: String) -> fdo::Result<()> {
        steer::select_preset(&self.engine, name).await
    }

    /// Ends every sounding note. The music continues.
    fn panic(&self) {
        self.engine.panic();
    }

    /// A cue of this machine: `oom`, `crash`, `blkerr` or `retx`. If the process is unknown, `comm`
    /// is empty and `pid` is 0.
    #[zbus(signal)]
    async fn cue(
        emitter: &SignalEmitter<'_>,
        kind: &str,
        comm: &str,
        pid: u32,
        time_ns: u64,
    ) -> zbus::Result<()>;
}

fn presets(engine: &Engine) -> Vec<String> {
    engine.library().presets().map(|preset| preset.name.clone()).collect()
}

fn lanes(engine: &Engine) -> BTreeMap<String, Lane> {
    // Round to thousandths, so that smaller changes cause no D-Bus signal, which the whole bus
    // receives.
    let rounded = |value: f32| (f64::from(value) * 1e3).round() / 1e3;
    let known = engine.signals().0.into_iter().filter_map(|(name, signal)| {
        let lane = (rounded(signal.level?), rounded(signal.deviation?), rounded(signal.surprise?));
        Some((name, lane))
    });
    known.collect()
}

fn absent(engine: &Engine) -> BTreeMap<String, String> {
    engine.signals().0.into_iter().filter_map(|(name, signal)| Some((name, signal.reason?))).collect()
}

/// Serves `org.khor.Engine1` until the connection to the bus ends.
pub(super) async fn run(engine: &Arc<Engine>, report: impl Fn(Health)) -> zbus::Result<()> {
    let mut cues = engine.cues();
    let mut published = Published::of(engine);
    let served = Engine1 { engine: Arc::clone(engine) };
    let connection = session().serve_at(PATH, served).name(NAME).build().await?;
    report(Health::working());
    let interface = connection.object_server().interface::<_, Engine1>(PATH).await?;
    let mut polls = interval(POLL_INTERVAL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => published.publish_changes(engine, &interface).await?,
            cue = cues.recv() => match cue {
                Ok(cue) => {
                    let comm = inert::line(cue.comm.as_deref().unwrap_or_default());
                    interface.cue(cue.kind.name(), &comm, cue.pid.unwrap_or(0), cue.t_ns).await?;
                }
                Err(RecvError::Lagged(_)) => {} // too many cues arrived to send each
                Err(RecvError::Closed) => return Ok(()),
            },
            () = connection.closed() => return Ok(()),
        }
    }
}

/// The values that were last published on the bus.
struct Published {
    polls: u32,
    muted: bool,
    snoozed_until: Option<u64>,
    quiet_until: Option<u64>,
    preset: String,
    presets: Vec<String>,
    summary: String,
    lanes: BTreeMap<String, Lane>,
    absent: BTreeMap<String, String>,
}

impl Published {
    fn of(engine: &Engine) -> Self {
        let controls = engine.controls();
        Self {
            polls: 0,
            muted: controls.muted,
            snoozed_until: controls.snoozed_until_ts_ms,
            quiet_until: controls.quiet_until_ts_ms,
            preset: controls.preset,
            presets: presets(engine),
            summary: engine.explain().sentence,
            lanes: lanes(engine),
            absent: absent(engine),
        }
    }

    /// Publishes changed values. Mute, snooze and quiet hours are checked at each poll, all other
    /// values once a second.
    async fn publish_changes(
        &mut self,
        engine: &Engine,
        interface: &InterfaceRef<Engine1>,
    ) -> zbus::Result<()> {
        let (emitter, served) = (interface.signal_emitter(), interface.get().await);
        let controls = engine.controls();
        if replace_if_changed(&mut self.muted, controls.muted) {
            served.muted_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.snoozed_until, controls.snoozed_until_ts_ms) {
            served.snoozed_until_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.quiet_until, controls.quiet_until_ts_ms) {
            served.quiet_until_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.preset, controls.preset) {
            served.preset_changed(emitter).await?;
        }
        self.polls += 1;
        if !self.polls.is_multiple_of(POLLS_PER_SLOW_UPDATE) {
            return Ok(());
        }
        if replace_if_changed(&mut self.presets, presets(engine)) {
            served.presets_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.summary, engine.explain().sentence) {
            served.summary_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.lanes, lanes(engine)) {
            served.signals_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.absent, absent(engine)) {
            served.absent_signals_changed(emitter).await?;
        }
        Ok(())
    }
}
