//! Compares khor's counts with the kernel's own counts.
//!
//! On every stock kernel, khor's count and the kernel's count are equal at the first attempt. The
//! exception is a virtual machine in which the host runs its own agent as PID 1 and shields it. The
//! kernel of such a machine runs no BPF program while a thread of PID 1 runs. khor then misses
//! context switches and interrupts that the kernel counts. Software inside the machine cannot
//! change this (docs/specification.md, "Counts against the kernel's own").

use std::{sync::OnceLock, thread, time::Duration};

use khor_e2e::{Bracket, Collector, Subscriber, procfs};
use khor_proto::{Counter, Scope, Selector};

/// Number of attempts on a machine with a shielded agent. One attempt must be exact.
const ATTEMPTS: usize = 12;

/// Whether PID 1 is a shielded agent, that is, a process whose context switches the kernel counts
/// but khor cannot see.
pub(crate) fn agent_is_shielded(collector: &Collector) -> bool {
    static SHIELDED: OnceLock<bool> = OnceLock::new();
    *SHIELDED.get_or_init(|| {
        let scope = Scope::only(Selector::Process(1));
        let mut subscriber =
            Subscriber::new(collector.socket(), scope, &[]).expect("subscribing to the collector");
        // A locked-down kernel supports no scopes, so this test is impossible. The machines of
        // `cargo xtask vm` have no shielded agent.
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

/// How much work a test does while khor and the kernel count it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// As much work as in the documented measurements of accuracy.
    Whole,
    /// So little work that the shielded agent (PID 1) probably sleeps until the work is done.
    Little,
}

impl Amount {
    pub(crate) fn of(self, whole: u64) -> u64 {
        if self == Self::Whole { whole } else { (whole / 64).max(1) }
    }
}

/// Checks khor's count against the kernel's count. Without a shielded agent, the two must be equal
/// at the first attempt. With a shielded agent, they must be equal in one of several attempts, most
/// of which do little work. In the other attempts, khor's count may be lower by up to 5 % of the
/// kernel's count plus 10 events.
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

/// Reads the kernel's count of context switches, minus the switches of a shielded agent.
pub(crate) fn visible_switches(collector: &Collector) -> impl Fn() -> u64 {
    let shielded = agent_is_shielded(collector);
    move || {
        // PID 1 may switch between this reading and the next one. The error is small, because PID 1
        // sleeps most of the time, and `agrees` tolerates it.
        let invisible = if shielded { procfs::switches_of(1) } else { 0 };
        procfs::stat("ctxt") - invisible
    }
}
