//! From counters to signals: rates in one place, levels in another; no I/O and no clock of its own.

mod catalogue;
mod counters;
mod level;
mod pipeline;
mod rate;

pub use catalogue::{Family, SIGNALS, SignalId, SignalInfo};
pub use counters::{Counter, Counters, Frame, PerCounter};
pub use level::{Leveller, default_ceilings, level};
pub use pipeline::{Pipeline, Reading};
pub use rate::{CounterRates, counter_rates};

/// One value for every signal, in catalogue order.
pub type PerSignal<T> = [T; SignalId::COUNT];

/// Levels of all signals at one instant, each 0..=1; `None` is "absent", never zero.
pub type Levels = PerSignal<Option<f32>>;
