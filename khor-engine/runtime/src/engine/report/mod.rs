//! Converts the engine's state to the types of the API (`khor-api`). There is one module for each
//! report. The state is not changed.

mod columns;
mod convert;
mod fleet;
mod health;
mod history;
mod measures;
mod metrics;

pub(super) use self::{
    columns::columns,
    fleet::fleet,
    health::health,
    metrics::{controls, metrics, notes_since, signals},
};
pub use self::{history::WrittenPoint, measures::Measures};
