//! Renders clips. A machine first learns its baseline while it is idle, without sound. Then a load
//! begins.

use anyhow::Result;

use super::{
    SimulatedMachine,
    loads::{IDLE, Load, Part, Shape},
};
use crate::adapter::{Counter, OfflinePlayer, Options, Render, SignalId};

/// Length of the judged part of a clip, seconds.
pub const LENGTH_S: f64 = 15.0;
/// Time from the start of the load to the judged part, seconds. It gives slow layers time to follow
/// the load.
pub const LEAD_IN_S: f64 = 6.0;
/// Length of a ramp, seconds.
pub const RAMP_S: f64 = 60.0;
/// Length of one window of a ramp, seconds.
pub const WINDOW_S: f64 = 4.0;
/// Time for which a machine learns its baseline, seconds. During this time, it sends ten frames per
/// second.
pub const LEARNING_S: f64 = 720.0;
const LEARNING_STEP_NS: u64 = 100_000_000;
/// Time between two frames while sound is rendered, ns.
pub const STEP_NS: u64 = 20_000_000;
const STEP_S: f64 = STEP_NS as f64 * 1e-9;

/// The parameters with which a clip is rendered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadClip<U> {
    /// The load that the machine runs.
    pub what: U,
    /// Size of the machine, 1 to 8. It multiplies the machine's background rates.
    pub size: f64,
    /// Intensity of the load. It multiplies the load's rates.
    pub intensity: f64,
    /// Seed of both the machine and the music.
    pub seed: u64,
}

/// Creates a player that has learned the baseline of the idle machine.
pub fn player_with_baseline(
    preset: &str,
    options: Options,
    machine: &mut SimulatedMachine,
) -> Result<OfflinePlayer> {
    let mut player = OfflinePlayer::new(preset, options)?;
    while machine.seconds() < LEARNING_S {
        player.learn(machine.advance(LEARNING_STEP_NS, &[], 0.0));
    }
    Ok(player)
}

/// Renders a clip. The result begins [`LEAD_IN_S`] seconds after the load starts.
pub fn perform<U: Load>(preset: &str, clip: LoadClip<U>) -> Result<Render> {
    let mut machine = SimulatedMachine::new(clip.size, clip.seed);
    let mut player = player_with_baseline(preset, Options { seed: clip.seed, density: None }, &mut machine)?;
    for _ in 0..((LEAD_IN_S + LENGTH_S) / STEP_S).round() as usize {
        player.play(machine.advance(STEP_NS, clip.what.parts(), clip.intensity));
    }
    Ok(player.into_render(LEAD_IN_S))
}

/// A render in which one signal rises to its maximum.
pub struct Ramp {
    /// Sound and notes of the complete ramp.
    pub heard: Render,
    /// How much the signal's counters grew in each window of the ramp.
    pub grew: Vec<f64>,
}

/// Renders a ramp: one signal rises exponentially from about its idle rate to its maximum. The
/// machine is otherwise idle.
pub fn ramp(preset: &str, signal: SignalId, seed: u64) -> Result<Ramp> {
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player = player_with_baseline(preset, Options { seed, density: None }, &mut machine)?;
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
    Ok(Ramp { heard: player.into_render(LEAD_IN_S), grew })
}

/// The rates of a signal's counters at the position `along` of the ramp, from 0 (start) to 1 (end).
/// A ramp of disk latency includes requests, because there is no latency without requests. A ramp
/// of switches or interrupts includes some received data, because these signals are only audible
/// together with work.
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

/// The highest rate of a signal: the growth of its counter per second, in the counter's unit. The
/// values are the ceilings of design.md §3.
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
