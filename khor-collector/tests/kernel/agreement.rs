//! Compares khor's counts with the kernel's.
//!
//! On every stock kernel, counts agree exactly and at the first attempt. Some virtual machines are
//! an exception: their host shields its own agent, which runs as PID 1. The kernel then runs no BPF
//! program while a thread of PID 1 runs. Events at such a moment are counted by the kernel and not
//! by khor. They are the thread's own switches, and the interrupts that it handles. The machine
//! itself cannot change this (docs/specification.md, "Counts against the kernel's own").

use std::{sync::OnceLock, thread, time::Duration};

use khor_e2e::{Bracket, Collector, Subscriber, procfs};
use khor_proto::{Counter, Scope, Selector};

/// Attempts on a machine with a shielded agent. One must be exact.
const ATTEMPTS: usize = 12;

/// Whether this machine shields its agent: the kernel counts the switches of PID 1, and khor does
/// not.
pub(crate) fn agent_is_shielded(collector: &Collector) -> bool {
    static SHIELDED: OnceLock<bool> = OnceLock::new();
    *SHIELDED.get_or_init(|| {
        let scope = Scope::only(Selector::Process(1));
        let mut subscriber =
            Subscriber::new(collector.socket(), scope, &[]).expect("subscribing to the collector");
        // A locked-down kernel has no scopes. The machines of `cargo xtask vm` shield no agent.
        if subscriber.sample().get(Counter::Switches).is_none() {
            return false;
        }
        let mut ours = || subscriber.sample().get(Counter::Switches).expect("the counter is available");
        let (first, kernel_first) = (ours(), procfs::switches_of(1));
        let begun = std::time::Instant::now();
        while procfs::switches_of(1) < kernel_first + 20 && begun.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(20));
        }
        let (kernel, ours) = (procfs::switches_of(1) - kernel_first, ours() - first);
        println!("PID 1 switched {kernel} times, of which khor counted {ours}");
        kernel > 0 && ours == 0
    })
}

/// The amount of work during a count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// The amount for which the documents state the accuracy.
    Whole,
    /// So little work that the agent probably sleeps meanwhile.
    Little,
}

impl Amount {
    pub(crate) fn of(self, whole: u64) -> u64 {
        if self == Self::Whole { whole } else { (whole / 64).max(1) }
    }
}

/// On a stock kernel, counts once, and khor's count must equal the kernel's. With a shielded agent,
/// no count may be too low by more than a twentieth plus ten, and one of several small counts must
/// be exact.
pub(crate) fn agrees(collector: &Collector, count: impl Fn(Amount) -> Bracket) {
    let whole = count(Amount::Whole);
    if !agent_is_shielded(collector) {
        return assert!(whole.holds(), "{whole:?}");
    }
    let hardly_short = |counted: Bracket| {
        assert!(counted.ours + 10 >= counted.inner - counted.inner / 20, "{counted:?}");
        counted.holds()
    };
    let exact = hardly_short(whole) || (0..ATTEMPTS).any(|_| hardly_short(count(Amount::Little)));
    assert!(exact, "none of {ATTEMPTS} attempts was exact");
}

/// The kernel's count of context switches, without those of a shielded agent.
pub(crate) fn visible_switches(collector: &Collector) -> impl Fn() -> u64 {
    let shielded = agent_is_shielded(collector);
    move || {
        // Most threads of PID 1 sleep, so the order of the two readings makes little difference.
        // `agrees` tolerates this difference.
        let invisible = if shielded { procfs::switches_of(1) } else { 0 };
        procfs::stat("ctxt") - invisible
    }
}
