//! The signals: names, families, units and meanings. The API, the page and the music share this
//! list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A signal: one named lane derived from the kernel's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignalId {
    /// Program starts.
    Exec,
    /// New processes and threads.
    Fork,
    /// Bytes received from outside the machine.
    Rx,
    /// Bytes sent out of the machine.
    Tx,
    /// Bytes that stayed inside the machine.
    Local,
    /// TCP segments sent again.
    Retx,
    /// Bytes read from and written to block devices.
    Io,
    /// Time a disk request took.
    Lat,
    /// Share of time some task waited for I/O.
    Stall,
    /// Share of time some task waited for memory.
    Mem,
    /// Page faults.
    Fault,
    /// Share of time some task waited for a CPU.
    Cpu,
    /// Context switches.
    Csw,
    /// Device interrupts.
    Irq,
    /// Soft interrupts.
    Softirq,
}

/// Signals that belong together: one colour on the page, one timbre and register in the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Processes: exec, fork.
    Process,
    /// Network: rx, tx, local, retx.
    Network,
    /// Disk: io, lat, stall.
    Disk,
    /// Memory: mem, fault.
    Memory,
    /// Kernel and CPU: cpu, csw, irq, softirq.
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
    use SignalId::{Cpu, Csw, Exec, Fault, Fork, Io, Irq, Lat, Local, Mem, Retx, Rx, Softirq, Stall, Tx};
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
        info(Local, "local", "local traffic", Network, "B/s"),
        info(Retx, "retx", "retransmits", Network, "1/s"),
        info(Io, "io", "disk traffic", Disk, "B/s"),
        info(Lat, "lat", "disk waits", Disk, "s"),
        info(Stall, "stall", "waiting on disk", Disk, "ratio"),
        info(Mem, "mem", "memory pressure", Memory, "ratio"),
        info(Fault, "fault", "page faults", Memory, "1/s"),
        info(Cpu, "cpu", "waiting on cpu", Kernel, "ratio"),
        info(Csw, "csw", "switches", Kernel, "1/s"),
        info(Irq, "irq", "interrupts", Kernel, "1/s"),
        info(Softirq, "softirq", "soft interrupts", Kernel, "1/s"),
    ]
};

impl SignalId {
    /// Number of signals.
    pub const COUNT: usize = 15;

    /// Position in every `PerSignal` array.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What it is, for people.
    pub const fn info(self) -> &'static SignalInfo {
        &SIGNALS[self as usize]
    }
}
