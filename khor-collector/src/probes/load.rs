//! Loads and attaches the programs. All steps that need a capability are here.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use aya::{
    Btf, Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned,
    maps::{Map, MapData, RingBuf},
    programs::{BtfTracePoint, FEntry, ProgramError},
};
use khor_layout::{COUNTERS_MAP, CUES_MAP, ISSUED_MAP, MAX_SCOPES, SCOPE_COUNTERS_MAP, SCOPES_MAP};
use khor_proto::Availability;

use super::{
    BTF_PATH, COUNTERS, CounterState, ProbeState, ProbesError,
    catalogue::{Hook, PROGRAMS, Program, ProgramCounter, Scoped},
    counters::{Arrays, Counters},
    cues::CueRing,
    lockdown,
    offsets::Offsets,
};

/// Maximum number of disk requests that can be timed at once on a machine with `cpus` CPUs. The
/// number grows with the CPUs, because the kernel reserves up to 128 elements of the map for each
/// CPU.
const fn requests_in_flight(cpus: usize) -> usize {
    4096 + 256 * cpus
}

/// The loaded programs, with their counters, cues and availability.
pub(super) struct Loaded {
    pub(super) states: Vec<ProbeState>,
    pub(super) counters: Counters,
    pub(super) cues: CueRing,
    pub(super) programs: Ebpf,
    /// `Ok` if the kernel lets programs read kernel memory, which scopes require. Otherwise `Err`
    /// with the reason.
    pub(super) kernel_reads: Result<(), String>,
    offsets: Offsets,
}

/// Loads and attaches all programs that this kernel accepts.
pub(super) fn load() -> Result<Loaded, ProbesError> {
    let cpus = possible_cpus().map_err(refused)?;
    load_for(cpus, requests_in_flight(cpus), lockdown::require_reads())
}

fn load_for(
    cpus: usize,
    requests_in_flight: usize,
    kernel_reads: Result<(), String>,
) -> Result<Loaded, ProbesError> {
    let offsets = Offsets::of_running_kernel(BTF_PATH, cpus, kernel_reads.is_ok())
        .map_err(|reason| ProbesError::NoBtf { reason })?;
    let btf = Btf::from_sys_fs().map_err(|error| ProbesError::NoBtf { reason: error.to_string() })?;
    let mut programs = load_object(&offsets, &btf, cpus, requests_in_flight)?;
    let states: Vec<_> = PROGRAMS
        .iter()
        .map(|program| ProbeState {
            name: program.name,
            outcome: match &kernel_reads {
                Err(reason) if program.serves_only_scopes() => Err(reason.clone()),
                _ => attach(&mut programs, program, &offsets, &btf),
            },
        })
        .collect();
    if let Some(reason) = common_failure(&states) {
        return Err(ProbesError::Refused { reason });
    }
    // If `sched_switch` is attached, every CPU that runs a task counts switches. Then a CPU without
    // counts for the machine has no counts for scopes either.
    let idle_cpus_are_empty = availability(&states, &["sched_switch"]) == Availability::Available;
    let counters = map_counters(&programs, cpus, idle_cpus_are_empty).map_err(refused)?;
    let cues = take_cues(&mut programs).map_err(refused)?;
    Ok(Loaded { states, counters, cues, programs, kernel_reads, offsets })
}

fn refused(reason: String) -> ProbesError {
    ProbesError::Refused { reason }
}

impl Loaded {
    /// The availability of all counters, for the machine and for scopes.
    pub(super) fn counter_states(&self) -> Vec<CounterState> {
        COUNTERS.iter().map(|counter| self.counter_state(counter)).collect()
    }

