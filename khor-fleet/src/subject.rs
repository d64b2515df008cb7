//! Subjects: where on NATS a host's frames and cues go.

use crate::{Cue, Frame, Message, Name, NameError, SiteFrame};

/// First words of every subject: the name, and the major version of what is sent there.
const ROOT: &str = "khor.v1";

/// What is sent under a subject.
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

/// Where a host sends, or who tells of a site within a site.
pub fn of_host(site: &Name, host: &Name, kind: Kind) -> String {
    format!("{ROOT}.{site}.{host}.{}", kind.word())
}

/// What a listener to a whole site subscribes to.
pub fn of_site(site: &Name, kind: Kind) -> String {
    format!("{ROOT}.{site}.*.{}", kind.word())
}

/// The host, or the site within the site, of a subject.
pub fn host(subject: &str) -> Result<Name, NameError> {
    Name::new(subject.split('.').nth(3).unwrap_or_default())
}
