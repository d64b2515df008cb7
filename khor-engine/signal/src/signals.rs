//! Defines the kernel signals: names, labels, families and units. Every catalogue begins with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kernel signal: a lane that khor computes from kernel counters. All other lanes are added to a
/// [`Catalogue`](super::Catalogue).
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
    /// Bytes sent inside the machine.
    Local,
    /// Retransmitted TCP segments.
    Retx,
    /// Bytes read from and written to block devices.
    Io,
    /// Mean duration of a disk request.
    Lat,
    /// Share of time in which at least one task waited for I/O.
    Stall,
    /// Share of time in which at least one task waited for memory.
    Mem,
    /// Page faults.
    Fault,
    /// Share of time in which at least one task waited for a CPU.
    Cpu,
    /// Context switches.
    Csw,
    /// Device interrupts.
    Irq,
    /// Soft interrupts.
    Softirq,
}

/// A group of lanes that share a colour on the page, and a timbre and register in the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Processes. The kernel signals of this family are `exec` and `fork`.
    Process,
    /// The network. The kernel signals of this family are `rx`, `tx`, `local` and `retx`.
    Network,
    /// Disks. The kernel signals of this family are `io`, `lat` and `stall`.
    Disk,
    /// Memory. The kernel signals of this family are `mem` and `fault`.
    Memory,
    /// The kernel and the CPUs. The kernel signals of this family are `cpu`, `csw`, `irq` and
    /// `softirq`.
    Kernel,
}

/// The voice that plays an added lane.
///
/// A preset's mapping selects the voice of each kernel signal. The mapping has no row for an added
/// lane, so the lane's definition names the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VoiceHint {
    /// Short, high, dry notes, for single events.
    Process,
    /// Falling notes on the left, for incoming traffic.
    Receive,
    /// Rising notes on the right, for outgoing traffic.
    Send,
    /// Very high, doubled notes, for failures and retransmissions.
    Loss,
    /// Low notes, for storage.
    Disk,
    /// Long notes in the middle register, for resources that run out.
    Memory,
    /// Short notes in the middle register, for the activity of the kernel and the CPUs.
    Kernel,
    /// Notes in the middle of the stereo field, for traffic that stays inside the machine.
    Local,
}

/// The name, label, family and unit of a signal.
#[derive(Clone, Copy, Debug)]
pub struct SignalInfo {
    /// Identifier of the signal.
    pub id: SignalId,
    /// Name of the signal in the configuration, the API, OSC and the page.
    pub name: &'static str,
    /// Label for users, one to three words.
    pub label: &'static str,
    /// Family of the signal.
    pub family: Family,
    /// Unit of the rate.
    pub unit: &'static str,
}

/// All signals in catalogue order, which is the order of every `PerSignal` array and of the page's
/// lanes.
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
        info(Lat, "lat", "disk latency", Disk, "s"),
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
    /// Number of kernel signals.
    pub const COUNT: usize = 15;

    /// Position of the signal in every `PerSignal` array.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// All signals, in catalogue order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        SIGNALS.iter().map(|info| info.id)
    }

    /// The suggested voice for the signal. It suits the signal's family and direction.
    pub const fn voice(self) -> VoiceHint {
        match self {
            Self::Exec | Self::Fork => VoiceHint::Process,
            Self::Rx => VoiceHint::Receive,
            Self::Tx => VoiceHint::Send,
            Self::Local => VoiceHint::Local,
            Self::Retx => VoiceHint::Loss,
            Self::Io | Self::Lat | Self::Stall => VoiceHint::Disk,
            Self::Mem | Self::Fault => VoiceHint::Memory,
            Self::Cpu | Self::Csw | Self::Irq | Self::Softirq => VoiceHint::Kernel,
        }
    }

    /// The signal's name, label, family and unit.
    pub const fn info(self) -> &'static SignalInfo {
        &SIGNALS[self as usize]
    }
}