    fn counter_state(&self, counter: &ProgramCounter) -> CounterState {
        let globals: Vec<_> = counter.owner.globals().collect();
        let known = self.kernel_reads.clone().and_then(|()| self.offsets.require(&globals));
        let (scope_slot, scope) = match (&counter.scoped, known) {
            (_, Err(reason)) => (counter.slot, Availability::Absent { reason }),
            (Scoped::Missing(reason), _) => (counter.slot, Availability::Absent { reason: (*reason).into() }),
            (Scoped::In(slot, programs), Ok(())) => (*slot, availability(&self.states, programs)),
        };
        CounterState {
            counter: counter.counter,
            slot: counter.slot,
            owner: counter.owner,
            machine: availability(&self.states, counter.programs),
            scope_slot,
            scope,
        }
    }

    /// Whether a socket may have a class id or priority instead of its cgroup on this kernel.
    pub(super) fn sockets_have_tags(&self) -> bool {
        self.offsets.sockets_have_tags
    }
}

/// Available if all of `programs` are attached. Otherwise absent, with the reason of the first
/// program that is not attached.
pub(super) fn availability(states: &[ProbeState], programs: &[&str]) -> Availability {
    let failed = programs.iter().find_map(|name| {
        let state = states.iter().find(|state| state.name == *name)?;
        state.outcome.as_ref().err().cloned()
    });
    failed.map_or(Availability::Available, |reason| Availability::Absent { reason })
}

/// Fails if the kernel has no type information (BTF), because no program can be loaded without it.
pub(crate) fn require_btf() -> Result<(), ProbesError> {
    let opened = std::fs::File::open(BTF_PATH).map(drop);
    opened.map_err(|error| ProbesError::NoBtf { reason: error.to_string() })
}

/// Number of CPUs that the kernel may ever bring online.
pub(crate) fn possible_cpus() -> Result<usize, String> {
    aya::util::nr_cpus().map_err(|(what, error)| format!("{what}: {error}"))
}

fn load_object(
    offsets: &Offsets,
    btf: &Btf,
    cpus: usize,
    requests_in_flight: usize,
) -> Result<Ebpf, ProbesError> {
    let mut loader = EbpfLoader::new();
    loader
        .btf(Some(btf))
        .map_max_entries(COUNTERS_MAP, cpus as u32)
        .map_max_entries(SCOPE_COUNTERS_MAP, (MAX_SCOPES * cpus) as u32)
        .map_max_entries(ISSUED_MAP, requests_in_flight as u32)
        .verifier_log_level(verifier_log_level());
    for (global, value) in offsets.globals() {
        loader.override_global(global, value, true);
    }
    let loaded = loader.load(include_bytes_aligned!("../../../khor-ebpf/khor.bpf.o"));
    loaded.map_err(|error| refused(chain(&error)))
}

fn attach(programs: &mut Ebpf, program: &Program, offsets: &Offsets, btf: &Btf) -> Result<(), String> {
    offsets.require(program.globals)?;
    let symbol = program.symbol(offsets);
    let loaded =
        programs.program_mut(symbol).ok_or_else(|| format!("khor.bpf.o lacks the program {symbol}"))?;
    let attached = match program.hook {
        Hook::Tracepoint => <&mut BtfTracePoint>::try_from(loaded)
            .and_then(|loaded| loaded.load(program.name, btf).and_then(|()| loaded.attach()).map(drop)),
        Hook::Function => <&mut FEntry>::try_from(loaded)
            .and_then(|loaded| loaded.load(program.name, btf).and_then(|()| loaded.attach()).map(drop)),
    };
    attached.map_err(|error| match (&error, program.hook) {
        (ProgramError::Btf(_), Hook::Tracepoint) => format!("this kernel has no tracepoint {}", program.name),
        (ProgramError::Btf(_), Hook::Function) => format!("this kernel has no function {}", program.name),
        (_, Hook::Tracepoint) => chain(&error),
        (_, Hook::Function) => {
            format!("this kernel does not let programs attach to functions (fentry): {}", chain(&error))
        }
    })
}

