//! Loads and attaches the in-kernel programs, and lists the counters and cues that they feed.
//!
//! The programs are independent: if the kernel rejects one program, only the counters of this
//! program are absent, with the reason. The collector reads the counters from shared memory. The
//! alternative, `bpf(MAP_LOOKUP_ELEM)`, needs a system call for each sample. On many machines it
//! also needs a capability, which the collector could then never give up.

mod catalogue;
mod counters;
mod cues;
mod load;
mod lockdown;
mod mapping;
mod offsets;
#[cfg(test)]
mod program_info;
mod table;

use std::os::fd::{AsFd, AsRawFd};

use aya::Ebpf;
use khor_layout::{CueKind, Slot, Wish};
use khor_proto::{Availability, Counter};
use parking_lot::Mutex;

pub(crate) use self::{
    catalogue::Owner,
    counters::Counts,
    cues::CueRing,
    load::{possible_cpus, require_btf},
    table::{Chosen, TableFull},
};
use self::{
    catalogue::{COUNTERS, CUES},
    counters::Counters,
};

const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

/// Why no probe works.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbesError {
    #[error(
        "the kernel has no readable type information ({BTF_PATH}: {reason}): use a kernel built with \
         CONFIG_DEBUG_INFO_BTF=y, as in distributions since about 2021"
    )]
    NoBtf { reason: String },
    #[error("the kernel rejected every probe: {reason}{}", load::memlock_advice(reason))]
    Refused { reason: String },
}

/// Whether one program is attached.
#[derive(Clone, Debug)]
pub(crate) struct ProbeState {
    /// The program's name.
    pub(crate) name: &'static str,
    /// `Err` with the reason if the program is not attached.
    pub(crate) outcome: Result<(), String>,
}

/// One counter that the programs feed.
#[derive(Clone, Debug)]
pub(crate) struct CounterState {
    pub(crate) counter: Counter,
    pub(crate) slot: Slot,
    /// The kind of owner that the counted events have.
    pub(crate) owner: Owner,
    /// Whether the counter is available for the machine.
    pub(crate) machine: Availability,
    /// The counter's slot in the counts of a scope. Several counters may share a slot.
    pub(crate) scope_slot: Slot,
    /// Whether the counter is available for a scope.
    pub(crate) scope: Availability,
}

/// The loaded programs and the memory that they share with the collector.
#[derive(Debug)]
pub(crate) struct Probes {
    states: Vec<ProbeState>,
    counter_states: Vec<CounterState>,
    counters: Counters,
    sockets_have_tags: bool,
    requested: Mutex<Requested>,
    /// `Ok` if the kernel lets programs read kernel memory, which scopes require. Otherwise `Err`
    /// with the reason.
    scopes: Result<(), String>,
    /// The loaded programs. They stay attached until this value is dropped.
    programs: Ebpf,
}

/// The flags and table generation that the collector last passed to the in-kernel programs.
#[derive(Debug, Default)]
struct Requested {
    flags: u64,
    generation: u64,
}

impl Probes {
    /// Loads and attaches all programs. Needs `CAP_BPF` and `CAP_PERFMON`. Also returns the ring
    /// buffer of cues.
    pub(crate) fn load() -> Result<(Self, CueRing), ProbesError> {
        let loaded = load::load()?;
        let probes = Self {
            counter_states: loaded.counter_states(),
            sockets_have_tags: loaded.sockets_have_tags(),
            states: loaded.states,
            counters: loaded.counters,
            requested: Mutex::default(),
            scopes: loaded.kernel_reads,
            programs: loaded.programs,
        };
        Ok((probes, loaded.cues))
    }

    /// All programs, in the order of the catalogue.
    pub(crate) fn states(&self) -> &[ProbeState] {
        &self.states
    }

    /// All counters that the programs update, in the order of [`Slot`].
    pub(crate) fn counter_states(&self) -> &[CounterState] {
        &self.counter_states
    }

    /// Whether scopes can be counted.
    pub(crate) fn scopes(&self) -> Availability {
        let absent = |reason: &String| Availability::Absent { reason: reason.clone() };
        self.scopes.as_ref().err().map_or(Availability::Available, absent)
    }

    /// The descriptors of the programs. They stay open until `self` is dropped.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = i32> {
        let loaded = self.programs.programs().filter_map(|(_, program)| program.fd().ok());
        loaded.map(|descriptor| descriptor.as_fd().as_raw_fd())
    }

    /// Whether each kind of cue is available.
    pub(crate) fn cues(&self) -> impl Iterator<Item = (CueKind, Availability)> {
        CUES.iter().map(|cue| (cue.kind, load::availability(&self.states, &[cue.program])))
    }

    /// The whole machine's counts.
    pub(crate) fn machine(&self) -> Counts {
        self.counters.machine()
    }

    /// The counts of scope number `scope`. Only differences are meaningful, because the counts
    /// start at an arbitrary value.
    pub(crate) fn scope(&self, scope: usize) -> Counts {
        self.counters.scope(scope)
    }

    /// Number of events so far whose socket had a class id or priority instead of its cgroup.
    /// `None` on kernels whose sockets always keep their cgroup (Linux 5.15 and later).
    pub(crate) fn tagged_sockets(&self) -> Option<u64> {
        self.sockets_have_tags.then(|| self.counters.tagged_sockets())
    }

    /// Number of cues of this kind that the kernel has dropped.
    pub(crate) fn lost(&self, kind: CueKind) -> u64 {
        self.counters.lost(kind)
    }

    /// Switches cues for program starts on or off.
    pub(crate) fn want_exec_cues(&self, wanted: bool) {
        let mut requested = self.requested.lock();
        let flags =
            if wanted { requested.flags | Wish::EXEC_CUES } else { requested.flags & !Wish::EXEC_CUES };
        if flags != requested.flags {
            requested.flags = flags;
            self.counters.publish(Wish::new(flags, requested.generation));
        }
    }

    /// Makes the programs count for exactly these scopes. If the kernel does not support scopes,
    /// only checks that the table has room for them.
    pub(crate) fn count_for(&self, scopes: &[Chosen]) -> Result<(), TableFull> {
        let table = table::build(scopes)?;
        if self.scopes.is_err() {
            return Ok(());
        }
        let mut requested = self.requested.lock();
        requested.generation += 1;
        requested.flags =
            if scopes.is_empty() { requested.flags & !Wish::SCOPES } else { requested.flags | Wish::SCOPES };
        self.counters.recheck_empty_cpus();
        self.counters.write_table(requested.generation, &table);
        self.counters.publish(Wish::new(requested.flags, requested.generation));
        Ok(())
    }
}
