//! Serves HTTP with limits, and metrics as text.
//!
//! [`accept`] is the accept loop. It is our own because warp's has no limit on connections and none
//! on a half-sent request. [`negotiation`] reads what a client accepts, and [`MetricsFormat`]
//! writes metrics for Prometheus.

mod connections;
mod metrics_text;
pub mod negotiation;
mod server;

pub use self::{
    connections::{ConnectionSlot, MAX_CONNECTIONS},
    metrics_text::MetricsFormat,
    server::{HEAD_TIMEOUT, accept, stopped},
};
