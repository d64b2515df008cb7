//! Tests that the bytes of OSC messages do not change, because other programs read them. Each line
//! of the fixture is one datagram. The fixture never changes.

use std::{
    net::UdpSocket,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use khor_music::{Instrument, Layer, Note, Role};
use khor_output::osc::{OscEvent, OscOutput, OscTarget};
use khor_signal::{Catalogue, Lane, SignalId};

const OSC_1: &str = include_str!("fixtures/osc-1.txt");

fn events() -> [OscEvent; 4] {
    let note = Note {
        onset_s: 1.0,
        duration_s: 0.5,
        midi: 62,
        velocity: 0.25,
        pan: 0.0,
        brightness: 0.0,
        role: Role::Bass,
        instrument: Instrument::Bass,
        layer: Layer::Pulse,
        signal: None,
    };
    let lane = |i: usize| Lane { level: i as f32 / 16.0, deviation: i as f32 - 4.0, surprise: 0.5 };
    let mut lanes = std::array::from_fn(|i| Some(lane(i)));
    lanes[SignalId::Rx.index()] = None;
    [
        // The note is overdue, so the thread sends it immediately.
        OscEvent::Note(note, UNIX_EPOCH + Duration::from_millis(1_790_000_000_250)),
        OscEvent::Lanes(Catalogue::kernel(), lanes.into()),
        OscEvent::Cue("crash", "sh".into(), 4711),
        OscEvent::Metrics([1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 99.5]),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn osc_datagrams_match_the_fixture() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(khor_patience::hang_timeout())).unwrap();
    let target = OscTarget { host: "127.0.0.1".into(), port: socket.local_addr().unwrap().port() };
    let output = OscOutput::start(vec![target], Arc::default()).unwrap();
    // The thread sends due notes before it waits for the next event.
    for event in events() {
        output.send(event);
    }
    let mut buffer = [0; 2048];
    for expected in OSC_1.lines() {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(hex(&buffer[..length]), expected);
    }
}
