//! The messages that khor's relays send over NATS: [frames](Frame) of hosts at regular times,
//! [cues](Cue), and [site frames](SiteFrame) of whole sites.
//!
//! The relay computes rates, baselines and deviations, because it has the data. A subscriber needs
//! no history to understand a frame. A lost frame costs a fifth of a second and nothing else.
//!
//! # Subjects
//!
//! `khor.v1.<site>.<host>.frame` and `khor.v1.<site>.<host>.cue`, on core NATS: see [`subject`]. A
//! frame also names its host, so a frame under another host's subject is detected.
//!
//! A relay that aggregates a site publishes it within another: `khor.v1.<other site>.<site>.site`.
//! The other site then contains hosts and sites. An aggregated site contains only hosts.
//!
//! # The bytes
//!
//! A message begins with two bytes for its kind (`kF` a frame, `kC` a cue, `kS` a site's frame) and
//! two for the major and minor version of its format. The fields follow in order, in bincode 1 with
//! `DefaultOptions`, as in khor-proto. Numbers below 251 take one byte. Larger ones are `fb` and 2
//! bytes, `fc` and 4 bytes, or `fd` and 8 bytes, little-endian. `u8` and `f32` are their own bytes.
//! A text is its length and UTF-8. An `Option` is `00`, or `01` and the value. A list is its length
//! and its elements.
//!
//! A newer minor version appends fields, and signals at the end of their list. A reader skips what
//! it does not know. A field that an older version lacks is empty. Cues have version 1.0, frames
//! and site frames 1.1. Any other change is a new major version. A frame without added lanes is at
//! most [`MAX_FRAME_BYTES`] long. A reader accepts [`MAX_READ_BYTES`], so that newer versions can
//! append. For a site's frame the limits are [`MAX_SITE_BYTES`] and [`MAX_READ_SITE_BYTES`]. Hosts'
//! frames inside a site's frame are whole messages, each with its length, so they may grow as well.

mod cue;
mod frame;
mod name;
mod site;
pub mod sketch;
pub mod subject;
mod wire;

pub use cue::Cue;
pub use frame::{AddedLane, Frame, SIGNALS, Signal, Source};
pub use name::{Name, NameError};
pub use site::{Change, LaneSketches, Section, Sections, SignalSketches, SiteFrame};
pub use wire::{
    MAX_CUE_BYTES, MAX_FRAME_BYTES, MAX_READ_BYTES, MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message, ReadError,
    WriteError,
};
