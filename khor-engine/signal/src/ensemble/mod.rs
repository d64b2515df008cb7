//! Combines the readings of several hosts into one reading, and chooses the hosts that stand out.
//!
//! Each host's deviation is relative to its own baseline, so hosts of any size can be compared.
//! `soloists` chooses the hosts that stand out, and `section_slots` assigns sections to slots.

mod section_slots;
mod soloists;

pub use self::{section_slots::SectionSlots, soloists::Soloists};
use super::{Lane, LaneId, Lanes, PerLane, PerSignal, Reading, SignalId};

/// The quantile over the hosts that khor uses for the lanes of saturation: `lat`, `stall`, `mem`
/// and `cpu`.
pub const SATURATION_QUANTILE: f64 = 0.9;
/// A lane can make its host a soloist only if its level is at least this value. A lane with a lower
/// level shows no problem.
const MIN_SOLO_LEVEL: f32 = 0.05;

/// Combines the readings of several hosts into the reading of a typical host.
///
/// A lane of saturation (`lat`, `stall`, `mem`, `cpu`) is the 90th percentile over the hosts, so
/// that trouble on one host in ten is audible. Every other lane is the median, which represents
/// most hosts. An added lane is the median over the hosts that have it. A lane is missing if no
/// host has it. All readings must use ids of the same catalogue.
pub fn ensemble<'a>(readings: impl Iterator<Item = &'a Reading> + Clone) -> Option<Reading> {
    let newest = readings.clone().max_by_key(|reading| reading.t_ns)?;
    let added = readings.clone().map(|reading| reading.lanes.added.len()).max().unwrap_or(0);
    let of = |id: LaneId, value: &dyn Fn(&Reading) -> Option<f64>| {
        quantile(readings.clone().filter_map(value).collect(), ensemble_quantile(id))
    };
    let lane = |id: LaneId| {
        let part = |part: fn(&Lane) -> f32| of(id, &|reading| Some(part(&reading.lanes.value(id)?).into()));
        Some(Lane {
            level: part(|lane| lane.level)? as f32,
            deviation: part(|lane| lane.deviation)? as f32,
            surprise: part(|lane| lane.surprise)? as f32,
        })
    };
    Some(Reading {
        t_ns: newest.t_ns,
        lanes: PerLane::from_fn(added, lane),
        rates: PerLane::from_fn(added, |id| of(id, &|reading| reading.rates.value(id))),
        baselines: PerLane::from_fn(added, |id| of(id, &|reading| reading.baselines.value(id))),
        learnt: quantile(readings.clone().map(|r| r.learnt.into()).collect(), 0.5).unwrap_or(0.0) as f32,
        counter_rates: [None; super::Counter::ALL.len()],
    })
}

/// Combines the lanes of a section's hosts: each lane is the 90th percentile over the hosts. With
/// few hosts, the result is close to the lanes of the busiest host.
pub fn busiest<'a>(section: impl Iterator<Item = &'a Lanes> + Clone) -> Lanes {
    let added = section.clone().map(|lanes| lanes.added.len()).max().unwrap_or(0);
    PerLane::from_fn(added, |id| {
        let part = |part: fn(&Lane) -> f32| {
            let values = section.clone().filter_map(|lanes| Some(part(&lanes.value(id)?).into()));
            Some(quantile(values.collect(), SATURATION_QUANTILE)? as f32)
        };
        Some(Lane {
            level: part(|lane| lane.level)?,
            deviation: part(|lane| lane.deviation)?,
            surprise: part(|lane| lane.surprise)?,
        })
    })
}

/// Combines two hosts: each lane comes from the host with the higher level.
pub fn louder(a: &Lanes, b: &Lanes) -> Lanes {
    PerLane::from_fn(a.added.len().max(b.added.len()), |id| match (a.value(id), b.value(id)) {
        (Some(a), Some(b)) => Some(if b.level > a.level { b } else { a }),
        (a, b) => a.or(b),
    })
}

/// Replaces a lane of saturation (`lat`, `stall`, `mem`, `cpu`) in `of_all` if its level is higher
/// in any section. The replacement comes from the section with the highest level. All other lanes
/// stay as they are.
pub fn most_saturated<'a>(of_all: &Lanes, sections: impl Iterator<Item = &'a Lanes>) -> Lanes {
    let most = sections.fold(of_all.clone(), |most, section| louder(&most, section));
    PerLane::from_fn(
        of_all.added.len(),
        |id| {
            if is_saturation(id) { most.value(id) } else { of_all.value(id) }
        },
    )
}

/// The quantile over the hosts that [`ensemble`] uses for a lane.
pub fn ensemble_quantile(lane: impl Into<LaneId>) -> f64 {
    if is_saturation(lane.into()) { SATURATION_QUANTILE } else { 0.5 }
}

fn is_saturation(lane: LaneId) -> bool {
    matches!(lane.signal(), Some(SignalId::Lat | SignalId::Stall | SignalId::Mem | SignalId::Cpu))
}

