//! Simulates a machine whose cumulative counters grow as irregularly as real ones.

use khor_signal::{Frame, PerCounter};

use super::loads::{IDLE, Part, Shape};
use crate::adapter::Counter;

/// Time constant of the slow random drift of each rate, seconds. The natural logarithm of the
/// drift's factor has the standard deviation `DRIFT`.
const DRIFT_TAU_S: f64 = 3.0;
const DRIFT: f64 = 0.18;
/// If the expected number of a counter's events in a frame exceeds this value, the actual number is
/// drawn from a normal distribution.
const NORMAL_FROM_EVENTS: f64 = 30.0;
/// Upper limit of the simulated pressure, µs of stall per second.
const MAX_STALL_US: f64 = 960e3;

/// Number of groups of counters. The counters of a group vary together.
const GROUPS: usize = 4;

/// The counters that loads change, in the order in which their seeds are drawn.
const DRIVEN: [Counter; 22] = [
    Counter::Execs,
    Counter::Forks,
    Counter::EdgeRxBytes,
    Counter::EdgeRxPackets,
    Counter::EdgeTxBytes,
    Counter::EdgeTxPackets,
    Counter::Switches,
    Counter::ReadBytes,
    Counter::WriteBytes,
    Counter::ReadRequests,
    Counter::WriteRequests,
    Counter::IoErrors,
    Counter::LatencyNs,
    Counter::TimedRequests,
    Counter::Retransmits,
    Counter::Irqs,
    Counter::Softirqs,
    Counter::CpuStallUs,
    Counter::IoStallUs,
    Counter::MemStallUs,
    Counter::Faults,
    Counter::MajorFaults,
];
/// Counters that loads change, and that were added to the simulation later. They draw their seeds
/// last, so that the counters in `DRIVEN` keep their random numbers.
const DRIVEN_LATER: [Counter; 2] = [Counter::LocalBytes, Counter::LocalPackets];
/// Counters that sum the traffic of all network devices. In each entry, the first counter is the
/// sum of the other two: edge traffic and local traffic. Local traffic is counted once, because a
/// simulated local packet passes only one device.
const ALL_DEVICES: [(Counter, Counter, Counter); 4] = [
    (Counter::RxBytes, Counter::EdgeRxBytes, Counter::LocalBytes),
    (Counter::RxPackets, Counter::EdgeRxPackets, Counter::LocalPackets),
    (Counter::TxBytes, Counter::EdgeTxBytes, Counter::LocalBytes),
    (Counter::TxPackets, Counter::EdgeTxPackets, Counter::LocalPackets),
];
/// Checks that `DRIVEN`, `DRIVEN_LATER` and `ALL_DEVICES` contain every counter except
/// [`Counter::MissedEvents`], which stays 0.
const _: () = assert!(DRIVEN.len() + DRIVEN_LATER.len() + ALL_DEVICES.len() + 1 == Counter::ALL.len());

/// A simulated machine. The same size and seed always give the same frames.
#[derive(Clone, Debug)]
pub struct SimulatedMachine {
    t_ns: u64,
    size: f64,
    jitter: Option<fastrand::Rng>,
    lanes: Vec<Lane>,
    background: LoadVariation,
    load: LoadVariation,
}

/// The state of one simulated counter.
#[derive(Clone, Debug)]
struct Lane {
    counter: Counter,
    events: fastrand::Rng,
    noise: fastrand::Rng,
    drift: f64,
    /// Time until the counter's next event, as a multiple of the mean time between two events.
    ahead: f64,
    count: f64,
}

/// How rates vary over time. The background and the load have one variation each, so they vary
/// independently of each other.
#[derive(Clone, Debug)]
struct LoadVariation {
    random: fastrand::Rng,
    /// One set of on-off processes for each unit of size. A machine of size 8 varies like eight
    /// small machines together.
    groups: Vec<[GroupProcesses; GROUPS]>,
    /// The current factor for each group of counters and each shape. A rate is multiplied by the
    /// factor of its counter's group and its shape.
    now: [[f64; 4]; GROUPS],
}

