//! From counters to signals: rates in one place, levels in another, no I/O and no clock of its own.

mod catalogue;

pub use catalogue::{Family, SIGNALS, SignalId};

/// One value for every signal, in catalogue order.
pub type PerSignal<T> = [T; SignalId::COUNT];

/// Levels of all signals at one instant, each 0..=1; `None` is "absent", never zero.
pub type Levels = PerSignal<Option<f32>>;
