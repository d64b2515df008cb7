//! Combines several machines: what most of them do, what the busiest tenth does, and which ones
//! stand out.
//!
//! Each machine's deviation comes from its own baseline, so machines of any size can be compared.
//! `soloists` chooses the machines that stand out, and `section_slots` assigns sections to slots.

mod section_slots;
mod soloists;

pub use self::{section_slots::SectionSlots, soloists::Soloists};
use super::{Lane, Lanes, PerSignal, Reading, SIGNALS, SignalId};

/// The quantile of machines that determines saturation.
pub const SATURATION_QUANTILE: f64 = 0.9;
/// Lowest level of a signal that counts towards a solo, 0..=1. A lower rate is no trouble.
const MIN_SOLO_LEVEL: f32 = 0.05;

/// Combines the readings of several machines into the reading of a typical machine.
///
/// Work is the median, because that is what most machines do. Signals of waiting (`lat`, `stall`,
/// `mem`, `cpu`) are the 90th percentile, so that trouble of one machine in ten is audible. A
/// signal is missing if no machine has it.
pub fn ensemble<'a>(readings: impl Iterator<Item = &'a Reading> + Clone) -> Option<Reading> {
    let newest = readings.clone().max_by_key(|reading| reading.t_ns)?;
    let share = |i: usize| ensemble_quantile(SIGNALS[i].id);
    let of = |i: usize, value: &dyn Fn(&Reading) -> Option<f64>| {
        quantile(readings.clone().filter_map(value).collect(), share(i))
    };
    let lane = |i: usize| {
        let part = |part: fn(&Lane) -> f32| of(i, &|reading| Some(part(&reading.lanes[i]?).into()));
        Some(Lane {
            level: part(|lane| lane.level)? as f32,
            deviation: part(|lane| lane.deviation)? as f32,
            surprise: part(|lane| lane.surprise)? as f32,
        })
    };
    Some(Reading {
        t_ns: newest.t_ns,
        lanes: std::array::from_fn(lane),
        rates: std::array::from_fn(|i| of(i, &|reading| reading.rates[i])),
        baselines: std::array::from_fn(|i| of(i, &|reading| reading.baselines[i])),
        learnt: quantile(readings.clone().map(|r| r.learnt.into()).collect(), 0.5).unwrap_or(0.0) as f32,
        counter_rates: [None; super::Counter::ALL.len()],
    })
}

/// The busiest tenth of a section. With few machines, this is about the busiest one.
pub fn busiest<'a>(section: impl Iterator<Item = &'a Lanes> + Clone) -> Lanes {
    std::array::from_fn(|i| {
        let part = |part: fn(&Lane) -> f32| {
            let values = section.clone().filter_map(|lanes| Some(part(&lanes[i]?).into()));
            Some(quantile(values.collect(), SATURATION_QUANTILE)? as f32)
        };
        Some(Lane {
            level: part(|lane| lane.level)?,
            deviation: part(|lane| lane.deviation)?,
            surprise: part(|lane| lane.surprise)?,
        })
    })
}

/// For each signal, the lane of the machine that has more of it.
pub fn louder(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|i| match (a[i], b[i]) {
        (Some(a), Some(b)) => Some(if b.level > a.level { b } else { a }),
        (a, b) => a.or(b),
    })
}

/// Saturation (`lat`, `stall`, `mem`, `cpu`) of the most saturated section, all other signals
/// unchanged.
pub fn most_saturated<'a>(of_all: &Lanes, sections: impl Iterator<Item = &'a Lanes>) -> Lanes {
    let most = sections.fold(*of_all, |most, section| louder(&most, section));
    std::array::from_fn(|i| if is_saturation(SIGNALS[i].id) { most[i] } else { of_all[i] })
}

/// The quantile of machines that determines a signal.
pub const fn ensemble_quantile(signal: SignalId) -> f64 {
    if is_saturation(signal) { SATURATION_QUANTILE } else { 0.5 }
}

