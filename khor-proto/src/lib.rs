//! The protocol between `khor-collector` and its clients, with a client in Rust.
//!
//! The collector counts kernel events and serves the counts on a Unix stream socket. A program in
//! Rust needs only [`client::reconnecting`], which connects, subscribes and reconnects. To write a
//! client in another language, read this page, which describes the conversation and the bytes, and
//! [`message`], which describes the fields of each message.
//!
//! # The conversation
//!
//! Connect to the socket whose path is in the environment variable `KHOR_SOCKET`. If the variable
//! is not set, connect to `/run/khor/collector.sock`.
//!
//! 1. Send [`Hello`] within two seconds. The collector answers with [`Welcome`], which lists the
//!    counters. If the collector does not accept the client, it sends
//!    [`Refused`](ServerMessage::Refused) with the reason and closes the connection.
//! 2. Send [`Subscribe`] to start the samples. The collector answers with [`Subscribed`]. This
//!    message contains the granted interval and the availability of each counter. The collector
//!    sends `Subscribed` again whenever one of them changes, for example when a service of the
//!    scope starts.
//! 3. Read a [`Sample`] every interval. It contains one cumulative count for each counter, in the
//!    order of [`Welcome::counters`]. The count of an absent counter is `None`. Counts start at an
//!    arbitrary value. To get a rate, divide the difference of two counts by the difference of
//!    their times. Never compare samples from before and after a `Subscribed`.
//! 4. Read a [`Cue`] for each kernel event of the kinds that the client requested.
//!    [`Lost`](ServerMessage::Lost) contains the number of dropped cues.
//! 5. Send `Subscribe` again at any time to change the interval, the scope or the kinds of cues.
//! 6. Expect a [`Bye`](ServerMessage::Bye) with the reason before the collector closes the
//!    connection.
//!
//! A client that reads too slowly gets fewer samples. The collector disconnects a client that reads
//! nothing for two seconds. A client may send at most 50 messages a second.
//!
//! If a client sends an invalid message, the collector answers with the reason and closes the
//! connection. This answer is `Refused` if the collector has not sent `Welcome` yet, and otherwise
//! `Bye`.
//!
//! # Limits for users who are not trusted
//!
//! The collector trusts root, the user who starts it by hand, and the users whom the administrator
//! names. Clients of other users have three limits:
//!
//! - Their interval is at least 100 ms, except in a scope of their own cgroups and processes.
//! - All counters are absent in a scope that names another user's process. `Subscribed` contains
//!   the reason.
//! - [`CueKind::Exec`] is absent in `Welcome`.
//!
//! # The bytes
//!
//! A frame consists of the length of its body as a little-endian `u32`, and the body. The body of a
//! client's message has at most 4096 bytes. The body of a collector's message has at most 65536
//! bytes. Each body is one [`ClientMessage`] or [`ServerMessage`], encoded in bincode:
//!
//! | Rust type | bytes |
//! |---|---|
//! | `u16`, `u32`, `u64` of at most 250 | one byte |
//! | `u16`, `u32`, `u64` of at most 65535 | `fb` + 2 bytes, little-endian |
//! | `u32`, `u64` of at most 4294967295 | `fc` + 4 bytes, little-endian |
//! | `u64` above 4294967295 | `fd` + 8 bytes, little-endian |
//! | `String` | its length in bytes as a `u64`, then the text in UTF-8 |
//! | `Vec` | the number of its elements as a `u64`, then the elements |
//! | `Option` | `00` for `None`; `01` and the value for `Some` |
//! | struct | its fields in order, without padding |
//! | enum | the position of the variant, counted from 0, as a `u32`, then the variant's fields |
//!
//! These are the bytes of `Hello`. The client is named `demo` and knows version 1.0:
//!
//! ```text
//! 0e 00 00 00              the body has 14 bytes
//! 00                       ClientMessage::Hello
//! fc 6b 68 6f 72           magic: "khor"
//! 01 01 00                 one version: 1.0
//! 04 64 65 6d 6f           "demo"
//! ```
//!
//! After `Welcome`, the client subscribes to a sample of the whole machine every 20 ms, without
//! cues:
//!
//! ```text
//! 04 00 00 00              4 bytes
//! 01                       ClientMessage::Subscribe
//! 14                       20 ms
//! 00                       Scope::Machine
//! 00                       no cues
//! ```
//!
//! This is a sample from a collector with three counters. The second counter is absent:
//!
//! ```text
//! 0f 00 00 00              15 bytes
//! 02                       ServerMessage::Sample
//! 07                       seq 7
//! fc 00 ca 9a 3b           1000000000 ns since boot
//! 03                       three counters:
//! 01 fb 2c 01              300
//! 00                       absent
//! 01 05                    5
//! ```
//!
//! A collector with a newer minor version may send messages whose variant has a higher number. Skip
//! such frames.

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
