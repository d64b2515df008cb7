//! What the music hears in the levels: total work, pressure, and how far each family stands out.

use crate::signal::{Family, Levels, PerSignal, SIGNALS, SignalId};

use super::quantise::Quantiser;

/// Levels below this are an idle machine's own murmur and count as nothing.
const MURMUR: f32 = 0.12;
/// How much of the remaining silence one signal at full level takes away.
const WEIGHT: f32 = 0.75;
/// Signals that count as work. Context switches and interrupts are left out everywhere here:
/// they sit near 0.6 on an idle machine and barely move under load (ear.md, measured faults 1 and 2).
const WORK: [SignalId; 9] = {
    use SignalId::{Cpu, Exec, Fork, Io, Mem, Retx, Rx, Stall, Tx};
    [Exec, Fork, Rx, Tx, Retx, Io, Stall, Mem, Cpu]
};
/// Signals that darken the bed.
const PRESSURE: [SignalId; 3] = [SignalId::Mem, SignalId::Stall, SignalId::Cpu];
/// Steps of total work.
pub(super) const WORK_STEPS: u8 = 16;
/// Steps of pressure.
pub(super) const PRESSURE_STEPS: u8 = 4;
/// Steps of a family's standing.
pub(super) const FAMILY_STEPS: u8 = 8;
/// All families, in the order of every per-family array.
pub(super) const FAMILIES: [Family; 5] =
    [Family::Process, Family::Network, Family::Disk, Family::Memory, Family::Kernel];

/// Two continuous summaries of the levels, each 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Features {
    /// Total work; rises with every signal of `WORK`, 0 on an idle machine.
    pub(super) work: f32,
    /// Slow pressure on memory, disk and CPU.
    pub(super) pressure: f32,
}

impl Features {
    /// Straight from the levels, without smoothing.
    pub(super) fn of(levels: &Levels) -> Self {
        Self::of_smoothed(&levels.map(present))
    }

    fn of_smoothed(levels: &PerSignal<f32>) -> Self {
        let beyond = |ids: &[SignalId]| {
            1.0 - ids.iter().map(|id| 1.0 - WEIGHT * above_murmur(levels[id.index()])).product::<f32>()
        };
        Self { work: beyond(&WORK), pressure: beyond(&PRESSURE) }
    }
}

/// A level as the music uses it: absent and not-a-number are silence.
fn present(level: Option<f32>) -> f32 {
    level.filter(|l| l.is_finite()).map_or(0.0, |l| l.clamp(0.0, 1.0))
}

fn above_murmur(level: f32) -> f32 {
    ((level - MURMUR) / (1.0 - MURMUR)).max(0.0)
}

/// Moves `value` towards `target` with time constant `tau_s` over `elapsed_s`.
pub(super) fn approach(value: &mut f32, target: f32, tau_s: f32, elapsed_s: f32) {
    *value += (target - *value) * (1.0 - (-elapsed_s / tau_s.max(1e-3)).exp());
}

/// Smoothed and quantised view of the levels; advanced once per step.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    smoothed: PerSignal<f32>,
    pressure: f32,
    work_q: Quantiser,
    pressure_q: Quantiser,
    family_q: [Quantiser; 5],
}

impl Reading {
    pub(super) fn new() -> Self {
        Self {
            smoothed: [0.0; SignalId::COUNT],
            pressure: 0.0,
            work_q: Quantiser::new(WORK_STEPS),
            pressure_q: Quantiser::new(PRESSURE_STEPS),
            family_q: [const { Quantiser::new(FAMILY_STEPS) }; 5],
        }
    }

    /// Takes the levels of one step of `elapsed_s`. `smoothing` 0..=1 scales all time constants.
    pub(super) fn update(&mut self, levels: &Levels, smoothing: f32, elapsed_s: f32) {
        let (attack_s, release_s) = (0.02 + 0.4 * smoothing, 0.2 + 2.0 * smoothing);
        for (smoothed, &level) in self.smoothed.iter_mut().zip(levels) {
            let target = present(level);
            let tau_s = if target > *smoothed { attack_s } else { release_s };
            approach(smoothed, target, tau_s, elapsed_s);
        }
        let features = Features::of_smoothed(&self.smoothed);
        approach(&mut self.pressure, features.pressure, 2.0 + 6.0 * smoothing, elapsed_s);
        self.work_q.update(features.work);
        self.pressure_q.update(self.pressure);
        for (i, &family) in FAMILIES.iter().enumerate() {
            let level = self.smoothed[self.leader(family).index()];
            self.family_q[i].update(above_murmur(level));
        }
    }

    /// Total work, 0..=`WORK_STEPS`.
    pub(super) fn work(&self) -> u8 {
        self.work_q.get()
    }

    /// Pressure, 0..=`PRESSURE_STEPS`.
    pub(super) fn pressure(&self) -> u8 {
        self.pressure_q.get()
    }

    /// How far a family (by position in `FAMILIES`) stands out, 0..=`FAMILY_STEPS`.
    pub(super) fn family(&self, index: usize) -> u8 {
        self.family_q[index].get()
    }

    /// The family's highest work signal; ties go to the first in catalogue order.
    pub(super) fn leader(&self, family: Family) -> SignalId {
        let mut members = WORK.into_iter().filter(|id| id.info().family == family);
        let first = members.next().unwrap_or(SIGNALS[0].id);
        // A challenger must be clearly higher, so that two equal levels do not trade places on noise.
        members.fold(first, |best, id| {
            if self.smoothed[id.index()] > self.smoothed[best.index()] + 0.031_4 { id } else { best }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(set: &[(SignalId, f32)]) -> Levels {
        let mut levels = [Some(0.05); SignalId::COUNT];
        for &(id, level) in set {
            levels[id.index()] = Some(level);
        }
        levels
    }

    #[test]
    fn switches_and_interrupts_are_no_work() {
        let idle = Features::of(&levels(&[(SignalId::Csw, 0.94), (SignalId::Irq, 0.9)]));
        assert_eq!(idle, Features::default());
    }

    #[test]
    fn work_rises_with_each_of_its_signals() {
        for id in WORK {
            let mut last = 0.0;
            for i in 2..=10 {
                let work = Features::of(&levels(&[(id, i as f32 / 10.0)])).work;
                assert!(work > last, "{id:?}");
                last = work;
            }
        }
    }

    #[test]
    fn absent_and_nan_are_silence() {
        assert_eq!(Features::of(&[None; SignalId::COUNT]), Features::default());
        assert_eq!(Features::of(&[Some(f32::NAN); SignalId::COUNT]), Features::default());
    }
}
