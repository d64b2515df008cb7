//! The NATS subjects of frames and cues.

use crate::{
    cue::Cue,
    frame::Frame,
    name::{Name, NameError},
    site::SiteFrame,
    wire::Message,
};

/// First words of every subject: the name, and the major version of the messages.
const ROOT: &str = "khor.v1";

/// The kind of message under a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Frames.
    Frame,
    /// Cues.
    Cue,
    /// Frames of whole sites.
    Site,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Frame => Frame::WORD,
            Self::Cue => Cue::WORD,
            Self::Site => SiteFrame::WORD,
        }
    }
}

/// The subject that a host publishes under. For [`Kind::Site`], `host` is the aggregated site.
pub fn of_host(site: &Name, host: &Name, kind: Kind) -> String {
    format!("{ROOT}.{site}.{host}.{}", kind.word())
}

/// The subject that a subscriber to a whole site uses.
pub fn of_site(site: &Name, kind: Kind) -> String {
    format!("{ROOT}.{site}.*.{}", kind.word())
}

/// The host, or the aggregated site, in a subject.
pub fn host(subject: &str) -> Result<Name, NameError> {
    Name::new(subject.split('.').nth(3).unwrap_or_default())
}
