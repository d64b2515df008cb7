//! The protocol between `khor-collector` and its clients.
//!
//! The collector counts kernel events and serves the counts on a Unix stream socket. This crate is all a
//! third party needs to read them: the [messages](message), the [framing](frame) and a [`client`] that
//! reconnects by itself. What follows is enough to write a client in another language.
//!
//! # The conversation
//!
//! Connect to `/run/khor/collector.sock` (or what `KHOR_SOCKET` names).
//!
//! 1. Within two seconds send [`Hello`]. The answer is [`Welcome`], which lists the counters, or `Refused` with
//!    a reason and the end of the connection.
//! 2. Send [`Subscribe`] to start the samples; send it again at any time to change interval, scope
//!    or cues. The answer is [`Subscribed`], with the available counters and the interval. The
//!    collector sends it again when one of these changes, such as when a service of the scope
//!    starts.
//! 3. Read a [`Sample`] every interval. Its counters stand in the order of the list in `Welcome` and count from
//!    an arbitrary start; a rate is the difference of two samples over the difference of their times. Samples on both
//!    sides of a `Subscribed` do not compare. A client that is slow simply gets fewer samples; one that reads nothing
//!    for two seconds is disconnected.
//! 4. Read a [`Cue`] whenever something of a kind happens that you asked for. `Lost` says how many were dropped.
//! 5. `Bye` gives the reason why the collector closes the connection.
//!
//! The collector limits clients whose user is neither root nor trusted by the administrator. They
//! get an interval of 100 ms or more, except in their own cgroups and processes. In a scope that
//! names another user's process, all counters are absent with the reason. [`CueKind::Exec`] is
//! absent in `Welcome`.
//!
//! Anything malformed is answered with the reason (`Refused` before `Welcome`, `Bye` after) and a close.
//!
//! # The bytes
//!
//! A frame is the length of its body as a little-endian `u32`, then the body: at most 4096 bytes from a client,
//! 65536 to it. A body is one [`ClientMessage`] or [`ServerMessage`] in bincode:
//!
//! | Rust | bytes |
//! |---|---|
//! | `u16`, `u32`, `u64` below 251 | the number, one byte |
//! | larger | `fb` + 2 bytes, `fc` + 4 bytes or `fd` + 8 bytes, little-endian, the shortest that fits |
//! | `String` | length in bytes as a number, then UTF-8 |
//! | `Vec` | number of elements, then the elements |
//! | `Option` | `00`, or `01` and the value |
//! | struct | its fields in order, nothing between them |
//! | enum | position of the variant as a number from 0, then its fields |
//!
//! A client named `demo` that speaks version 1.0 says
//!
//! ```text
//! 0e 00 00 00              the body has 14 bytes
//! 00                       ClientMessage::Hello
//! fc 6b 68 6f 72           magic: "khor"
//! 01 01 00                 one version: 1.0
//! 04 64 65 6d 6f           "demo"
//! ```
//!
//! then asks for a sample every 20 ms from the whole machine
//!
//! ```text
//! 04 00 00 00              4 bytes
//! 01                       ClientMessage::Subscribe
//! 14                       20 ms
//! 00                       Scope::Machine
//! 00                       no cues
//! ```
//!
//! and reads, from a collector with three counters, the second of which is absent
//!
//! ```text
//! 0f 00 00 00              15 bytes
//! 02                       ServerMessage::Sample
//! 07                       seq 7
//! fc 00 ca 9a 3b           1000000000 ns since boot
//! 03                       three counters:
//! 01 fb 2c 01              300
//! 00                       not known
//! 01 05                    5
//! ```
//!
//! A message whose number is unknown comes from a newer minor version: skip the frame.

mod availability;
#[cfg(feature = "client")]
pub mod client;
mod counter;
mod cue;
#[cfg(feature = "client")]
pub mod frame;
pub mod inert;
pub mod kernel_text;
pub mod lockdown;
pub mod message;
mod scope;

pub use self::{
    availability::Availability,
    counter::Counter,
    cue::{Cue, CueInfo, CueKind},
    message::{
        ClientMessage, CounterInfo, Hello, MAGIC, ProtocolVersion, Sample, ServerMessage, Subscribe,
        Subscribed, Unit, Welcome,
    },
    scope::{Scope, Selector},
};
