//! Serves HTTP with limits, and writes metrics as text.
//!
//! [`accept`] is the accept loop. khor has its own loop, because warp limits neither the number of
//! connections nor the time that a client may take to send the head of a request. [`negotiation`]
//! reads which formats and codings a client accepts. [`MetricsFormat`] writes metrics for
//! Prometheus.

mod connections;
mod metrics_text;
pub mod negotiation;
mod server;

pub use self::{
    connections::{ConnectionSlot, MAX_CONNECTIONS},
    metrics_text::MetricsFormat,
    server::{HEAD_TIMEOUT, accept, stopped},
};
