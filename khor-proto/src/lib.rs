//! The protocol between `khor-collector` and its clients.
//!
//! The collector counts kernel events and serves the counts on a Unix stream socket. This crate is all a
//! third party needs to read them: the [messages](message), the [framing](frame) and a [`client`] that
//! reconnects by itself.

pub mod message;

pub use message::{
    Availability, ClientMessage, CounterInfo, Hello, MAGIC, ProtocolVersion, Sample, Scope, ServerMessage,
    Subscribe, Unit, Welcome, counter,
};
