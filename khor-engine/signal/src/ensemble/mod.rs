//! Several machines as one: what most of them do, what the busiest tenth does, and which of them stands out.
//!
//! Each machine's deviation comes from its own baseline, so they compare whatever their size. `soloists` chooses who
//! stands out, `seating` puts sections on benches.

mod seating;
mod soloists;

pub use self::{seating::Seating, soloists::Soloists};
use super::{Lane, Lanes, PerSignal, Reading, SIGNALS, SignalId};

/// The share of machines below the value that saturation is heard by.
pub const BUSIEST: f64 = 0.9;
/// Least level of a signal that counts towards a solo, 0..=1: a rate that hardly anybody would notice is no trouble.
const AUDIBLE: f32 = 0.05;

/// The readings of several machines as one of a machine that is like them.
///
/// Work is the median: what most do. What says that something has to wait (`lat`, `stall`, `mem`, `cpu`) is the 90th
/// percentile, so that it is heard when it is true of one in ten. A signal is absent where no machine has it.
pub fn ensemble<'a>(readings: impl Iterator<Item = &'a Reading> + Clone) -> Option<Reading> {
    let newest = readings.clone().max_by_key(|reading| reading.t_ns)?;
    let share = |i: usize| typical(SIGNALS[i].id);
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

/// A section as its busiest tenth is: of few machines, about as the busiest one.
pub fn busiest<'a>(section: impl Iterator<Item = &'a Lanes> + Clone) -> Lanes {
    std::array::from_fn(|i| {
        let part = |part: fn(&Lane) -> f32| {
            let values = section.clone().filter_map(|lanes| Some(part(&lanes[i]?).into()));
            Some(quantile(values.collect(), BUSIEST)? as f32)
        };
        Some(Lane {
            level: part(|lane| lane.level)?,
            deviation: part(|lane| lane.deviation)?,
            surprise: part(|lane| lane.surprise)?,
        })
    })
}

/// Each signal as that of the two machines that has more of it.
pub fn louder(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|i| match (a[i], b[i]) {
        (Some(a), Some(b)) => Some(if b.level > a.level { b } else { a }),
        (a, b) => a.or(b),
    })
}

/// What has to wait (`lat`, `stall`, `mem`, `cpu`) as where it waits most, all else as it is.
pub fn waiting_most<'a>(of_all: &Lanes, sections: impl Iterator<Item = &'a Lanes>) -> Lanes {
    let most = sections.fold(*of_all, |most, section| louder(&most, section));
    std::array::from_fn(|i| if is_saturation(SIGNALS[i].id) { most[i] } else { of_all[i] })
}

/// The share of machines below the value that a signal of several is heard by.
pub const fn typical(signal: SignalId) -> f64 {
    if is_saturation(signal) { BUSIEST } else { 0.5 }
}

const fn is_saturation(signal: SignalId) -> bool {
    matches!(signal, SignalId::Lat | SignalId::Stall | SignalId::Mem | SignalId::Cpu)
}

/// The value with that `share` of the others below it, between two of them where it falls there.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (_, below, further) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let above = further.iter().copied().min_by(f64::total_cmp).unwrap_or(*below);
    Some(*below + (above - *below) * place.fract())
}

/// How far a machine stands out, octaves, and by which signal.
pub fn standing(lanes: &Lanes) -> Option<(SignalId, f32)> {
    let audible = SIGNALS.iter().filter_map(|info| {
        let lane = lanes[info.id.index()]?;
        (lane.level >= AUDIBLE).then_some((info.id, lane.deviation))
    });
    audible.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Lanes of the signals that are listened to.
pub fn only(lanes: &Lanes, heard: &PerSignal<bool>) -> Lanes {
    std::array::from_fn(|i| lanes[i].filter(|_| heard[i]))
}

/// For tests: a machine that is as usual but for one signal, so many octaves.
#[cfg(any(test, feature = "testing"))]
pub fn standing_out(signal: SignalId, deviation: f32) -> Reading {
    let mut lanes = [Some(Lane::default()); SignalId::COUNT];
    lanes[signal.index()] = Some(Lane { level: deviation / 10.0, deviation, surprise: 0.0 });
    let none = [None; SignalId::COUNT];
    let counter_rates = [None; crate::Counter::ALL.len()];
    Reading { t_ns: 1, lanes, rates: none, baselines: none, learnt: 1.0, counter_rates }
}

#[cfg(test)]
mod tests {
    use super::{standing_out as reading, *};

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
        let whole = waiting_most(&calm, [section, calm].iter());
        assert_eq!(level(&whole, SignalId::Mem), level(&section, SignalId::Mem));
        let busy = reading(SignalId::Rx, 8.0).lanes;
        assert_eq!(level(&waiting_most(&calm, [busy].iter()), SignalId::Rx), 0.0, "that is no waiting");
        assert_eq!(level(&louder(&calm, &busy), SignalId::Rx), 0.8);
    }
}