/// The on-off processes of a group of counters.
#[derive(Clone, Copy, Debug, Default)]
struct GroupProcesses {
    gust: OnOffProcess,
    period: OnOffProcess,
    rare: OnOffProcess,
}

#[derive(Clone, Copy, Debug, Default)]
struct OnOffProcess {
    on: bool,
    left_s: f64,
}

impl SimulatedMachine {
    /// Creates a machine at time zero. Size 1 is a desktop. Size 8 has eight times the background
    /// rates of a desktop.
    pub fn new(size: f64, seed: u64) -> Self {
        let mut seeds = fastrand::Rng::with_seed(seed);
        let mut lanes: Vec<Lane> = DRIVEN.iter().map(|counter| Lane::new(*counter, &mut seeds)).collect();
        let parts = size.round().max(1.0) as usize;
        let background = LoadVariation::new(parts, seeds.u64(..));
        let load = LoadVariation::new(1, seeds.u64(..));
        lanes.extend(DRIVEN_LATER.iter().map(|counter| Lane::new(*counter, &mut seeds)));
        Self { t_ns: 0, size, jitter: None, lanes, background, load }
    }

    /// Makes every rate vary by up to one millionth, up or down, in every frame.
    #[must_use]
    pub fn with_jitter(mut self, seed: u64) -> Self {
        self.jitter = Some(fastrand::Rng::with_seed(seed));
        self
    }

    /// Advances the machine by `step_ns` under a load, and returns the next frame.
    pub fn advance(&mut self, step_ns: u64, load: &[Part], intensity: f64) -> Frame {
        self.t_ns += step_ns;
        let dt_s = step_ns as f64 * 1e-9;
        self.background.advance(dt_s);
        self.load.advance(dt_s);
        let rates = self.rates(load, intensity);
        let requests = self.lane(Counter::TimedRequests).count;
        for lane in &mut self.lanes {
            let rate = rates[lane.counter.index()];
            let jitter = self.jitter.as_mut().map_or(0.0, |random| 1e-6 * (2.0 * random.f64() - 1.0));
            lane.advance(rate * (1.0 + jitter), dt_s);
        }
        self.wait_for_requests(&rates, requests);
        let mut counters = [None; Counter::ALL.len()];
        for lane in &self.lanes {
            counters[lane.counter.index()] = Some(lane.count as u64);
        }
        for (all, edge, local) in ALL_DEVICES {
            let count = |counter: Counter| counters[counter.index()].unwrap_or(0);
            counters[all.index()] = Some(count(edge) + count(local));
        }
        counters[Counter::MissedEvents.index()] = Some(0);
        Frame::new(self.t_ns, counters)
    }

    fn lane(&mut self, counter: Counter) -> &mut Lane {
        self.lanes
            .iter_mut()
            .find(|lane| lane.counter == counter)
            .expect("the machine simulates this counter")
    }

    /// Adds the latency of the requests that completed in this step to the counter of total
    /// latency. If no request completed, the counter does not change.
    fn wait_for_requests(&mut self, rates: &PerCounter<f64>, requests_before: f64) {
        let requests = self.lane(Counter::TimedRequests).count - requests_before;
        let mean_ns = rates[Counter::LatencyNs.index()] / rates[Counter::TimedRequests.index()].max(1e-9);
        let latency = self.lane(Counter::LatencyNs);
        let variation = (0.3 * latency.drift).exp();
        latency.count += requests * mean_ns * variation;
    }

    /// Time since the simulated machine started, seconds.
    pub fn seconds(&self) -> f64 {
        self.t_ns as f64 * 1e-9
    }

    fn rates(&self, load: &[Part], intensity: f64) -> PerCounter<f64> {
        let mut rates = [0.0; Counter::ALL.len()];
        for &(counter, per_s, shape) in IDLE {
            let scale = if is_stall(counter) { 1.0 } else { self.size };
            rates[counter.index()] += per_s * scale * self.background.factor(counter, shape);
        }
        for &(counter, per_s, shape) in load {
            rates[counter.index()] += per_s * intensity * self.load.factor(counter, shape);
        }
        rates
    }
}

