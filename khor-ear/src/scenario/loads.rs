//! Defines the loads. A load is a list of rates per second at intensity 1, which are added to the
//! rates of an idle machine.

use crate::adapter::Counter::{
    self, CpuStallUs, EdgeRxBytes, EdgeRxPackets, EdgeTxBytes, EdgeTxPackets, Execs, Faults, Forks,
    IoStallUs, Irqs, LatencyNs, LocalBytes, LocalPackets, MemStallUs, ReadBytes, ReadRequests, Retransmits,
    Softirqs, Switches, TimedRequests, WriteBytes, WriteRequests,
};

/// How a rate varies around its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The rate is constant, except for the slow drift.
    Steady,
    /// The rate is high for 0.8 s, then low for 0.5 s.
    Gusty,
    /// The rate is high for 1.5 s of about 5 s, like the write-back of dirty pages.
    Periodic,
    /// The rate has a short burst about every 8 s, like timers, agents and mail.
    Rare,
}

/// One counter of a load: the counter, its mean rate per second, and how the rate varies.
pub type Part = (Counter, f64, Shape);

use Shape::{Gusty, Periodic, Rare, Steady};

/// The rates of an idle machine of size 1. On a bigger machine, all rates except pressure are
/// higher.
pub const IDLE: &[Part] = &[
    (Execs, 0.25, Rare),
    (Forks, 0.7, Rare),
    (EdgeRxBytes, 1.6e3, Rare),
    (EdgeRxPackets, 9.0, Rare),
    (EdgeTxBytes, 1.1e3, Rare),
    (EdgeTxPackets, 8.0, Rare),
    (LocalBytes, 700.0, Rare),
    (LocalPackets, 6.0, Rare),
    (Switches, 750.0, Steady),
    (ReadBytes, 2e3, Rare),
    (ReadRequests, 0.3, Rare),
    (WriteBytes, 24e3, Periodic),
    (WriteRequests, 3.0, Periodic),
    (Irqs, 180.0, Steady),
    (CpuStallUs, 2.5e3, Steady),
    (IoStallUs, 1.2e3, Periodic),
    (Softirqs, 400.0, Steady),
    (Faults, 300.0, Rare),
    (TimedRequests, 3.3, Periodic),
    (LatencyNs, 3.3e6, Periodic),
];

/// The loads that the classifier must distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadClass {
    /// The machine does only its background work.
    Idle,
    /// A large file is received and written to disk.
    Download,
    /// A large file is read and sent.
    Upload,
    /// Files are copied from one disk to another.
    Disk,
    /// Many compilers run, in sequence and in parallel.
    Compile,
    /// Programs need more memory than the machine has.
    Memory,
    /// Traffic is moderate, and part of it is lost.
    Lossy,
    /// Scripts keep starting programs, and a device keeps sending interrupts.
    Storm,
}

/// Loads whose classification is only reported. The classifier is never trained on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrainedLoad {
    /// Files are read and sent to another machine.
    Backup,
    /// A little traffic flows steadily in both directions.
    VideoCall,
    /// The machine spends nearly all its time swapping.
    SwapStorm,
    /// Processes multiply until they reach a limit.
    ForkBomb,
}

/// A load that a simulated machine can run.
pub trait Load: Copy {
    /// Name of the load in tables.
    fn name(self) -> &'static str;
    /// The rates that the load adds to the idle machine's rates.
    fn parts(self) -> &'static [Part];
}

impl LoadClass {
    /// All classes, in the order of the confusion matrix.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::Download,
        Self::Upload,
        Self::Disk,
        Self::Compile,
        Self::Memory,
        Self::Lossy,
        Self::Storm,
    ];

    /// Position of the class in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl UntrainedLoad {
    /// All untrained loads.
    pub const ALL: [Self; 4] = [Self::Backup, Self::VideoCall, Self::SwapStorm, Self::ForkBomb];
}

