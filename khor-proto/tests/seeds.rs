//! Checks the seeds of the fuzz targets, which are the inputs with which fuzzing starts.
//! `fuzz/seeds` must contain one file for each kind of message.
//!
//! To write the files in `fuzz/seeds` again, run
//! `KHOR_WRITE_SEEDS=1 cargo test -p khor-proto --test seeds`.

use std::{fs, path::Path};

use khor_proto::{
    Availability, ClientMessage, CounterInfo, Cue, CueInfo, CueKind, Hello, MAGIC, ProtocolVersion, Sample,
    Scope, Selector, ServerMessage, Subscribe, Subscribed, Unit, Welcome,
    frame::{self, Message},
};

fn hello() -> ClientMessage {
    let versions = vec![ProtocolVersion::CURRENT, ProtocolVersion { major: 2, minor: 300 }];
    ClientMessage::Hello(Hello { magic: MAGIC, versions, client: "seed".into() })
}

fn subscribe() -> ClientMessage {
    let include = vec![Selector::Cgroup("/a.slice".into()), Selector::Process(70_000)];
    let scope = Scope::Selected { include, exclude: vec![Selector::Process(1)] };
    ClientMessage::Subscribe(Subscribe { interval_ms: 5000, scope, cues: CueKind::ALL.to_vec() })
}

fn welcome() -> ServerMessage {
    let absent = || Availability::Absent { reason: "no".into() };
    let counter = |unit, availability| CounterInfo { name: "execs".into(), unit, availability };
    ServerMessage::Welcome(Welcome {
        version: ProtocolVersion::CURRENT,
        collector_version: "0.1.0".into(),
        kernel_release: "6.1".into(),
        boot_id: "b".into(),
        cpus: 4,
        counters: vec![counter(Unit::Count, Availability::Available), counter(Unit::Nanoseconds, absent())],
        cues: vec![CueInfo { kind: CueKind::Oom, availability: absent() }],
    })
}

fn cue() -> ServerMessage {
    let (pid, comm) = (Some(300), Some("sh".into()));
    ServerMessage::Cue(Cue {
        kind: CueKind::Crash,
        t_ns: 1 << 40,
        pid,
        comm,
        cgroup_id: Some(7),
        detail: Some(11),
    })
}

fn check<M: Message>(target: &str, name: &str, messages: &[M]) {
    let bytes: Vec<u8> =
        messages.iter().flat_map(|message| frame::encode(message).expect("encoding")).collect();
    assert!(bytes.len() < 128, "the seed {name} is not small");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let file = folder.join(name);
    if std::env::var_os("KHOR_WRITE_SEEDS").is_some() {
        fs::create_dir_all(&folder).expect("making the folder");
        fs::write(&file, &bytes).expect("writing a seed");
    }
    assert_eq!(fs::read(&file).expect("reading a seed"), bytes, "{}", file.display());
}

#[test]
fn seeds_of_clients_are_current() {
    check("client_message", "hello", &[hello()]);
    check("client_message", "subscribe", &[ClientMessage::Subscribe(Subscribe::default())]);
    check("client_message", "conversation", &[hello(), subscribe(), subscribe()]);
}

#[test]
fn seeds_of_the_collector_are_current() {
    let reason = || "why".to_owned();
    let sample = |counters| ServerMessage::Sample(Sample { seq: 7, t_ns: 1 << 40, counters });
    let availability = vec![Availability::Available, Availability::Absent { reason: reason() }];
    check("server_message", "welcome", &[welcome()]);
    check("server_message", "refused", &[ServerMessage::Refused { reason: reason() }]);
    check("server_message", "sample", &[sample(vec![Some(300), None, Some(5)])]);
    check("server_message", "bye", &[ServerMessage::Bye { reason: reason() }]);
    check(
        "server_message",
        "subscribed",
        &[ServerMessage::Subscribed(Subscribed { interval_ms: 20, availability })],
    );
    check("server_message", "cue", &[cue()]);
    check("server_message", "lost", &[ServerMessage::Lost { cues: 300 }]);
    check("server_message", "conversation", &[welcome(), sample(vec![Some(1)]), cue()]);
}
