//! The synthetic demo: a machine that goes through eight loads. Only when asked for, labelled everywhere.

use khor_proto::Availability;

use crate::signal::{Counter, Frame, PerCounter};

/// How long each load lasts, seconds.
pub const SCENARIO_S: u64 = 15;
/// Time constant with which one load passes into the next, seconds.
const PASSING_TAU_S: f64 = 0.7;
/// Relative size of the noise on every rate.
const NOISE: f64 = 0.15;

/// What a load adds to the idle machine: rates per second in each counter's own unit.
type Load = (&'static str, &'static [(Counter, f64)]);

/// An idle desktop; counters not named stand still.
const IDLE: &[(Counter, f64)] = &[
    (Counter::Execs, 0.3),
    (Counter::Forks, 0.6),
    (Counter::RxBytes, 2e3),
    (Counter::RxPackets, 8.0),
    (Counter::TxBytes, 1.5e3),
    (Counter::TxPackets, 8.0),
    (Counter::Switches, 900.0),
    (Counter::WriteBytes, 20e3),
    (Counter::WriteRequests, 2.0),
    (Counter::Irqs, 150.0),
];

const LOADS: [Load; 8] = [
    ("idle", &[]),
    (
        "download",
        &[
            (Counter::RxBytes, 24e6),
            (Counter::RxPackets, 4e3),
            (Counter::TxBytes, 300e3),
            (Counter::TxPackets, 2e3),
            (Counter::Switches, 9e3),
            (Counter::Irqs, 6e3),
            (Counter::WriteBytes, 4e6),
            (Counter::WriteRequests, 40.0),
        ],
    ),
    (
        "upload",
        &[
            (Counter::TxBytes, 12e6),
            (Counter::TxPackets, 3e3),
            (Counter::RxBytes, 200e3),
            (Counter::RxPackets, 1.5e3),
            (Counter::Switches, 6e3),
            (Counter::Irqs, 4e3),
            (Counter::ReadBytes, 3e6),
            (Counter::ReadRequests, 30.0),
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
        ],
    ),
    (
        "lossy network",
        &[
            (Counter::RxBytes, 800e3),
            (Counter::RxPackets, 600.0),
            (Counter::TxBytes, 700e3),
            (Counter::TxPackets, 600.0),
            (Counter::Retransmits, 18.0),
            (Counter::Switches, 2e3),
            (Counter::Irqs, 1e3),
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
        ],
    ),
];

/// Counters of a machine that does not exist; the same seed gives the same frames.
#[derive(Clone, Debug)]
pub struct DemoSource {
    random: fastrand::Rng,
    t_ns: u64,
    rates: PerCounter<f64>,
    counts: PerCounter<f64>,
}

impl DemoSource {
    /// A demo that begins idle at time zero.
    pub fn new(seed: u64) -> Self {
        let mut demo = Self {
            random: fastrand::Rng::with_seed(seed),
            t_ns: 0,
            rates: [0.0; Counter::ALL.len()],
            counts: [0.0; Counter::ALL.len()],
        };
        demo.rates = demo.target_rates();
        demo
    }

    /// What the machine is pretending to do now.
    pub fn scenario(&self) -> &'static str {
        self.load().0
    }

    /// The frame `step_ns` later.
    pub fn advance(&mut self, step_ns: u64) -> Frame {
        self.t_ns += step_ns;
        let dt_s = step_ns as f64 * 1e-9;
        let towards = 1.0 - (-dt_s / PASSING_TAU_S).exp();
        let target = self.target_rates();
        for (i, target) in target.into_iter().enumerate() {
            self.rates[i] += (target - self.rates[i]) * towards;
            let noise = 1.0 + NOISE * (2.0 * self.random.f64() - 1.0);
            self.counts[i] += self.rates[i] * noise * dt_s;
        }
        Frame { t_ns: self.t_ns, counters: self.counts.map(|count| Some(count as u64)) }
    }

    /// Everything is available: it is all made up.
    pub fn availability() -> PerCounter<Availability> {
        Counter::ALL.map(|_| Availability::Available)
    }

    fn load(&self) -> Load {
        let turn = self.t_ns / (SCENARIO_S * 1_000_000_000);
        LOADS[turn as usize % LOADS.len()]
    }

    fn target_rates(&self) -> PerCounter<f64> {
        let mut rates = [0.0; Counter::ALL.len()];
        for (counter, rate) in IDLE.iter().chain(self.load().1) {
            rates[counter.index()] += rate;
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Pipeline, Scaling, SignalId};

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
    fn a_download_raises_rx_above_idle() {
        let mut demo = DemoSource::new(1);
        let mut pipeline = Pipeline::new(Scaling::default());
        let mut rx_at = |until_s: u64| {
            let mut level = None;
            while demo.t_ns < until_s * 1_000_000_000 {
                level =
                    pipeline.push(demo.advance(20_000_000)).and_then(|r| r.levels()[SignalId::Rx.index()]);
            }
            level.unwrap()
        };
        let (idle, download) = (rx_at(SCENARIO_S - 1), rx_at(2 * SCENARIO_S - 1));
        assert!(download > idle + 0.3, "{idle} then {download}");
    }
}
