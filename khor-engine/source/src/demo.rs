//! The synthetic demo: simulates a machine that repeats eight loads. khor plays the demo only on
//! request, and marks it as synthetic everywhere.
//!
//! Each round of eight loads contains two cues. In the load "memory pressure", the kernel kills a
//! process. In the load "lossy network", TCP retransmits many segments for two seconds. The rates
//! are invented, but their ratios to each other are those of real machines.

use khor_proto::{Availability, Cue, CueKind, Scope};
use khor_signal::{Counter, Frame, PerCounter};
use tokio::sync::mpsc;

use super::{SourceEnded, SourceEvent, SourceInfo, SourceKind, send, ticks::ticks};

/// Length of each load, seconds.
pub const SCENARIO_S: u64 = 15;
/// Time constant of the transition from one load to the next, seconds.
const TRANSITION_TAU_S: f64 = 0.7;
/// Maximum relative noise of each rate.
const NOISE: f64 = 0.15;

/// The name of a load, and the rates that the load adds to the rates of the idle machine. A rate is
/// the increase of a counter per second, in the counter's unit.
type Load = (&'static str, &'static [(Counter, f64)]);

/// The counters for the traffic of all network devices. Each of them is the sum of two other
/// counters: edge traffic and local traffic.
const ALL_DEVICES: [(Counter, Counter, Counter); 4] = [
    (Counter::RxBytes, Counter::EdgeRxBytes, Counter::LocalBytes),
    (Counter::RxPackets, Counter::EdgeRxPackets, Counter::LocalPackets),
    (Counter::TxBytes, Counter::EdgeTxBytes, Counter::LocalBytes),
    (Counter::TxPackets, Counter::EdgeTxPackets, Counter::LocalPackets),
];

/// The rates of an idle desktop. Counters that are not listed do not change.
const IDLE: &[(Counter, f64)] = &[
    (Counter::Execs, 0.3),
    (Counter::Forks, 0.6),
    (Counter::EdgeRxBytes, 2e3),
    (Counter::EdgeRxPackets, 8.0),
    (Counter::EdgeTxBytes, 1.5e3),
    (Counter::EdgeTxPackets, 8.0),
    (Counter::LocalBytes, 500.0),
    (Counter::LocalPackets, 4.0),
    (Counter::Switches, 900.0),
    (Counter::WriteBytes, 20e3),
    (Counter::WriteRequests, 2.0),
    (Counter::Irqs, 150.0),
    (Counter::Softirqs, 300.0),
    (Counter::Faults, 150.0),
    (Counter::TimedRequests, 2.0),
    (Counter::LatencyNs, 2e6),
];