impl Lane {
    fn new(counter: Counter, seeds: &mut fastrand::Rng) -> Self {
        let events = fastrand::Rng::with_seed(seeds.u64(..));
        let noise = fastrand::Rng::with_seed(seeds.u64(..));
        Self { counter, events, noise, drift: 0.0, ahead: 1.0, count: 0.0 }
    }

    fn advance(&mut self, rate: f64, dt_s: f64) {
        let towards = (dt_s / DRIFT_TAU_S).min(1.0);
        self.drift += (2.0 * towards).sqrt() * normal(&mut self.noise) - towards * self.drift;
        let many = normal(&mut self.noise);
        let mut rate = rate * (DRIFT * self.drift - 0.5 * DRIFT * DRIFT).exp();
        if is_stall(self.counter) {
            rate = rate.min(MAX_STALL_US);
        }
        if self.counter == Counter::LatencyNs {
            return;
        }
        let quantum = quantum(self.counter);
        let expected = rate * dt_s / quantum;
        if expected > NORMAL_FROM_EVENTS {
            self.count += quantum * (expected + expected.sqrt() * many).max(0.0);
            return;
        }
        self.ahead -= expected;
        while self.ahead <= 0.0 {
            self.count += quantum;
            self.ahead -= (1.0 - self.events.f64()).ln();
        }
    }
}

impl LoadVariation {
    fn new(machines: usize, seed: u64) -> Self {
        let groups = vec![[GroupProcesses::default(); GROUPS]; machines];
        Self { random: fastrand::Rng::with_seed(seed), groups, now: [[1.0; 4]; GROUPS] }
    }

    /// Advances all on-off processes by `dt_s` seconds. Their durations and factors are chosen so
    /// that each shape has a mean factor of 1.
    fn advance(&mut self, dt_s: f64) {
        let share = 1.0 / self.groups.len() as f64;
        self.now = [[1.0, 0.0, 0.0, 0.0]; GROUPS];
        for machine in &mut self.groups {
            for (group, now) in machine.iter_mut().zip(&mut self.now) {
                let random = &mut self.random;
                now[Shape::Gusty as usize] += share * group.gust.advance(dt_s, 0.8, 0.5, 1.56, 0.1, random);
                now[Shape::Periodic as usize] +=
                    share * group.period.advance(dt_s, 1.5, 3.5, 3.0, 0.143, random);
                now[Shape::Rare as usize] += share * group.rare.advance(dt_s, 0.4, 7.6, 16.0, 0.21, random);
            }
        }
    }

    fn factor(&self, counter: Counter, shape: Shape) -> f64 {
        self.now[group(counter)][shape as usize]
    }
}

impl OnOffProcess {
    /// Advances the on-off process by `dt_s` seconds, and returns its current factor. On and off
    /// phases last `on_s` and `off_s` seconds on average. Each phase lasts 0.5 to 1.5 times its
    /// average.
    fn advance(
        &mut self,
        dt_s: f64,
        on_s: f64,
        off_s: f64,
        high: f64,
        low: f64,
        random: &mut fastrand::Rng,
    ) -> f64 {
        self.left_s -= dt_s;
        if self.left_s <= 0.0 {
            self.on = !self.on;
            self.left_s = (0.5 + random.f64()) * if self.on { on_s } else { off_s };
        }
        if self.on { high } else { low }
    }
}

/// A random number with an almost normal distribution, mean 0 and standard deviation 1. It is the
/// scaled sum of three uniform numbers.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let bits = random.u64(..);
    let sum = [bits & 0x1f_ffff, (bits >> 21) & 0x1f_ffff, (bits >> 42) & 0x1f_ffff].iter().sum::<u64>();
    2.0 * (sum as f64 / f64::from(1 << 21) - 1.5)
}

fn is_stall(counter: Counter) -> bool {
    matches!(counter, Counter::CpuStallUs | Counter::IoStallUs | Counter::MemStallUs)
}

/// The amount that one event adds to a counter: the bytes of a packet or request, or the µs of a
/// wait.
fn quantum(counter: Counter) -> f64 {
    match counter {
        Counter::EdgeRxBytes | Counter::EdgeTxBytes | Counter::LocalBytes => 420.0,
        Counter::ReadBytes | Counter::WriteBytes => 12_288.0,
        Counter::CpuStallUs | Counter::IoStallUs | Counter::MemStallUs => 400.0,
        Counter::Switches => 2.0,
        _ => 1.0,
    }
}

