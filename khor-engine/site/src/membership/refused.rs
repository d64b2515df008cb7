//! Counts rejected messages by reason.

use khor_proto::inert;

/// Maximum number of characters of a subject that khor shows to the user. A server accepts any text
/// without spaces as a subject.
const SUBJECT_CHARS: usize = 200;

/// Counts of the messages that were rejected since the program started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Number of messages that are longer than any message of khor.
    pub oversized: u64,
    /// Number of messages that do not begin like a message of khor.
    pub foreign: u64,
    /// Number of messages with an unknown major version.
    pub version: u64,
    /// Number of messages that are damaged or have invalid values.
    pub malformed: u64,
    /// Number of messages that were published under the subject of another host.
    pub misdirected: u64,
    /// Number of messages that arrived after a newer one.
    pub late: u64,
    /// Number of messages from a relay that uses the name of another relay.
    pub duplicate: u64,
    /// Number of messages that were rejected because there are too many hosts, sites or relays.
    pub crowded: u64,
    /// Number of cues that a host sent faster than its limit allows.
    pub flooded: u64,
    /// Number of frames of sub-sites that themselves contain sites. A relay that aggregates rejects
    /// the frames of every sub-site, and counts them here.
    pub nested: u64,
    /// Why the last message was rejected.
    pub last: Option<String>,
}

impl Refused {
    /// Number of reasons.
    pub const REASONS: usize = 10;

    /// Counts one rejected message, and stores the reason.
    pub(super) fn note(&mut self, count: fn(&mut Self) -> &mut u64, subject: &str, why: &str) {
        *count(self) += 1;
        self.last = Some(format!("{}: {why}", inert::escaped(subject, SUBJECT_CHARS)));
    }

    /// The number of rejected messages for each reason.
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