/// The quantile of the values at `share`, 0..=1. If it lies between two values, it is interpolated.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (_, below, further) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let above = further.iter().copied().min_by(f64::total_cmp).unwrap_or(*below);
    Some(*below + (above - *below) * place.fract())
}

/// The audible lane with the largest deviation, and this deviation in octaves.
pub fn largest_deviation(lanes: &Lanes) -> Option<(LaneId, f32)> {
    let audible = lanes.iter().filter_map(|(id, lane)| {
        let lane = lane.as_ref()?;
        (lane.level >= MIN_SOLO_LEVEL).then_some((id, lane.deviation))
    });
    audible.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Removes the lanes of disabled signals. Keeps added lanes.
pub fn keep_enabled(lanes: &Lanes, enabled: &PerSignal<bool>) -> Lanes {
    let kernel = std::array::from_fn(|i| lanes.kernel[i].filter(|_| enabled[i]));
    PerLane { kernel, added: lanes.added.clone() }
}

/// For tests: the reading of a host whose lanes have their usual rates, except for one lane that
/// deviates by `deviation` octaves.
#[cfg(any(test, feature = "testing"))]
pub fn deviating_reading(lane: impl Into<LaneId>, deviation: f32) -> Reading {
    let mut lanes: Lanes = [Some(Lane::default()); SignalId::COUNT].into();
    lanes.set(lane, Some(Lane { level: deviation / 10.0, deviation, surprise: 0.0 }));
    let counter_rates = [None; crate::Counter::ALL.len()];
    Reading { t_ns: 1, lanes, rates: PerLane::NONE, baselines: PerLane::NONE, learnt: 1.0, counter_rates }
}

#[cfg(test)]
mod tests {
    use super::{deviating_reading as reading, *};

    #[test]
    fn one_machine_in_ten_moves_only_saturation() {
        let mut site = vec![reading(SignalId::Rx, 0.0); 9];
        site.push(reading(SignalId::Rx, 8.0));
        let level = |site: &[Reading], id: SignalId| ensemble(site.iter()).unwrap().lanes[id].unwrap().level;
        assert_eq!(level(&site, SignalId::Rx), 0.0, "most hosts receive nothing");
        site.push(reading(SignalId::Mem, 8.0));
        site.push(reading(SignalId::Mem, 8.0));
        assert!(level(&site, SignalId::Mem) > 0.5, "two of twelve hosts have to wait");
        assert!(ensemble(std::iter::empty()).is_none());
    }

    #[test]
    fn a_missing_signal_comes_from_other_machines() {
        let mut poor = reading(SignalId::Exec, 0.0);
        poor.lanes[SignalId::Exec] = None;
        let site = [poor.clone(), reading(SignalId::Exec, 4.0)];
        assert_eq!(ensemble(site.iter()).unwrap().lanes[SignalId::Exec].unwrap().deviation, 4.0);
        assert!(ensemble([poor].iter()).unwrap().lanes[SignalId::Exec].is_none());
    }

    #[test]
    fn an_added_lane_needs_one_machine() {
        let queue = LaneId::of_added(3).unwrap();
        let site = [reading(SignalId::Rx, 0.0), reading(queue, 6.0), reading(queue, 2.0)];
        let whole = ensemble(site.iter()).unwrap().lanes;
        assert_eq!(
            whole.value(queue).map(|lane| lane.deviation),
            Some(4.0),
            "the median of the hosts that have the lane"
        );
        assert_eq!(whole.value(LaneId::of_added(0).unwrap()), None);
        assert_eq!(largest_deviation(&whole), Some((queue, 4.0)));
        let louder = louder(&site[0].lanes, &site[1].lanes);
        assert_eq!(louder.value(queue), site[1].lanes.value(queue));
        let masked = keep_enabled(&site[1].lanes, &[false; SignalId::COUNT]);
        assert!(masked.kernel.iter().all(Option::is_none) && masked.value(queue).is_some());
        let section = busiest(site.iter().map(|machine| &machine.lanes));
        assert!(section.value(queue).unwrap().deviation > 5.0);
        let saturated = most_saturated(&site[1].lanes, [section].iter());
        assert_eq!(saturated.value(queue), site[1].lanes.value(queue), "not a saturation lane");
    }

    #[test]
    fn a_section_sounds_like_its_busiest_machine() {
        let calm = reading(SignalId::Mem, 0.0).lanes;
        let busy = reading(SignalId::Mem, 8.0).lanes;
        let level = |lanes: &Lanes, id: SignalId| lanes[id].unwrap().level;
        let section = busiest([calm.clone(), calm.clone(), busy].iter());
        assert!(level(&section, SignalId::Mem) > 0.6, "one of three hosts has to wait");
        let whole = most_saturated(&calm, [section.clone(), calm.clone()].iter());
        assert_eq!(level(&whole, SignalId::Mem), level(&section, SignalId::Mem));
        let busy = reading(SignalId::Rx, 8.0).lanes;
        assert_eq!(
            level(&most_saturated(&calm, [busy.clone()].iter()), SignalId::Rx),
            0.0,
            "not a saturation lane"
        );
        assert_eq!(level(&louder(&calm, &busy), SignalId::Rx), 0.8);
    }
}
