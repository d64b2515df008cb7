//! Generates arbitrary messages for property tests.

use khor_proto::{
    Availability, ClientMessage, CounterInfo, Cue, CueInfo, CueKind, Hello, ProtocolVersion, Sample, Scope,
    Selector, ServerMessage, Subscribe, Subscribed, Unit, Welcome,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Any message of a client.
pub(crate) fn client_message() -> impl Strategy<Value = ClientMessage> {
    let hello = (any::<u32>(), vec(version(), 0..4), text()).prop_map(|(magic, versions, client)| Hello {
        magic,
        versions,
        client,
    });
    let subscribe = (any::<u16>(), scope(), vec(cue_kind(), 0..6))
        .prop_map(|(interval_ms, scope, cues)| Subscribe { interval_ms, scope, cues });
    prop_oneof![hello.prop_map(ClientMessage::Hello), subscribe.prop_map(ClientMessage::Subscribe)]
}

/// Any message of the collector.
pub(crate) fn server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        welcome().prop_map(ServerMessage::Welcome),
        text().prop_map(|reason| ServerMessage::Refused { reason }),
        sample().prop_map(ServerMessage::Sample),
        text().prop_map(|reason| ServerMessage::Bye { reason }),
        subscribed().prop_map(ServerMessage::Subscribed),
        cue().prop_map(ServerMessage::Cue),
        number().prop_map(|cues| ServerMessage::Lost { cues }),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let (counters, cues) = (vec(counter_info(), 0..30), vec(cue_info(), 0..6));
    (version(), [text(), text(), text()], any::<u32>(), counters, cues).prop_map(
        |(version, [collector_version, kernel_release, boot_id], cpus, counters, cues)| Welcome {
            version,
            collector_version,
            kernel_release,
            boot_id,
            cpus,
            counters,
            cues,
        },
    )
}

fn sample() -> impl Strategy<Value = Sample> {
    (number(), number(), vec(option::of(number()), 0..30)).prop_map(|(seq, t_ns, counters)| Sample {
        seq,
        t_ns,
        counters,
    })
}

fn subscribed() -> impl Strategy<Value = Subscribed> {
    (any::<u16>(), vec(availability(), 0..30))
        .prop_map(|(interval_ms, availability)| Subscribed { interval_ms, availability })
}

fn cue() -> impl Strategy<Value = Cue> {
    let pid_and_detail = [option::of(any::<u32>()), option::of(any::<u32>())];
    (cue_kind(), number(), pid_and_detail, option::of(text()), option::of(number())).prop_map(
        |(kind, t_ns, [pid, detail], comm, cgroup_id)| Cue { kind, t_ns, pid, comm, cgroup_id, detail },
    )
}

fn scope() -> impl Strategy<Value = Scope> {
    let selectors = || vec(selector(), 0..=Scope::MAX_SELECTORS);
    let selected =
        (selectors(), selectors()).prop_map(|(include, exclude)| Scope::Selected { include, exclude });
    prop_oneof![1 => Just(Scope::Machine), 4 => selected]
}

fn selector() -> impl Strategy<Value = Selector> {
    prop_oneof![text().prop_map(Selector::Cgroup), any::<u32>().prop_map(Selector::Process)]
}

fn counter_info() -> impl Strategy<Value = CounterInfo> {
    let units = vec![Unit::Count, Unit::Bytes, Unit::Microseconds, Unit::Nanoseconds];
    (text(), select(units), availability()).prop_map(|(name, unit, availability)| CounterInfo {
        name,
        unit,
        availability,
    })
}

fn cue_info() -> impl Strategy<Value = CueInfo> {
    (cue_kind(), availability()).prop_map(|(kind, availability)| CueInfo { kind, availability })
}

fn cue_kind() -> impl Strategy<Value = CueKind> {
    select(CueKind::ALL.as_slice())
}

fn availability() -> impl Strategy<Value = Availability> {
    prop_oneof![Just(Availability::Available), text().prop_map(|reason| Availability::Absent { reason })]
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    any::<[u16; 2]>().prop_map(|[major, minor]| ProtocolVersion { major, minor })
}

/// Numbers of all magnitudes, because small numbers are encoded in fewer bytes.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..u64::BITS).prop_map(|(number, shift)| number >> shift)
}

/// Text of arbitrary characters, which have one to four bytes in UTF-8.
fn text() -> impl Strategy<Value = String> {
    "(?s).{0,24}"
}
