//! The signals: their names, families, units and what they mean. The one list that API, page and music share.

use serde::{Deserialize, Serialize};

/// A signal: one named lane derived from the kernel's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalId {
    /// Program starts.
    Exec,
    /// New processes and threads.
    Fork,
    /// Bytes received.
    Rx,
    /// Bytes sent.
    Tx,
    /// TCP segments sent again.
    Retx,
    /// Bytes read from and written to block devices.
    Io,
    /// Share of time some task waited for I/O.
    Stall,
    /// Share of time some task waited for memory.
    Mem,
    /// Share of time some task waited for a CPU.
    Cpu,
    /// Context switches.
    Csw,
    /// Device interrupts.
    Irq,
}

/// Signals that belong together: one colour on the page, one timbre and register in the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Processes: exec, fork.
    Process,
    /// Network: rx, tx, retx.
    Network,
    /// Disk: io, stall.
    Disk,
    /// Memory pressure: mem.
    Memory,
    /// Kernel and CPU: csw, irq, cpu.
    Kernel,
}

/// What a signal is, for people.
#[derive(Clone, Copy, Debug)]
pub struct SignalInfo {
    /// Which one.
    pub id: SignalId,
    /// Name in config, API, OSC and page.
    pub name: &'static str,
    /// Two or three plain words.
    pub label: &'static str,
    /// Family it belongs to.
    pub family: Family,
    /// Unit of its rate.
    pub unit: &'static str,
}

/// All signals in catalogue order (the order of every `PerSignal` array and of the page's lanes).
pub const SIGNALS: [SignalInfo; SignalId::COUNT] = {
    use Family::{Disk, Kernel, Memory, Network, Process};
    use SignalId::{Cpu, Csw, Exec, Fork, Io, Irq, Mem, Retx, Rx, Stall, Tx};
    const fn info(
        id: SignalId,
        name: &'static str,
        label: &'static str,
        family: Family,
        unit: &'static str,
    ) -> SignalInfo {
        SignalInfo { id, name, label, family, unit }
    }
    [
        info(Exec, "exec", "program starts", Process, "1/s"),
        info(Fork, "fork", "new tasks", Process, "1/s"),
        info(Rx, "rx", "received", Network, "B/s"),
        info(Tx, "tx", "sent", Network, "B/s"),
        info(Retx, "retx", "retransmits", Network, "1/s"),
        info(Io, "io", "disk traffic", Disk, "B/s"),
        info(Stall, "stall", "waiting on disk", Disk, "ratio"),
        info(Mem, "mem", "memory pressure", Memory, "ratio"),
        info(Cpu, "cpu", "waiting on cpu", Kernel, "ratio"),
        info(Csw, "csw", "switches", Kernel, "1/s"),
        info(Irq, "irq", "interrupts", Kernel, "1/s"),
    ]
};

impl SignalId {
    /// Number of signals.
    pub const COUNT: usize = 11;

    /// Position in every `PerSignal` array.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What it is, for people.
    pub const fn info(self) -> &'static SignalInfo {
        &SIGNALS[self as usize]
    }
}
