//! The NATS subjects of frames, cues and site frames.

use crate::{
    cue::Cue,
    frame::Frame,
    name::{Name, NameError},
    site::SiteFrame,
    wire::Message,
};

/// The first words of every subject: `khor`, and the major version of the messages.
const ROOT: &str = "khor.v1";

/// The kind of message under a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Frames of a host.
    Frame,
    /// Cues of a host.
    Cue,
    /// Site frames.
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

/// The subject under which a client subscribes to this kind of message from all hosts of a site.
pub fn of_site(site: &Name, kind: Kind) -> String {
    format!("{ROOT}.{site}.*.{}", kind.word())
}

/// Returns the host that a subject names. In the subject of a site frame, this is the name of the
/// aggregated site.
pub fn host(subject: &str) -> Result<Name, NameError> {
    Name::new(subject.split('.').nth(3).unwrap_or_default())
}