const fn is_saturation(signal: SignalId) -> bool {
    matches!(signal, SignalId::Lat | SignalId::Stall | SignalId::Mem | SignalId::Cpu)
}

/// The value with that `share` of the others below it, interpolated between two values.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (_, below, further) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let above = further.iter().copied().min_by(f64::total_cmp).unwrap_or(*below);
    Some(*below + (above - *below) * place.fract())
}

/// The signal of the largest deviation, and that deviation in octaves.
pub fn largest_deviation(lanes: &Lanes) -> Option<(SignalId, f32)> {
    let audible = SIGNALS.iter().filter_map(|info| {
        let lane = lanes[info.id.index()]?;
        (lane.level >= MIN_SOLO_LEVEL).then_some((info.id, lane.deviation))
    });
    audible.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Removes the lanes of signals that are off.
pub fn keep_enabled(lanes: &Lanes, heard: &PerSignal<bool>) -> Lanes {
    std::array::from_fn(|i| lanes[i].filter(|_| heard[i]))
}

/// For tests: a machine whose signals are usual, except one that deviates by some octaves.
#[cfg(any(test, feature = "testing"))]
pub fn deviating_reading(signal: SignalId, deviation: f32) -> Reading {
    let mut lanes = [Some(Lane::default()); SignalId::COUNT];
    lanes[signal.index()] = Some(Lane { level: deviation / 10.0, deviation, surprise: 0.0 });
    let none = [None; SignalId::COUNT];
    let counter_rates = [None; crate::Counter::ALL.len()];
    Reading { t_ns: 1, lanes, rates: none, baselines: none, learnt: 1.0, counter_rates }
}

#[cfg(test)]
mod tests {
    use super::{deviating_reading as reading, *};

    #[test]
    fn one_machine_in_ten_moves_only_saturation() {
        let mut site = vec![reading(SignalId::Rx, 0.0); 9];
        site.push(reading(SignalId::Rx, 8.0));
        let level =
            |site: &[Reading], id: SignalId| ensemble(site.iter()).unwrap().lanes[id.index()].unwrap().level;
        assert_eq!(level(&site, SignalId::Rx), 0.0, "most receive nothing");
        site.push(reading(SignalId::Mem, 8.0));
        site.push(reading(SignalId::Mem, 8.0));
        assert!(level(&site, SignalId::Mem) > 0.5, "two of twelve have to wait");
        assert!(ensemble(std::iter::empty()).is_none());
    }

    #[test]
    fn a_missing_signal_comes_from_other_machines() {
        let mut poor = reading(SignalId::Exec, 0.0);
        poor.lanes[SignalId::Exec.index()] = None;
        let site = [poor, reading(SignalId::Exec, 4.0)];
        assert_eq!(ensemble(site.iter()).unwrap().lanes[SignalId::Exec.index()].unwrap().deviation, 4.0);
        assert!(ensemble([poor].iter()).unwrap().lanes[SignalId::Exec.index()].is_none());
    }

    #[test]
    fn a_section_sounds_like_its_busiest_machine() {
        let calm = reading(SignalId::Mem, 0.0).lanes;
        let busy = reading(SignalId::Mem, 8.0).lanes;
        let level = |lanes: &Lanes, id: SignalId| lanes[id.index()].unwrap().level;
        let section = busiest([calm, calm, busy].iter());
        assert!(level(&section, SignalId::Mem) > 0.6, "one of three has to wait");
        let whole = most_saturated(&calm, [section, calm].iter());
        assert_eq!(level(&whole, SignalId::Mem), level(&section, SignalId::Mem));
        let busy = reading(SignalId::Rx, 8.0).lanes;
        assert_eq!(level(&most_saturated(&calm, [busy].iter()), SignalId::Rx), 0.0, "that is no waiting");
        assert_eq!(level(&louder(&calm, &busy), SignalId::Rx), 0.8);
    }
}
