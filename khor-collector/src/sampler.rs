//! Combines the counters of all sources into one catalogue and one sample.

use std::sync::Arc;

use khor_layout::Slot;
use khor_proto::{Availability, Counter, CounterInfo, CueInfo, CueKind, Scope};

use crate::{
    clock::monotonic_ns,
    count::{Count, Subject},
    polled::{self, Missed, Polled},
    probes::Probes,
    scope::Scopes,
    trust::Peer,
};

const _: () = assert!(
    Slot::COUNT + polled::COUNTERS.len() == Counter::ALL.len(),
    "each counter of khor-proto needs a slot or a file of the kernel"
);

/// The server's interface to the kernel. Tests use a fake kernel.
pub(crate) trait Kernel: Send + Sync {
    /// All counters, in the order in which every sample contains them, with their availability for
    /// the whole machine.
    fn catalogue(&self) -> Vec<CounterInfo>;
    /// Every kind of cue, with its availability.
    fn cues(&self) -> Vec<CueInfo>;
    /// Starts to count for a scope on behalf of `peer`. Fails with the reason if that is
    /// impossible.
    fn count(&self, scope: &Scope, peer: Peer) -> Result<Arc<dyn Count>, String>;
    /// Switches cues for program starts on or off.
    fn want_exec_cues(&self, wanted: bool);
    /// Number of cues of this kind that the kernel has dropped.
    fn lost(&self, kind: CueKind) -> u64;
}

/// The counters and scopes of the running kernel.
#[derive(Debug)]
pub(crate) struct RunningKernel {
    machine: Arc<Machine>,
    scopes: Arc<Scopes>,
}

/// The counters of the whole machine.
#[derive(Debug)]
struct Machine {
    probes: Arc<Probes>,
    /// The slots of the counters that the in-kernel programs count. A counter's slot is `None` if
    /// one of its programs is not attached.
    slots: Vec<Option<Slot>>,
    polled: Polled,
}

impl RunningKernel {
    /// Creates an interface to the counters of `probes` and to the kernel's files.
    pub(crate) fn new(probes: Arc<Probes>) -> Self {
        let slots = probes
            .counter_states()
            .iter()
            .map(|state| (state.machine == Availability::Available).then_some(state.slot))
            .collect();
        let scopes = Arc::new(Scopes::new(Arc::clone(&probes)));
        let polled = Polled::machine(Missed::open(probes.descriptors()));
        Self { machine: Arc::new(Machine { probes, slots, polled }), scopes }
    }

    /// Number of events that the kernel did not pass to the programs; `None` if the kernel does not
    /// count such events.
    pub(crate) fn missed_events(&self) -> Option<u64> {
        let [.., missed] = self.machine.polled.read(monotonic_ns());
        missed
    }

    /// Returns the registry of scopes, which a task must refresh regularly.
    pub(crate) fn scopes(&self) -> Arc<Scopes> {
        Arc::clone(&self.scopes)
    }
}

impl Kernel for RunningKernel {
    fn catalogue(&self) -> Vec<CounterInfo> {
        let counted = self.machine.probes.counter_states().iter().map(|state| state.counter);
        let counters = counted.chain(polled::COUNTERS).zip(self.machine.availability());
        let info = |(counter, availability): (Counter, _)| CounterInfo {
            name: counter.name().to_owned(),
            unit: counter.unit(),
            availability,
        };
        counters.map(info).collect()
    }

    fn cues(&self) -> Vec<CueInfo> {
        let cues = self.machine.probes.cues();
        cues.map(|(kind, availability)| CueInfo { kind: wire_kind(kind), availability }).collect()
    }

    fn count(&self, scope: &Scope, peer: Peer) -> Result<Arc<dyn Count>, String> {
        match scope {
            Scope::Machine => Ok(Arc::clone(&self.machine) as Arc<dyn Count>),
            scope @ Scope::Selected { .. } => self.scopes.open(scope, peer),
        }
    }

    fn want_exec_cues(&self, wanted: bool) {
        self.machine.probes.want_exec_cues(wanted);
    }

    fn lost(&self, kind: CueKind) -> u64 {
        self.machine.probes.lost(layout_kind(kind))
    }
}

impl Count for Machine {
    fn availability(&self) -> Vec<Availability> {
        let counted = self.probes.counter_states().iter().map(|state| state.machine.clone());
        counted.chain(self.polled.availability()).collect()
    }

    fn revision(&self) -> u64 {
        0
    }

    fn read(&self, counters: &mut Vec<Option<u64>>) {
        let counts = self.probes.machine();
        let counted = self.slots.iter().map(|slot| slot.map(|slot| counts[slot as usize]));
        counters.clear();
        counters.extend(counted.chain(self.polled.read(monotonic_ns())));
    }

    fn subject(&self) -> Subject {
        Subject::Machine
    }

    fn is_own(&self) -> bool {
        false
    }
}

/// Converts a kind of cue from khor-layout's type to khor-proto's type.
pub(crate) fn wire_kind(kind: khor_layout::CueKind) -> CueKind {
    match kind {
        khor_layout::CueKind::Oom => CueKind::Oom,
        khor_layout::CueKind::Crash => CueKind::Crash,
        khor_layout::CueKind::BlockError => CueKind::BlockError,
        khor_layout::CueKind::RetransmitBurst => CueKind::RetransmitBurst,
        khor_layout::CueKind::Exec => CueKind::Exec,
    }
}

fn layout_kind(kind: CueKind) -> khor_layout::CueKind {
    match kind {
        CueKind::Oom => khor_layout::CueKind::Oom,
        CueKind::Crash => khor_layout::CueKind::Crash,
        CueKind::BlockError => khor_layout::CueKind::BlockError,
        CueKind::RetransmitBurst => khor_layout::CueKind::RetransmitBurst,
        CueKind::Exec => khor_layout::CueKind::Exec,
    }
}
