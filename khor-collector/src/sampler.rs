//! Puts the counters of all sources into one catalogue and one sample.

use std::path::Path;
use std::time::Instant;

use khor_layout::Slot;
use khor_proto::{Availability, CounterInfo, Unit};

use crate::probes::Probes;
use crate::psi::{Psi, RESOURCES};

/// Something that can be asked for all counters at once; a fake one stands in for the kernel in tests.
pub(crate) trait CounterSource: Send + Sync {
    /// What [`read`](Self::read) returns, in its order.
    fn catalogue(&self) -> Vec<CounterInfo>;
    /// The counters now.
    fn read(&self) -> Vec<Option<u64>>;
}

/// The kernel's counters.
#[derive(Debug)]
pub(crate) struct Sampler {
    probes: Probes,
    /// Position of each catalogue entry in the mapped counters; `None` where its probe is absent.
    slots: Vec<Option<Slot>>,
    psi: Psi,
}

impl Sampler {
    /// Samples `probes` and the kernel's pressure files.
    pub(crate) fn new(probes: Probes) -> Self {
        let slots = probes
            .counters()
            .map(|(slot, _, _, availability)| (availability == Availability::Available).then_some(slot))
            .collect();
        Self { probes, slots, psi: Psi::open(Path::new("/proc/pressure")) }
    }

    /// The probes behind it.
    pub(crate) fn probes(&self) -> &Probes {
        &self.probes
    }
}

impl CounterSource for Sampler {
    fn catalogue(&self) -> Vec<CounterInfo> {
        let counted = self.probes.counters().map(|(_, name, unit, availability)| (name, unit, availability));
        let polled = RESOURCES
            .iter()
            .zip(self.psi.availability())
            .map(|((_, name), availability)| (*name, Unit::Microseconds, availability));
        counted
            .chain(polled)
            .map(|(name, unit, availability)| CounterInfo { name: name.to_owned(), unit, availability })
            .collect()
    }

    fn read(&self) -> Vec<Option<u64>> {
        let counts = self.probes.read();
        let counted = self.slots.iter().map(|slot| slot.map(|slot| counts[slot as usize]));
        counted.chain(self.psi.read(Instant::now())).collect()
    }
}