impl Load for LoadClass {
    fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Disk => "disk",
            Self::Compile => "compile",
            Self::Memory => "memory",
            Self::Lossy => "lossy",
            Self::Storm => "storm",
        }
    }

    fn parts(self) -> &'static [Part] {
        match self {
            Self::Idle => &[],
            Self::Download => DOWNLOAD,
            Self::Upload => UPLOAD,
            Self::Disk => DISK,
            Self::Compile => COMPILE,
            Self::Memory => MEMORY,
            Self::Lossy => LOSSY,
            Self::Storm => STORM,
        }
    }
}

impl Load for UntrainedLoad {
    fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup over network",
            Self::VideoCall => "video call",
            Self::SwapStorm => "swap storm",
            Self::ForkBomb => "fork bomb, contained",
        }
    }

    fn parts(self) -> &'static [Part] {
        match self {
            Self::Backup => BACKUP,
            Self::VideoCall => VIDEO_CALL,
            Self::SwapStorm => SWAP_STORM,
            Self::ForkBomb => FORK_BOMB,
        }
    }
}

/// The rates of all loads and a fork bomb together.
pub fn everything() -> Vec<Part> {
    LoadClass::ALL
        .iter()
        .flat_map(|class| class.parts())
        .chain(UntrainedLoad::ForkBomb.parts())
        .copied()
        .collect()
}

const DOWNLOAD: &[Part] = &[
    (EdgeRxBytes, 12e6, Steady),
    (EdgeRxPackets, 2.2e3, Steady),
    (EdgeTxBytes, 160e3, Steady),
    (EdgeTxPackets, 2.0e3, Steady),
    (WriteBytes, 11e6, Periodic),
    (WriteRequests, 60.0, Periodic),
    (IoStallUs, 25e3, Periodic),
    (Switches, 5.5e3, Steady),
    (Irqs, 4.2e3, Steady),
    (CpuStallUs, 8e3, Steady),
    (Softirqs, 6e3, Steady),
    (Faults, 300.0, Steady),
    (TimedRequests, 60.0, Periodic),
    (LatencyNs, 180e6, Periodic),
];

const UPLOAD: &[Part] = &[
    (EdgeTxBytes, 6e6, Steady),
    (EdgeTxPackets, 1.4e3, Steady),
    (EdgeRxBytes, 110e3, Steady),
    (EdgeRxPackets, 1.3e3, Steady),
    (ReadBytes, 6e6, Gusty),
    (ReadRequests, 50.0, Gusty),
    (IoStallUs, 15e3, Gusty),
    (Switches, 4e3, Steady),
    (Irqs, 2.8e3, Steady),
    (CpuStallUs, 6e3, Steady),
    (Softirqs, 4e3, Steady),
    (Faults, 200.0, Steady),
    (TimedRequests, 50.0, Gusty),
    (LatencyNs, 75e6, Gusty),
];

const DISK: &[Part] = &[
    (ReadBytes, 45e6, Steady),
    (ReadRequests, 380.0, Steady),
    (WriteBytes, 42e6, Gusty),
    (WriteRequests, 340.0, Gusty),
    (IoStallUs, 420e3, Steady),
    (Switches, 3.5e3, Steady),
    (Irqs, 1.6e3, Steady),
    (CpuStallUs, 12e3, Steady),
    (Softirqs, 2.5e3, Steady),
    (Faults, 300.0, Steady),
    (TimedRequests, 720.0, Steady),
    (LatencyNs, 5.8e9, Steady),
];

const COMPILE: &[Part] = &[
    (Execs, 28.0, Gusty),
    (Forks, 46.0, Gusty),
    (CpuStallUs, 520e3, Steady),
    (ReadBytes, 1.2e6, Gusty),
    (ReadRequests, 40.0, Gusty),
    (WriteBytes, 5e6, Periodic),
    (WriteRequests, 60.0, Periodic),
    (IoStallUs, 20e3, Periodic),
    (Switches, 3.2e3, Gusty),
    (Irqs, 350.0, Steady),
    (Softirqs, 1.2e3, Steady),
    (Faults, 15e3, Gusty),
    (TimedRequests, 100.0, Periodic),
    (LatencyNs, 300e6, Periodic),
];