fn map_counters(programs: &Ebpf, cpus: usize, idle_cpus_are_empty: bool) -> Result<Counters, String> {
    let arrays = Arrays {
        machine: array(programs, COUNTERS_MAP)?,
        scopes: array(programs, SCOPE_COUNTERS_MAP)?,
        tables: array(programs, SCOPES_MAP)?,
    };
    Counters::map(&arrays, cpus, idle_cpus_are_empty)
        .map_err(|error: io::Error| format!("cannot map the counters: {error}"))
}

fn array<'a>(programs: &'a Ebpf, name: &str) -> Result<BorrowedFd<'a>, String> {
    match programs.map(name) {
        Some(Map::Array(map)) => Ok(map.fd().as_fd()),
        _ => Err(format!("khor.bpf.o lacks the map {name}")),
    }
}

fn take_cues(programs: &mut Ebpf) -> Result<CueRing, String> {
    let map = programs.take_map(CUES_MAP).ok_or_else(|| format!("khor.bpf.o lacks the map {CUES_MAP}"))?;
    let ring: RingBuf<MapData> = map.try_into().map_err(|error: aya::maps::MapError| chain(&error))?;
    Ok(CueRing::new(ring))
}

/// If no program could be attached, returns the error of the first program. Otherwise `None`.
fn common_failure(states: &[ProbeState]) -> Option<String> {
    if states.iter().any(|state| state.outcome.is_ok()) {
        return None;
    }
    states.first().and_then(|state| state.outcome.clone().err())
}

/// Returns advice about `RLIMIT_MEMLOCK` if `reason` is a permission error. Before Linux 5.11 this
/// limit, often 64 KiB, applies to programs and maps. If the limit is exceeded, the error is the
/// same as for a missing capability.
pub(super) fn memlock_advice(reason: &str) -> &'static str {
    if reason.contains("os error 1)") {
        " (before kernel 5.11 also raise `ulimit -l`, or set LimitMEMLOCK=infinity in the systemd unit)"
    } else {
        ""
    }
}