const LOADS: [Load; 8] = [
    ("idle", &[]),
    (
        "download",
        &[
            (Counter::EdgeRxBytes, 24e6),
            (Counter::EdgeRxPackets, 4e3),
            (Counter::EdgeTxBytes, 300e3),
            (Counter::EdgeTxPackets, 2e3),
            (Counter::Switches, 9e3),
            (Counter::Irqs, 6e3),
            (Counter::WriteBytes, 4e6),
            (Counter::WriteRequests, 40.0),
            (Counter::Softirqs, 10e3),
            (Counter::Faults, 400.0),
            (Counter::TimedRequests, 40.0),
            (Counter::LatencyNs, 80e6),
        ],
    ),
    (
        "upload",
        &[
            (Counter::EdgeTxBytes, 12e6),
            (Counter::EdgeTxPackets, 3e3),
            (Counter::EdgeRxBytes, 200e3),
            (Counter::EdgeRxPackets, 1.5e3),
            (Counter::Switches, 6e3),
            (Counter::Irqs, 4e3),
            (Counter::ReadBytes, 3e6),
            (Counter::ReadRequests, 30.0),
            (Counter::Softirqs, 7e3),
            (Counter::Faults, 300.0),
            (Counter::TimedRequests, 30.0),
            (Counter::LatencyNs, 30e6),
        ],
    ),
    (
        "disk",
        &[
            (Counter::WriteBytes, 70e6),
            (Counter::WriteRequests, 600.0),
            (Counter::ReadBytes, 5e6),
            (Counter::ReadRequests, 100.0),
            (Counter::IoStallUs, 350e3),
            (Counter::Switches, 5e3),
            (Counter::Irqs, 2e3),
            (Counter::Softirqs, 2.5e3),
            (Counter::Faults, 300.0),
            (Counter::TimedRequests, 700.0),
            (Counter::LatencyNs, 5.6e9),
        ],
    ),
    (
        "compile",
        &[
            (Counter::Execs, 60.0),
            (Counter::Forks, 140.0),
            (Counter::CpuStallUs, 550e3),
            (Counter::ReadBytes, 2e6),
            (Counter::ReadRequests, 60.0),
            (Counter::WriteBytes, 8e6),
            (Counter::WriteRequests, 90.0),
            (Counter::Switches, 12e3),
            (Counter::Irqs, 1e3),
            (Counter::Softirqs, 3e3),
            (Counter::Faults, 50e3),
            (Counter::MajorFaults, 5.0),
            (Counter::TimedRequests, 150.0),
            (Counter::LatencyNs, 300e6),
        ],
    ),
    (
        "memory pressure",
        &[
            (Counter::MemStallUs, 600e3),
            (Counter::IoStallUs, 400e3),
            (Counter::ReadBytes, 30e6),
            (Counter::ReadRequests, 900.0),
            (Counter::WriteBytes, 25e6),
            (Counter::WriteRequests, 300.0),
            (Counter::Switches, 7e3),
            (Counter::Irqs, 2.5e3),
            (Counter::Softirqs, 3e3),
            (Counter::Faults, 12e3),
            (Counter::MajorFaults, 700.0),
            (Counter::TimedRequests, 1200.0),
            (Counter::LatencyNs, 7.2e9),
        ],
    ),
    (
        "lossy network",
        &[
            (Counter::EdgeRxBytes, 800e3),
            (Counter::EdgeRxPackets, 600.0),
            (Counter::EdgeTxBytes, 700e3),
            (Counter::EdgeTxPackets, 600.0),
            (Counter::Retransmits, 18.0),
            (Counter::Switches, 2e3),
            (Counter::Irqs, 1e3),
            (Counter::Softirqs, 2.5e3),
            (Counter::Faults, 150.0),
        ],
    ),
    (
        "exec and interrupt storm",
        &[
            (Counter::Execs, 220.0),
            (Counter::Forks, 450.0),
            (Counter::CpuStallUs, 300e3),
            (Counter::Switches, 60e3),
            (Counter::Irqs, 50e3),
            (Counter::Softirqs, 8e3),
            (Counter::Faults, 40e3),
        ],
    ),
];

/// A cue that occurs in each round: its load, its time after the beginning of the load, and its
/// content.
struct DemoCue {
    load: &'static str,
    after_s: u64,
    kind: CueKind,
    comm: Option<&'static str>,
    detail: Option<u32>,
}

const DEMO_CUES: [DemoCue; 2] = [
    DemoCue {
        load: "memory pressure",
        after_s: 11,
        kind: CueKind::Oom,
        comm: Some("demo-hog"),
        detail: None,
    },
    DemoCue {
        load: "lossy network",
        after_s: BURST_S.1,
        kind: CueKind::RetransmitBurst,
        comm: None,
        detail: Some(40),
    },
];

/// Beginning and end of the burst of retransmits, seconds after the load "lossy network" began.
const BURST_S: (u64, u64) = (5, 7);
/// Number of retransmits that the burst adds, segments/s. The total exceeds 32 segments/s, the rate
/// that causes a cue.
const BURST_PER_S: f64 = 30.0;
/// Process id in the demo's cue about a process that the kernel kills for lack of memory.
const DEMO_PID: u32 = 4242;
const NS_PER_S: u64 = 1_000_000_000;
/// Length of one round through all loads, nanoseconds.
const ROUND_NS: u64 = LOADS.len() as u64 * SCENARIO_S * NS_PER_S;

