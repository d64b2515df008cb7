//! A clip: a machine is idle for a long time, without sound. Then its load begins, and the clip
//! with it.

use anyhow::Result;

use super::{
    SimulatedMachine,
    loads::{IDLE, Load, Part, Shape},
};
use crate::adapter::{Counter, OfflinePlayer, Options, Render, SignalId};

/// Length of what is judged, seconds.
pub const LENGTH_S: f64 = 15.0;
/// The load lasts this long before that, so that slow layers may have followed, seconds.
pub const LEAD_IN_S: f64 = 6.0;
/// Length of a ramp, seconds.
pub const RAMP_S: f64 = 60.0;
/// Windows of a ramp, seconds.
pub const WINDOW_S: f64 = 4.0;
/// A machine is learnt from this long, seconds, at ten frames a second.
pub const LEARNING_S: f64 = 720.0;
const LEARNING_STEP_NS: u64 = 100_000_000;
/// Time between frames while there is sound, ns.
pub const STEP_NS: u64 = 20_000_000;
const STEP_S: f64 = STEP_NS as f64 * 1e-9;

/// What a clip is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadClip<U> {
    /// What the machine does.
    pub what: U,
    /// Background of the machine, 1 ..= 8.
    pub size: f64,
    /// Factor of the load's rates.
    pub intensity: f64,
    /// Of machine and music.
    pub seed: u64,
}

/// Plays a machine that has been idle for long: it is known what is usual for it.
pub fn learnt(preset: &str, options: Options, machine: &mut SimulatedMachine) -> Result<OfflinePlayer> {
    let mut player = OfflinePlayer::new(preset, options)?;
    while machine.seconds() < LEARNING_S {
        player.learn(machine.advance(LEARNING_STEP_NS, &[], 0.0));
    }
    Ok(player)
}

/// Renders a clip; what is returned begins after the lead-in.
pub fn perform<U: Load>(preset: &str, clip: LoadClip<U>) -> Result<Render> {
    let mut machine = SimulatedMachine::new(clip.size, clip.seed);
    let mut player = learnt(preset, Options { seed: clip.seed, density: None }, &mut machine)?;
    for _ in 0..((LEAD_IN_S + LENGTH_S) / STEP_S).round() as usize {
        player.play(machine.advance(STEP_NS, clip.what.parts(), clip.intensity));
    }
    Ok(player.heard(LEAD_IN_S))
}

/// The sound while one signal rises from its usual rate to its maximum.
pub struct Ramp {
    /// Sound and notes of all of it.
    pub heard: Render,
    /// What the signal's counters grew by in each window of [`WINDOW_S`].
    pub grew: Vec<f64>,
}

/// One signal rises in even ratios from about the idle rate to its maximum, on an otherwise idle
/// machine.
pub fn ramp(preset: &str, signal: SignalId, seed: u64) -> Result<Ramp> {
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player = learnt(preset, Options { seed, density: None }, &mut machine)?;
    let steps = |seconds: f64| (seconds / STEP_S).round() as usize;
    for _ in 0..steps(LEAD_IN_S) {
        player.play(machine.advance(STEP_NS, &[], 0.0));
    }
    let (mut grew, mut before) = (Vec::new(), None);
    for step in 0..steps(RAMP_S) {
        let along = step as f64 / steps(RAMP_S) as f64;
        let frame = machine.advance(STEP_NS, &ramped(signal, along), 1.0);
        let count: u64 = signal.counters().iter().filter_map(|counter| frame.counters[counter.index()]).sum();
        let begun = *before.get_or_insert(count);
        if (step + 1) % steps(WINDOW_S) == 0 {
            grew.push((count - begun) as f64);
            before = Some(count);
        }
        player.play(frame);
    }
    Ok(Ramp { heard: player.heard(LEAD_IN_S), grew })
}

/// Rates of the counters of a signal at `along`, 0..=1. Waiting for a disk needs requests, and
/// switches and interrupts never occur without work, so there is a small, steady amount of received
/// data.
fn ramped(signal: SignalId, along: f64) -> Vec<Part> {
    const REQUESTS_PER_S: f64 = 100.0;
    const TRICKLE_BYTES_PER_S: f64 = 2e6;
    let beside = match signal {
        SignalId::Lat => {
            let (least, most) = (50e6, most(signal));
            let total_ns: f64 = least * f64::powf(most / least, along);
            return vec![
                (Counter::TimedRequests, REQUESTS_PER_S, Shape::Steady),
                (Counter::LatencyNs, total_ns, Shape::Steady),
            ];
        }
        SignalId::Csw | SignalId::Irq => vec![(Counter::EdgeRxBytes, TRICKLE_BYTES_PER_S, Shape::Steady)],
        _ => Vec::new(),
    };
    let counters = signal.counters();
    let part = |&counter: &Counter| {
        let most = most(signal) / counters.len() as f64;
        let idle = IDLE.iter().find(|part| part.0 == counter).map_or(0.0, |part| part.1);
        let least = (0.5 * idle).max(most / 1000.0);
        (counter, least * (most / least).powf(along), Shape::Steady)
    };
    counters.iter().map(part).chain(beside).collect()
}

/// The maximum of a signal: the ceilings of the design (§3), in counts, bytes or µs a second.
fn most(signal: SignalId) -> f64 {
    match signal {
        SignalId::Exec => 250.0,
        SignalId::Fork => 500.0,
        SignalId::Rx | SignalId::Tx | SignalId::Local => 50e6,
        SignalId::Retx => 50.0,
        SignalId::Io => 80e6,
        SignalId::Stall | SignalId::Mem | SignalId::Cpu => 900e3,
        SignalId::Csw => 120e3,
        SignalId::Irq | SignalId::Softirq => 200e3,
        SignalId::Fault => 500e3,
        SignalId::Lat => 50e9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_rises_in_even_ratios() {
        let at = |along| ramped(SignalId::Io, along).iter().map(|part| part.1).sum::<f64>();
        assert!((at(1.0) - 80e6).abs() < 1.0);
        assert!((at(0.75) / at(0.5) - at(0.5) / at(0.25)).abs() < 1e-9);
    }
}