/// Joins an error and its causes into one line. The output of the kernel's verifier is not part of
/// the line, because khor logs this output separately.
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
    let (text, verifier) = text.split_once("Verifier output:").unwrap_or((&text, ""));
    if !verifier.trim().is_empty() {
        tracing::debug!("output of the kernel's verifier:{verifier}");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The verifier's output is long and takes time, so khor requests it only for debugging.
fn verifier_log_level() -> VerifierLogLevel {
    if tracing::enabled!(tracing::Level::DEBUG) { VerifierLogLevel::DEBUG } else { VerifierLogLevel::DISABLE }
}

#[cfg(test)]
mod tests {
    use std::{os::fd::AsRawFd, thread};

    use khor_e2e::{
        load::direct_io,
        skip::{root_or_skip, skip},
    };
    use khor_layout::Slot;

    use super::*;
    use crate::{polled::Missed, probes::program_info};

    const THREADS: u64 = 8;
    const MEBIBYTES: u64 = 16;
    /// Number of attempts, of which one must be exact. On some machines, BPF programs do not run
    /// while a thread of PID 1 runs (docs/decisions.md), so some attempts miss events.
    const ATTEMPTS: usize = 4;

    /// In this test, the map has room for only one request, so most requests are not timed. All
    /// other counts must stay exact.
    #[test]
    fn full_map_loses_only_request_times() {
        if root_or_skip() {
            assert!(
                (0..ATTEMPTS).any(|_| all_is_counted_with_a_full_map()),
                "reads are missing in every attempt"
            );
        }
    }

    fn load_with(kernel_reads: Result<(), String>) -> Loaded {
        let cpus = possible_cpus().unwrap();
        load_for(cpus, requests_in_flight(cpus), kernel_reads).unwrap()
    }

    /// Names of the loaded programs that call `bpf_probe_read_kernel`. `None` if the kernel hides
    /// its addresses.
    fn programs_that_read(loaded: &Loaded) -> Option<Vec<String>> {
        let helper = program_info::helper_offset("bpf_probe_read_kernel")?;
        let attached =
            loaded.programs.programs().filter_map(|(name, program)| Some((name, program.fd().ok()?)));
        let reading = attached.filter(|(_, fd)| program_info::helper_calls(fd.as_fd()).contains(&helper));
        Some(reading.map(|(name, _)| name.to_owned()).collect())
    }

    /// A kernel in confidentiality lockdown rejects every program that calls
    /// `bpf_probe_read_kernel`.
    #[test]
    fn machine_counts_without_kernel_reads() {
        const REASON: &str = "the kernel is locked down";
        if !root_or_skip() {
            return;
        }
        let locked = load_with(Err(REASON.into()));
        let Some(reading) = programs_that_read(&locked) else { return skip("needs readable /proc/kallsyms") };
        assert_eq!(reading, [""; 0]);
        for counter in locked.counter_states() {
            assert_eq!(counter.machine, Availability::Available, "{}", counter.counter);
            let absent = Availability::Absent { reason: REASON.into() };
            assert_eq!(counter.scope, absent, "{}", counter.counter);
        }
        let mut of_scopes = PROGRAMS.iter().filter(|program| program.serves_only_scopes()).peekable();
        assert!(of_scopes.peek().is_some());
        for program in of_scopes {
            let state = locked.states.iter().find(|state| state.name == program.name).unwrap();
            assert_eq!(state.outcome, Err(REASON.into()), "{}", program.name);
        }
        drop(locked);
        if lockdown::require_reads().is_ok() {
            let reading = programs_that_read(&load_with(Ok(()))).unwrap();
            assert!(
                reading.iter().any(|name| name == "sched_switch"),
                "the test can see such calls: {reading:?}"
            );
        }
    }

    #[test]
    fn missed_events_sum_recursion_misses() {
        if !root_or_skip() {
            return;
        }
        let loaded = load_with(lockdown::require_reads());
        let attached = loaded.programs.programs().filter_map(|(_, program)| program.fd().ok());
        let attached: Vec<_> = attached.map(|fd| fd.as_fd()).collect();
        let missed = Missed::open(attached.iter().map(AsRawFd::as_raw_fd));
        let Some(first) = missed.read(&mut Vec::new()) else {
            return skip("this kernel does not count missed events");
        };
        let by_info: u64 = attached.iter().map(|fd| program_info::recursion_misses(*fd)).sum();
        let second = missed.read(&mut Vec::new()).unwrap();
        assert!((first..=second).contains(&by_info), "{first} {by_info} {second}");
    }

    fn all_is_counted_with_a_full_map() -> bool {
        let directory = std::env::current_exe().unwrap().parent().unwrap().join("full-map");
        let loaded = load_for(possible_cpus().unwrap(), 1, lockdown::require_reads()).unwrap();
        let before = loaded.counters.machine();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let directory = directory.join(thread.to_string());
                scope.spawn(move || {
                    std::fs::create_dir_all(&directory).unwrap();
                    if let Err(error) = direct_io(&directory, MEBIBYTES as usize) {
                        skip(&format!("no direct I/O here: {error}"));
                    }
                });
            }
        });
        let after = loaded.counters.machine();
        let moved = |slot: Slot| after[slot as usize] - before[slot as usize];
        let requests = moved(Slot::ReadRequests) + moved(Slot::WriteRequests);
        println!("{} of {requests} requests were timed", moved(Slot::TimedRequests));
        assert!(moved(Slot::TimedRequests) < requests / 2, "most requests are not timed");
        let mean_ns = moved(Slot::LatencyNs) / moved(Slot::TimedRequests).max(1);
        assert!(mean_ns < 5_000_000_000, "a request that never completes is not timed: {mean_ns} ns");
        std::fs::remove_dir_all(directory).unwrap();
        moved(Slot::ReadBytes) >= (THREADS * MEBIBYTES) << 20
    }
}
