//! What khor's relays send over NATS: [frames](Frame), one a host and moment, and [cues](Cue); of
//! whole sites, [site frames](SiteFrame).
//!
//! Rates, baselines and deviations are computed by the relay, where the data is. A listener needs
//! no history to understand a frame, so one that is lost costs a fifth of a second and nothing
//! else.
//!
//! # Subjects
//!
//! `khor.v1.<site>.<host>.frame` and `khor.v1.<site>.<host>.cue`, on core NATS: see [`subject`].
//! The frame names its host again, so one that was sent under another's subject can be told.
//!
//! A relay that aggregates a site publishes it within another: `khor.v1.<other site>.<site>.site`.
//! So the members of that other site are hosts and sites. An aggregated site has only hosts.
//!
//! # The bytes
//!
//! Two bytes say what it is (`kF` a frame, `kC` a cue, `kS` a site's frame), two more the version
//! of its form, major and minor; then come the fields in order, in bincode 1 with `DefaultOptions`,
//! as in khor-proto: numbers below 251 take one byte, larger ones `fb` + 2, `fc` + 4 or `fd` + 8
//! little-endian; `u8` and `f32` stand as they are; a text is its length and UTF-8; an `Option` is
//! `00`, or `01` and the value; a list is its length and its elements.
//!
//! A newer minor version appends fields, and signals at the end of their list; a reader passes over
//! what it does not know, and takes what an older one lacks as nothing. Frames and cues are of 1.0,
//! sites' frames of 1.1. Anything else is a new major version. A frame is at most
//! [`MAX_FRAME_BYTES`] long, and a reader takes up to [`MAX_READ_BYTES`], so that there is room to
//! append; of a site's frame it is [`MAX_SITE_BYTES`] and [`MAX_READ_SITE_BYTES`]. Hosts' frames
//! inside a site's are whole messages with a length each, so they may grow as well.

mod cue;
mod frame;
mod name;
mod site;
pub mod sketch;
pub mod subject;
mod wire;

pub use cue::Cue;
pub use frame::{Frame, SIGNALS, Signal, Source};
pub use name::{Name, NameError};
pub use site::{Change, LaneSketches, Section, Sections, SignalSketches, SiteFrame};
pub use wire::{
    MAX_CUE_BYTES, MAX_FRAME_BYTES, MAX_READ_BYTES, MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message, ReadError,
    WriteError,
};
