//! The messages that khor's relays send over NATS: [frames](Frame) of single hosts,
//! [cues](Cue), and [site frames](SiteFrame) of whole sites.
//!
//! The relay computes rates, baselines and deviations, so a subscriber needs no history to
//! understand a frame. If a frame is lost, the next one follows after 200 ms.
//!
//! # Subjects
//!
//! Hosts publish under `khor.v1.<site>.<host>.frame` and `khor.v1.<site>.<host>.cue`, see
//! [`subject`]. khor uses core NATS, without streams. A frame also names its host, so a receiver
//! detects a frame that was published under another host's subject.
//!
//! A relay that aggregates a site publishes the sum within another site, under
//! `khor.v1.<other site>.<site>.site`. The other site then contains hosts and sites. An aggregated
//! site contains only hosts.
//!
//! # The bytes
//!
//! A message begins with two bytes for its kind: `kF` for a frame, `kC` for a cue, `kS` for a site
//! frame. Next come the major and the minor version of its format, one byte each, and then the
//! fields in order. The encoding is bincode 1 with `DefaultOptions`, as in khor-proto. A number
//! below 251 takes one byte. A larger number begins with the byte `fb`, `fc` or `fd` (hexadecimal).
//! The number follows in 2, 4 or 8 bytes, little-endian. A `u8` is always one byte and an `f32`
//! always four bytes, without such a prefix. A text is its length, followed by its UTF-8 bytes. An
//! `Option` is `00`, or `01` followed by the value. A list is its length, followed by its elements.
//!
//! A newer minor version appends fields to a message, or signals to the list of signals. A reader
//! skips unknown fields and signals. A field that is missing in an older version counts as empty.
//! Any other change of the format needs a new major version. Currently, cues have version 1.0, and
//! frames and site frames have version 1.1.
//!
//! A relay sends at most [`MAX_FRAME_BYTES`] in a frame without added lanes. A reader accepts up to
//! [`MAX_READ_BYTES`], so that newer versions can append fields. The corresponding limits of a site
//! frame are [`MAX_SITE_BYTES`] and [`MAX_READ_SITE_BYTES`]. A site frame contains whole frames of
//! hosts, each preceded by its length, so newer versions can append fields to these frames too.

mod cue;
mod frame;
mod name;
mod server_address;
mod site;
pub mod sketch;
pub mod subject;
mod wire;

pub use cue::Cue;
pub use frame::{AddedLane, Frame, SIGNALS, Signal, Source};
pub use name::{Name, NameError};
pub use server_address::{SERVER_ADDRESS_FORM, ServerAddressError};
pub use site::{Change, LaneSketches, Section, Sections, SignalSketches, SiteFrame};
pub use wire::{
    MAX_CUE_BYTES, MAX_FRAME_BYTES, MAX_READ_BYTES, MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message, ReadError,
    WriteError,
};
