//! What came in the last second of all who are heard. No I/O.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use khor_fleet::Name;
use tokio::time::Instant;

use super::blend::Blend;
use khor_signal::{Lanes, Reading};

/// What is heard of a site whose hosts are not all heard one by one.
#[derive(Debug, Default)]
pub(super) struct Summed {
    /// All hosts as one machine; `None` of none.
    pub(super) reading: Option<Reading>,
    /// Each section as its busiest tenth is.
    pub(super) sections: BTreeMap<Option<Name>, Lanes>,
}

/// What came in the last second, in slots of a fifth: frames of all that send five times a second, once each or nearly.
pub(super) struct Window {
    slots: VecDeque<(Instant, Blend)>,
    spare: Vec<Blend>,
    sum: Blend,
}

impl Window {
    const SLOT: Duration = Duration::from_millis(200);
    const SLOTS: usize = 6;

    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), spare: Vec::new(), sum: Blend::new() }
    }

    /// What comes now is added to this.
    pub(super) fn now(&mut self, now: Instant) -> &mut Blend {
        let is_due = self.slots.back().is_none_or(|(begun, _)| now.duration_since(*begun) >= Self::SLOT);
        if is_due {
            self.forget(now);
            let blend = self.spare.pop().unwrap_or_else(Blend::new);
            self.slots.push_back((now, blend));
        }
        &mut self.slots.back_mut().expect("there is one").1
    }

    fn forget(&mut self, now: Instant) {
        let kept = Self::SLOT * Self::SLOTS as u32;
        while self.slots.front().is_some_and(|(begun, _)| now.duration_since(*begun) >= kept) {
            if let Some((_, mut blend)) = self.slots.pop_front() {
                blend.clear();
                self.spare.push(blend);
            }
        }
    }

    /// All of it.
    pub(super) fn sum(&mut self, now: Instant, t_ns: u64) -> Summed {
        self.forget(now);
        self.sum.clear();
        for (_, blend) in &self.slots {
            self.sum.add(blend);
        }
        Summed { reading: self.sum.reading(t_ns), sections: self.sum.sections() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use khor_signal::{SignalId, deviating_reading};

    #[test]
    fn what_is_a_second_old_is_heard_no_more() {
        let (mut window, begun) = (Window::new(), Instant::now());
        let machine = deviating_reading(SignalId::Rx, 4.0);
        let db = Name::new("db").unwrap();
        window.now(begun).record(Some(&db), &machine);
        let at = |ms| begun + Duration::from_millis(ms);
        let of_second = window.sum(at(1_100), 1);
        assert!(of_second.reading.is_some());
        let heard = |lanes: &Lanes| lanes[SignalId::Rx.index()].unwrap().level > 0.3;
        assert!(of_second.sections.keys().eq([&Some(db)]) && of_second.sections.values().all(heard));
        let of_nothing = window.sum(at(1_300), 1);
        assert!(of_nothing.reading.is_none() && of_nothing.sections.is_empty());
        for ms in (2_000..20_000).step_by(50) {
            window.now(at(ms)).record(None, &machine);
            assert!(window.slots.len() <= Window::SLOTS + 1 && window.spare.len() <= Window::SLOTS + 1);
        }
    }
}