impl DemoCue {
    /// The time at which the cue first occurs, nanoseconds since the demo began.
    fn first_ns(&self) -> u64 {
        let turn = LOADS.iter().position(|(name, _)| *name == self.load).unwrap_or_default() as u64;
        (turn * SCENARIO_S + self.after_s) * NS_PER_S
    }

    /// Returns the cue if it occurs after `from_ns`, and at `to_ns` or before.
    fn within(&self, from_ns: u64, to_ns: u64) -> Option<Cue> {
        let rounds = to_ns.checked_sub(self.first_ns())? / ROUND_NS;
        let t_ns = self.first_ns() + rounds * ROUND_NS;
        (t_ns > from_ns).then(|| Cue {
            kind: self.kind,
            t_ns,
            pid: self.comm.map(|_| DEMO_PID),
            comm: self.comm.map(str::to_owned),
            cgroup_id: None,
            detail: self.detail,
        })
    }
}

/// Generates the counters of a synthetic machine. The same seed always gives the same frames.
#[derive(Clone, Debug)]
pub struct DemoSource {
    random: fastrand::Rng,
    t_ns: u64,
    rates: PerCounter<f64>,
    counts: PerCounter<f64>,
    cues: Vec<Cue>,
}

impl DemoSource {
    /// A demo that starts at time zero with the load "idle".
    pub fn new(seed: u64) -> Self {
        let mut demo = Self {
            random: fastrand::Rng::with_seed(seed),
            t_ns: 0,
            rates: [0.0; Counter::ALL.len()],
            counts: [0.0; Counter::ALL.len()],
            cues: Vec::new(),
        };
        demo.rates = demo.target_rates();
        demo
    }

    /// Name of the load that the demo is simulating.
    pub fn scenario(&self) -> &'static str {
        self.load().0
    }

    /// Advances the time by `step_ns`, and returns the frame at the new time.
    pub fn advance(&mut self, step_ns: u64) -> Frame {
        let before_ns = self.t_ns;
        self.t_ns += step_ns;
        self.cues.clear();
        self.cues.extend(DEMO_CUES.iter().filter_map(|demo_cue| demo_cue.within(before_ns, self.t_ns)));
        let dt_s = step_ns as f64 * 1e-9;
        let weight = 1.0 - (-dt_s / TRANSITION_TAU_S).exp();
        let target = self.target_rates();
        for (i, target) in target.into_iter().enumerate() {
            self.rates[i] += (target - self.rates[i]) * weight;
            let noise = 1.0 + NOISE * (2.0 * self.random.f64() - 1.0);
            self.counts[i] += self.rates[i] * noise * dt_s;
        }
        let mut counters = self.counts.map(|count| Some(count as u64));
        for (all, edge, local) in ALL_DEVICES {
            let count = self.counts[edge.index()] + self.counts[local.index()];
            counters[all.index()] = Some(count as u64);
        }
        Frame::new(self.t_ns, counters)
    }

    /// The cues that occurred during the last step.
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// The availability of the counters. All of them are available.
    pub fn availability() -> PerCounter<Availability> {
        Counter::ALL.map(|_| Availability::Available)
    }

    fn load(&self) -> Load {
        let turn = self.t_ns / (SCENARIO_S * NS_PER_S);
        LOADS[turn as usize % LOADS.len()]
    }

    fn is_bursting(&self) -> bool {
        let into_load_ns = self.t_ns % (SCENARIO_S * NS_PER_S);
        (BURST_S.0 * NS_PER_S..BURST_S.1 * NS_PER_S).contains(&into_load_ns)
    }

    fn target_rates(&self) -> PerCounter<f64> {
        let mut rates = [0.0; Counter::ALL.len()];
        for (counter, rate) in IDLE.iter().chain(self.load().1) {
            rates[counter.index()] += rate;
        }
        if self.scenario() == "lossy network" && self.is_bursting() {
            rates[Counter::Retransmits.index()] += BURST_PER_S;
        }
        rates
    }
}

