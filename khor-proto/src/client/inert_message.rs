//! Makes the texts of a received message safe to print.

use crate::{Availability, ServerMessage, Welcome, inert};

impl ServerMessage {
    /// Replaces characters that could control a terminal or disturb a page. The message may contain
    /// such characters for two reasons: a process may choose any name, and the program that listens
    /// at the socket's path may not be the collector.
    pub(super) fn made_inert(mut self) -> Self {
        match &mut self {
            Self::Welcome(welcome) => welcome.make_inert(),
            Self::Refused { reason } | Self::Bye { reason } => make_inert(reason),
            Self::Subscribed(subscribed) => {
                subscribed.availability.iter_mut().for_each(Availability::make_inert);
            }
            Self::Cue(cue) => cue.comm.iter_mut().for_each(make_inert),
            Self::Sample(_) | Self::Lost { .. } => {}
        }
        self
    }
}

impl Welcome {
    fn make_inert(&mut self) {
        let Self { collector_version, kernel_release, boot_id, counters, cues, version: _, cpus: _ } = self;
        for text in [collector_version, kernel_release, boot_id] {
            make_inert(text);
        }
        let of_counters = counters.iter_mut().map(|counter| &mut counter.availability);
        for availability in of_counters.chain(cues.iter_mut().map(|cue| &mut cue.availability)) {
            availability.make_inert();
        }
    }
}

impl Availability {
    fn make_inert(&mut self) {
        if let Self::Absent { reason } = self {
            make_inert(reason);
        }
    }
}

fn make_inert(text: &mut String) {
    *text = inert::owned_line(std::mem::take(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CounterInfo, Cue, CueInfo, CueKind, ProtocolVersion, Subscribed, Unit};

    #[test]
    fn a_received_message_has_no_active_text() {
        let hostile = || "a\x1b]52;c;\u{202e}".to_owned();
        let absent = || Availability::Absent { reason: hostile() };
        let cue = Cue {
            kind: CueKind::Crash,
            t_ns: 1,
            pid: None,
            comm: Some(hostile()),
            cgroup_id: None,
            detail: None,
        };
        let welcome = Welcome {
            version: ProtocolVersion::CURRENT,
            collector_version: hostile(),
            kernel_release: hostile(),
            boot_id: hostile(),
            cpus: 1,
            counters: vec![CounterInfo { name: "execs".into(), unit: Unit::Count, availability: absent() }],
            cues: vec![CueInfo { kind: CueKind::Crash, availability: absent() }],
        };
        for message in [
            ServerMessage::Welcome(welcome),
            ServerMessage::Refused { reason: hostile() },
            ServerMessage::Bye { reason: hostile() },
            ServerMessage::Subscribed(Subscribed { interval_ms: 20, availability: vec![absent()] }),
            ServerMessage::Cue(cue),
        ] {
            let shown = format!("{:?}", message.made_inert());
            // `Debug` would print a remaining control, bidirectional or invisible character as
            // `\u{…}`.
            assert!(shown.contains("a\u{fffd}]52;c;\u{fffd}") && !shown.contains("\\u{"), "{shown}");
        }
    }
}
