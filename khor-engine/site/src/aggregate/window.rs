//! Adds up the frames that arrived in the last second. No I/O.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use khor_fleet::Name;
use khor_signal::{Lanes, Reading};
use tokio::time::Instant;

use super::sum::Aggregate;

/// The sum over the hosts of a site in the last second.
#[derive(Debug, Default)]
pub(crate) struct Summed {
    /// One reading that combines the frames of all hosts; `None` if no frame arrived.
    pub(crate) reading: Option<Reading>,
    /// The lanes of each section. Each lane is the 90th percentile over the section's hosts.
    pub(crate) sections: BTreeMap<Option<Name>, Lanes>,
}

/// The frames of the last second, in slots of 200 ms. A relay that sends five frames a second has
/// about one frame in each slot.
pub(crate) struct Window {
    slots: VecDeque<(Instant, Aggregate)>,
    spare: Vec<Aggregate>,
    sum: Aggregate,
}

impl Window {
    const SLOT: Duration = Duration::from_millis(200);
    const SLOTS: usize = 6;

    pub(crate) fn new() -> Self {
        Self { slots: VecDeque::new(), spare: Vec::new(), sum: Aggregate::new() }
    }

    /// The slot whose sum receives the frames that arrive now.
    pub(crate) fn current(&mut self, now: Instant) -> &mut Aggregate {
        let is_due = self.slots.back().is_none_or(|(begun, _)| now.duration_since(*begun) >= Self::SLOT);
        if is_due {
            self.drop_old_slots(now);
            let aggregate = self.spare.pop().unwrap_or_else(Aggregate::new);
            self.slots.push_back((now, aggregate));
        }
        &mut self.slots.back_mut().expect("a slot was pushed above if there was none").1
    }

    fn drop_old_slots(&mut self, now: Instant) {
        let kept = Self::SLOT * Self::SLOTS as u32;
        while self.slots.front().is_some_and(|(begun, _)| now.duration_since(*begun) >= kept) {
            if let Some((_, mut aggregate)) = self.slots.pop_front() {
                aggregate.clear();
                self.spare.push(aggregate);
            }
        }
    }

    /// The sum over all slots.
    pub(crate) fn sum(&mut self, now: Instant, t_ns: u64) -> Summed {
        self.drop_old_slots(now);
        self.sum.clear();
        for (_, aggregate) in &self.slots {
            self.sum.add(aggregate);
        }
        Summed { reading: self.sum.reading(t_ns), sections: self.sum.sections() }
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{SignalId, deviating_reading};

    use super::*;

    #[test]
    fn frames_older_than_a_second_are_dropped() {
        let (mut window, begun) = (Window::new(), Instant::now());
        let machine = deviating_reading(SignalId::Rx, 4.0);
        let db = Name::new("db").unwrap();
        window.current(begun).add_host(Some(&db), &machine);
        let at = |ms| begun + Duration::from_millis(ms);
        let kept = window.sum(at(1_100), 1);
        assert!(kept.reading.is_some());
        let is_high = |lanes: &Lanes| lanes[SignalId::Rx].unwrap().level > 0.3;
        assert!(kept.sections.keys().eq([&Some(db)]) && kept.sections.values().all(is_high));
        let dropped = window.sum(at(1_300), 1);
        assert!(dropped.reading.is_none() && dropped.sections.is_empty());
        for ms in (2_000..20_000).step_by(50) {
            window.current(at(ms)).add_host(None, &machine);
            assert!(window.slots.len() <= Window::SLOTS + 1 && window.spare.len() <= Window::SLOTS + 1);
        }
    }
}
