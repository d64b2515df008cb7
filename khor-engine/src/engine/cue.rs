//! Which cue of the kernel is heard as what.

use crate::music::CueKind;

/// The cue that is heard; a program's start is only shown.
pub const fn heard_as(kind: khor_proto::CueKind) -> Option<CueKind> {
    match kind {
        khor_proto::CueKind::Oom => Some(CueKind::Oom),
        khor_proto::CueKind::Crash => Some(CueKind::Crash),
        khor_proto::CueKind::BlockError => Some(CueKind::Blkerr),
        khor_proto::CueKind::RetransmitBurst => Some(CueKind::Retx),
        khor_proto::CueKind::Exec => None,
    }
}
