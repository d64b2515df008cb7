//! Counts the messages that were refused, by reason.

use khor_proto::inert;

/// Most characters of a subject that are shown. A server accepts any text without spaces as a
/// subject.
const SUBJECT_CHARS: usize = 200;

/// Messages that were refused since the program started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Longer than any message of khor.
    pub oversized: u64,
    /// No messages of khor.
    pub foreign: u64,
    /// Of an unknown major version.
    pub version: u64,
    /// Broken, or with meaningless values.
    pub malformed: u64,
    /// Sent under another host's subject.
    pub misdirected: u64,
    /// Older than a message that came before.
    pub late: u64,
    /// Of a relay that uses another relay's name.
    pub duplicate: u64,
    /// Of hosts, sites or relays above the limit.
    pub crowded: u64,
    /// Cues above the limit of a host.
    pub flooded: u64,
    /// Frames of sites that contain sites, or frames of sites at a relay that aggregates.
    pub nested: u64,
    /// Why the last message was refused.
    pub last: Option<String>,
}

impl Refused {
    /// Number of reasons.
    pub const REASONS: usize = 10;

    /// Counts one message.
    pub(super) fn note(&mut self, count: fn(&mut Self) -> &mut u64, subject: &str, why: &str) {
        *count(self) += 1;
        self.last = Some(format!("{}: {why}", inert::escaped(subject, SUBJECT_CHARS)));
    }

    /// Each reason with its count.
    pub fn by_reason(&self) -> [(&'static str, u64); Self::REASONS] {
        let Self {
            oversized,
            foreign,
            version,
            malformed,
            misdirected,
            late,
            duplicate,
            crowded,
            flooded,
            nested,
            last: _,
        } = *self;
        [
            ("oversized", oversized),
            ("foreign", foreign),
            ("version", version),
            ("malformed", malformed),
            ("misdirected", misdirected),
            ("late", late),
            ("duplicate", duplicate),
            ("crowded", crowded),
            ("flooded", flooded),
            ("nested", nested),
        ]
    }
}