/// Settings of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoSettings {
    /// Seed of the noise.
    pub seed: u64,
    /// Time between frames, milliseconds.
    pub interval_ms: u16,
}

/// Sends the demo's events until the receiver is dropped.
pub async fn demo<E: From<SourceEvent>>(settings: DemoSettings, events: &mpsc::Sender<E>) -> SourceEnded {
    let DemoSettings { seed, interval_ms } = settings;
    let up = SourceInfo {
        kind: SourceKind::Demo,
        detail: "synthetic demo, not this machine".into(),
        shortfall: None,
        limit: None,
        machine: None,
        scope: Scope::Machine,
        interval_ms,
        availability: DemoSource::availability(),
    };
    let (mut demo, mut ticks) = (DemoSource::new(seed), ticks(interval_ms));
    let mut next = vec![SourceEvent::Up(up)];
    loop {
        for event in next.drain(..) {
            if let Err(ended) = send(events, event).await {
                return ended;
            }
        }
        ticks.tick().await;
        let frame = demo.advance(u64::from(interval_ms) * 1_000_000);
        next.extend(demo.cues().iter().cloned().map(SourceEvent::Cue));
        next.push(SourceEvent::Frame(frame));
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{Pipeline, Scaling, SignalId};

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_machine() {
        let run = |seed| {
            let mut demo = DemoSource::new(seed);
            (0..2000).map(|_| demo.advance(20_000_000)).last().unwrap()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn cue_times_do_not_depend_on_the_interval() {
        for step_ns in [20_000_000, 333_333_333, 5_000_000_000] {
            let mut demo = DemoSource::new(1);
            let mut cues = Vec::new();
            while demo.t_ns < 2 * ROUND_NS {
                demo.advance(step_ns);
                cues.extend_from_slice(demo.cues());
            }
            let found: Vec<_> = cues.iter().map(|cue| (cue.kind, cue.t_ns / NS_PER_S)).collect();
            let (oom, burst) = (CueKind::Oom, CueKind::RetransmitBurst);
            assert_eq!(found, [(oom, 86), (burst, 97), (oom, 206), (burst, 217)], "{step_ns}");
        }
    }

    #[test]
    fn the_burst_reaches_the_cue_threshold() {
        let mut demo = DemoSource::new(1);
        let mut at_s = |until_s: u64| {
            let mut frame = None;
            while demo.t_ns < until_s * NS_PER_S {
                frame = Some(demo.advance(20_000_000));
            }
            frame.unwrap().counters[Counter::Retransmits.index()].unwrap()
        };
        let (before, after) = (at_s(96), at_s(97));
        assert!(after - before >= 32, "{before} then {after}");
    }

    #[test]
    fn every_counter_grows_except_the_listed() {
        const STILL: [Counter; 2] = [Counter::IoErrors, Counter::MissedEvents];
        let mut demo = DemoSource::new(1);
        let mut frame = demo.advance(20_000_000);
        while demo.t_ns < ROUND_NS {
            frame = demo.advance(20_000_000);
        }
        for counter in Counter::ALL {
            let moves = frame.counters[counter.index()] > Some(0);
            assert_eq!(moves, !STILL.contains(&counter), "{counter}: add rates, or list it in STILL");
        }
    }

    #[test]
    fn a_download_raises_rx_above_idle() {
        let mut demo = DemoSource::new(1);
        let mut pipeline = Pipeline::new(Scaling::default());
        let mut rx_at = |until_s: u64| {
            let mut level = None;
            while demo.t_ns < until_s * 1_000_000_000 {
                level = pipeline.push(demo.advance(20_000_000)).and_then(|r| r.levels()[SignalId::Rx]);
            }
            level.unwrap()
        };
        let (idle, download) = (rx_at(SCENARIO_S - 1), rx_at(2 * SCENARIO_S - 1));
        assert!(download > idle + 0.3, "{idle} then {download}");
    }
}