const MEMORY: &[Part] = &[
    (MemStallUs, 340e3, Gusty),
    (IoStallUs, 280e3, Gusty),
    (ReadBytes, 22e6, Gusty),
    (ReadRequests, 900.0, Gusty),
    (WriteBytes, 14e6, Gusty),
    (WriteRequests, 220.0, Gusty),
    (CpuStallUs, 90e3, Steady),
    (Switches, 5e3, Steady),
    (Irqs, 1.9e3, Steady),
    (Softirqs, 3e3, Steady),
    (Faults, 9e3, Gusty),
    (TimedRequests, 1120.0, Gusty),
    (LatencyNs, 7.8e9, Gusty),
];

const LOSSY: &[Part] = &[
    (Retransmits, 11.0, Gusty),
    (EdgeRxBytes, 520e3, Gusty),
    (EdgeRxPackets, 420.0, Gusty),
    (EdgeTxBytes, 480e3, Gusty),
    (EdgeTxPackets, 430.0, Gusty),
    (Switches, 1.3e3, Steady),
    (Irqs, 850.0, Steady),
    (Softirqs, 2.2e3, Steady),
    (Faults, 100.0, Steady),
];

const STORM: &[Part] = &[
    (Execs, 170.0, Steady),
    (Forks, 330.0, Steady),
    (CpuStallUs, 300e3, Steady),
    (Switches, 38e3, Steady),
    (Irqs, 28e3, Steady),
    (Softirqs, 30e3, Steady),
    (Faults, 80e3, Steady),
];

const BACKUP: &[Part] = &[
    (ReadBytes, 28e6, Steady),
    (ReadRequests, 240.0, Steady),
    (EdgeTxBytes, 26e6, Steady),
    (EdgeTxPackets, 5e3, Steady),
    (EdgeRxBytes, 350e3, Steady),
    (EdgeRxPackets, 4.2e3, Steady),
    (IoStallUs, 160e3, Steady),
    (CpuStallUs, 30e3, Steady),
    (Switches, 9e3, Steady),
    (Irqs, 7e3, Steady),
    (Softirqs, 9e3, Steady),
    (Faults, 300.0, Steady),
    (TimedRequests, 240.0, Steady),
    (LatencyNs, 1.9e9, Steady),
];

const VIDEO_CALL: &[Part] = &[
    (EdgeRxBytes, 270e3, Steady),
    (EdgeRxPackets, 260.0, Steady),
    (EdgeTxBytes, 220e3, Steady),
    (EdgeTxPackets, 230.0, Steady),
    (CpuStallUs, 40e3, Steady),
    (Switches, 6e3, Steady),
    (Irqs, 1.4e3, Steady),
    (Softirqs, 1.5e3, Steady),
    (Faults, 300.0, Steady),
];

const SWAP_STORM: &[Part] = &[
    (MemStallUs, 850e3, Steady),
    (IoStallUs, 800e3, Steady),
    (ReadBytes, 70e6, Steady),
    (ReadRequests, 4e3, Steady),
    (WriteBytes, 60e6, Steady),
    (WriteRequests, 1.5e3, Steady),
    (CpuStallUs, 200e3, Steady),
    (Switches, 14e3, Steady),
    (Irqs, 6e3, Steady),
    (Softirqs, 10e3, Steady),
    (Faults, 30e3, Steady),
    (TimedRequests, 5.5e3, Steady),
    (LatencyNs, 66e9, Steady),
];

const FORK_BOMB: &[Part] = &[
    (Forks, 1.6e3, Gusty),
    (Execs, 3.0, Rare),
    (CpuStallUs, 900e3, Steady),
    (MemStallUs, 30e3, Gusty),
    (Switches, 60e3, Steady),
    (Irqs, 900.0, Steady),
    (Softirqs, 3e3, Steady),
    (Faults, 90e3, Gusty),
];
