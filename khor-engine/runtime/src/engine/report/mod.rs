//! Converts the state into the types of the API (`khor-api`), with one module for each. Reads the
//! state and computes nothing.

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
    metrics::{controls, metrics, signals},
};
pub use self::{history::WrittenPoint, measures::Measures};
