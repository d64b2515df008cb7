//! The in-kernel programs: loads them, attaches them, and knows which counters they feed.
//!
//! Every program stands alone: one that the kernel refuses leaves its counters absent with the reason, and the
//! rest work. Rejected: reading the counters with `bpf(MAP_LOOKUP_ELEM)`, which costs a system call per sample
//! and, on many machines, a capability for life.

mod catalogue;
mod counters;
mod offsets;

use std::io;
use std::os::fd::AsFd;

use aya::maps::Map;
use aya::programs::{BtfTracePoint, ProgramError};
use aya::{Btf, Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned};
use khor_layout::{COUNTERS_MAP, Slot};
use khor_proto::{Availability, Unit};

use catalogue::{COUNTERS, PROGRAMS, Program};
use counters::Counters;
use offsets::Offsets;

const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

/// Why there is nothing to count with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbesError {
    #[error(
        "the kernel has no readable type information ({BTF_PATH}: {reason}): khor needs one built with \
         CONFIG_DEBUG_INFO_BTF=y, as the distributions' are since about 2021"
    )]
    NoBtf { reason: String },
    #[error("the kernel refused every probe: {reason}{}", memlock_advice(reason))]
    Refused { reason: String },
}

/// One attached program, or why it is not.
#[derive(Clone, Debug)]
pub(crate) struct ProbeState {
    /// The program's name.
    pub(crate) name: &'static str,
    /// `Err` with the reason if it does not count.
    pub(crate) outcome: Result<(), String>,
}

/// The loaded programs and their counters.
#[derive(Debug)]
pub(crate) struct Probes {
    states: Vec<ProbeState>,
    counters: Counters,
    /// Holds the links: programs detach when it is dropped.
    _programs: Ebpf,
}

impl Probes {
    /// Loads and attaches all programs. Needs `CAP_BPF` and `CAP_PERFMON`.
    pub(crate) fn load() -> Result<Self, ProbesError> {
        let offsets = Offsets::of_running_kernel(BTF_PATH).map_err(|reason| ProbesError::NoBtf { reason })?;
        let btf = Btf::from_sys_fs().map_err(|error| ProbesError::NoBtf { reason: error.to_string() })?;
        let mut programs = load_object(&offsets, &btf)?;
        let states: Vec<_> = PROGRAMS
            .iter()
            .map(|program| ProbeState {
                name: program.name,
                outcome: attach(&mut programs, program, &offsets, &btf),
            })
            .collect();
        if let Some(reason) = common_failure(&states) {
            return Err(ProbesError::Refused { reason });
        }
        let counters = map_counters(&programs).map_err(|reason| ProbesError::Refused { reason })?;
        Ok(Self { states, counters, _programs: programs })
    }

    /// Every program, in the order of the catalogue.
    pub(crate) fn states(&self) -> &[ProbeState] {
        &self.states
    }

    /// Every counter the programs feed: slot, name, unit, availability.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (Slot, &'static str, Unit, Availability)> {
        COUNTERS.iter().map(|counter| {
            let reasons = counter.programs.iter().filter_map(|name| {
                let state = self.states.iter().find(|state| state.name == *name)?;
                state.outcome.as_ref().err().cloned()
            });
            let availability = reasons
                .reduce(|first, _| first)
                .map_or(Availability::Available, |reason| Availability::Absent { reason });
            (counter.slot, counter.name, counter.unit, availability)
        })
    }

    /// The counts of all CPUs, indexed by [`Slot`].
    pub(crate) fn read(&self) -> [u64; Slot::COUNT] {
        self.counters.read()
    }
}

/// Fails if the kernel has no type information, without which nothing can be loaded.
pub(crate) fn require_btf() -> Result<(), ProbesError> {
    let opened = std::fs::File::open(BTF_PATH).map(drop);
    opened.map_err(|error| ProbesError::NoBtf { reason: error.to_string() })
}

/// CPUs the kernel may ever bring online.
pub(crate) fn possible_cpus() -> Result<usize, String> {
    aya::util::nr_cpus().map_err(|(what, error)| format!("{what}: {error}"))
}

fn load_object(offsets: &Offsets, btf: &Btf) -> Result<Ebpf, ProbesError> {
    let cpus = possible_cpus().map_err(|reason| ProbesError::Refused { reason })?;
    let mut loader = EbpfLoader::new();
    loader
        .btf(Some(btf))
        .map_max_entries(COUNTERS_MAP, cpus as u32)
        .verifier_log_level(VerifierLogLevel::DISABLE);
    for (global, value) in offsets.globals() {
        loader.override_global(global, value, true);
    }
    loader
        .load(include_bytes_aligned!("../../../khor-ebpf/khor.bpf.o"))
        .map_err(|error| ProbesError::Refused { reason: chain(&error) })
}

fn attach(programs: &mut Ebpf, program: &Program, offsets: &Offsets, btf: &Btf) -> Result<(), String> {
    for global in program.globals {
        offsets.require(global)?;
    }
    let symbol = (program.symbol)(offsets);
    let loaded: &mut BtfTracePoint = programs
        .program_mut(symbol)
        .ok_or_else(|| format!("the object lacks {symbol}"))?
        .try_into()
        .map_err(|error: ProgramError| chain(&error))?;
    let attached = loaded.load(program.name, btf).and_then(|()| loaded.attach());
    attached.map(drop).map_err(|error| match &error {
        ProgramError::Btf(_) => format!("this kernel has no tracepoint {}", program.name),
        _ => chain(&error),
    })
}

fn map_counters(programs: &Ebpf) -> Result<Counters, String> {
    let Some(Map::Array(map)) = programs.map(COUNTERS_MAP) else {
        return Err(format!("the object lacks the map {COUNTERS_MAP}"));
    };
    Counters::map(map.fd().as_fd(), possible_cpus()?)
        .map_err(|error: io::Error| format!("mapping the counters: {error}"))
}

/// The first reason, if no program at all works.
fn common_failure(states: &[ProbeState]) -> Option<String> {
    if states.iter().any(|state| state.outcome.is_ok()) {
        return None;
    }
    states.first().and_then(|state| state.outcome.clone().err())
}

/// Before 5.11 the kernel charges programs and maps to `RLIMIT_MEMLOCK`, often 64 KiB, which aya has then tried
/// to raise in vain; the error is the same as for a missing capability.
fn memlock_advice(reason: &str) -> &'static str {
    if reason.contains("os error 1)") {
        " (on a kernel before 5.11 also check `ulimit -l`: LimitMEMLOCK=infinity in the systemd unit)"
    } else {
        ""
    }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