fn group(counter: Counter) -> usize {
    match counter {
        Counter::Execs | Counter::Forks | Counter::Faults | Counter::MajorFaults => 0,
        Counter::RxBytes
        | Counter::RxPackets
        | Counter::TxBytes
        | Counter::TxPackets
        | Counter::EdgeRxBytes
        | Counter::EdgeRxPackets
        | Counter::EdgeTxBytes
        | Counter::EdgeTxPackets
        | Counter::LocalBytes
        | Counter::LocalPackets
        | Counter::Retransmits => 1,
        Counter::ReadBytes
        | Counter::WriteBytes
        | Counter::ReadRequests
        | Counter::WriteRequests
        | Counter::IoErrors
        | Counter::LatencyNs
        | Counter::TimedRequests
        | Counter::IoStallUs
        | Counter::MemStallUs => 2,
        Counter::Switches
        | Counter::Irqs
        | Counter::Softirqs
        | Counter::CpuStallUs
        | Counter::MissedEvents => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Load, LoadClass};

    fn per_s(machine: &mut SimulatedMachine, load: &[Part], seconds: u64) -> PerCounter<f64> {
        let first = machine.advance(20_000_000, load, 1.0);
        let last = (0..seconds * 50).map(|_| machine.advance(20_000_000, load, 1.0)).last().unwrap();
        std::array::from_fn(|i| {
            (last.counters[i].unwrap() - first.counters[i].unwrap()) as f64 / seconds as f64
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_machine() {
        let run = |seed| per_s(&mut SimulatedMachine::new(2.0, seed), LoadClass::Compile.parts(), 20);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn rates_match_the_load_table() {
        let mut machine = SimulatedMachine::new(1.0, 7);
        let rates = per_s(&mut machine, LoadClass::Memory.parts(), 600);
        for &(counter, expected, _) in LoadClass::Memory.parts() {
            let idle = IDLE.iter().find(|part| part.0 == counter).map_or(0.0, |part| part.1);
            let ratio = rates[counter.index()] / (expected + idle);
            assert!((0.75..1.25).contains(&ratio), "{counter:?}: {ratio}");
        }
    }

    #[test]
    fn size_scales_background_but_not_pressure() {
        let small = per_s(&mut SimulatedMachine::new(1.0, 3), &[], 900);
        let big = per_s(&mut SimulatedMachine::new(8.0, 3), &[], 900);
        let ratio = |counter: Counter| big[counter.index()] / small[counter.index()];
        for counter in [Counter::Switches, Counter::Irqs, Counter::Execs, Counter::RxBytes] {
            assert!((5.5..11.0).contains(&ratio(counter)), "{counter:?}: {}", ratio(counter));
        }
        assert!((0.7..1.4).contains(&ratio(Counter::CpuStallUs)));
    }

    #[test]
    fn only_requests_add_latency() {
        let (mut machine, mut last) = (SimulatedMachine::new(1.0, 4), [0; 2]);
        for _ in 0..3000 {
            let counters = machine.advance(20_000_000, LoadClass::Disk.parts(), 1.0).counters;
            let now = [Counter::TimedRequests, Counter::LatencyNs].map(|c| counters[c.index()].unwrap());
            assert_eq!(now[0] > last[0], now[1] > last[1]);
            last = now;
        }
        let mean_ms = last[1] as f64 / last[0] as f64 * 1e-6;
        assert!((5.0..12.0).contains(&mean_ms), "{mean_ms}");
    }

    #[test]
    fn jitter_is_at_most_a_millionth() {
        let run = |mut machine: SimulatedMachine| per_s(&mut machine, LoadClass::Disk.parts(), 20);
        let (plain, disturbed) =
            (run(SimulatedMachine::new(1.0, 5)), run(SimulatedMachine::new(1.0, 5).with_jitter(1)));
        assert_ne!(plain, disturbed);
        for (a, b) in plain.iter().zip(disturbed) {
            assert!((a - b).abs() <= 1e-5 * a + 1.0, "{a} {b}");
        }
    }
}
