//! Tests a lane that a capture adds during its playback. The lane must appear in the API, in OSC
//! messages, in the notes, on the screen of `khor top` and in renders.

use std::{
    net::UdpSocket,
    path::Path,
    process::{Child, Command},
};

use khor_e2e::{Terminal, engine::program, free_port, wait_for, wait_until};
use khor_patience::hang_timeout;
use khor_proto::Availability;
use khor_signal::{Catalogue, Counter, Family, Frame, LaneDefinition, LevelCurve, Prior, Scale, VoiceHint};
use khor_source::{CaptureWriter, Origin, SourceKind};
use rosc::{OscMessage, OscPacket, OscType};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Name of the added lane.
const NAME: &str = "mail.queue";
/// Label of the added lane.
const LABEL: &str = "mails that wait";
/// Number of the frame at which the lane appears. The capture has ten frames a second.
const APPEARS: u64 = 20;
/// Number of the frame at which the lane's values rise.
const RISES: u64 = 40;
/// Number of frames in the capture.
const FRAMES: u64 = 150;

fn lane() -> LaneDefinition {
    LaneDefinition {
        name: NAME.to_owned(),
        label: LABEL.to_owned(),
        family: Family::Network,
        unit: "mails".to_owned(),
        scale: Scale {
            grain: 1.0,
            ceiling: 10_000.0,
            prior: Prior { median: 1.0, p99: 5.0 },
            curve: LevelCurve::Log { unit: 1.0 },
        },
        voice: VoiceHint::Send,
    }
}

/// Writes a capture of an idle machine. An added lane appears, and later rises far above its
/// baseline.
fn write_capture(path: &Path) {
    let origin = Origin {
        kind: Some(SourceKind::Collector),
        machine: None,
        interval_ms: 100,
        recorder: "0.1.0".into(),
        availability: Counter::ALL.map(|_| Availability::Available),
    };
    let mut catalogue = Catalogue::kernel();
    let id = catalogue.add(lane()).expect("a valid lane");
    let mut writer = CaptureWriter::create(path, &origin, false).expect("creating the capture");
    for step in 0..FRAMES {
        let mut frame = Frame::new(step * 100_000_000, Counter::ALL.map(|_| Some(0)));
        if step == APPEARS {
            writer.lanes(&catalogue).expect("writing the catalogue");
        }
        if step >= APPEARS {
            frame.added.set(id, Some(if step < RISES { 1.0 } else { 4000.0 }));
        }
        writer.push(&frame).expect("writing a frame");
    }
    writer.finish().expect("finishing the capture");
}

/// A running `khor play`; killed when dropped.
struct Playing {
    child: Child,
    port: u16,
}

impl Playing {
    fn start(dir: &Path, osc_port: u16) -> Self {
        let port = free_port();
        let config = json!({ "features": { "osc": true }, "osc": { "host": "127.0.0.1", "port": osc_port } });
        std::fs::write(dir.join("config.json"), config.to_string()).expect("writing the configuration");
        let child = Command::new(program("khor"))
            .args(["play", "x.khor", "--loop", "--no-audio", "--config", "config.json"])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .current_dir(dir)
            .env("HOME", dir)
            .spawn()
            .expect("starting khor play");
        Self { child, port }
    }

    fn metrics(&self) -> Option<Value> {
        let mut answer = ureq::get(format!("http://127.0.0.1:{}/api/metrics", self.port)).call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Ignore the error if the program has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has_note(metrics: &Value) -> bool {
    metrics["notes"].as_array().expect("a list of notes").iter().any(|note| note["signal"] == NAME)
}

fn is_in_history(metrics: &Value) -> bool {
    let history = metrics["history"].as_array().expect("a history");
    history.iter().any(|point| point["rates"][NAME].as_f64().is_some_and(|rate| rate > 1000.0))
}

/// Waits for the next OSC message with this address and the lane's name. Returns its value.
fn osc_value(socket: &UdpSocket, address: &str) -> f32 {
    let mut buffer = [0; 2048];
    wait_for(&format!("{address} of the added lane"), || {
        let length = socket.recv(&mut buffer).ok()?;
        match rosc::decoder::decode_udp(&buffer[..length]).ok()?.1 {
            OscPacket::Message(OscMessage { addr, args }) if addr == address => match args.as_slice() {
                [OscType::String(name), OscType::Float(value)] if name == NAME => Some(*value),
                _ => None,
            },
            _ => None,
        }
    })
}

#[test]
fn added_lane_is_played_and_shown() {
    let dir = TempDir::new().expect("creating a temporary directory");
    write_capture(&dir.path().join("x.khor"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    socket.set_read_timeout(Some(hang_timeout())).expect("setting the read timeout");
    let playing = Playing::start(dir.path(), socket.local_addr().expect("the address of the socket").port());

    let metrics = wait_for("a note of the added lane", || playing.metrics().filter(has_note));
    let signal = &metrics["signals"][NAME];
    assert_eq!([&signal["label"], &signal["unit"], &signal["family"]], [LABEL, "mails", "network"]);
    assert!(signal["rate"].as_f64().is_some_and(|rate| rate > 1000.0), "{signal}");
    assert!(signal["deviation"].as_f64().is_some_and(|octaves| octaves > 3.0), "{signal}");
    let last = metrics["signals"].as_object().expect("the signals of the metrics").len();
    assert_eq!(last, 16, "number of lanes: 15 signals and the added lane");
    wait_until("the lane in the history", || playing.metrics().as_ref().is_some_and(is_in_history));

    assert!((0.0..=1.0).contains(&osc_value(&socket, "/khor/signal")));
    assert!(osc_value(&socket, "/khor/deviation").is_finite());

    let address = format!("127.0.0.1:{}", playing.port);
    let arguments = ["top", "--config", "/nonexistent/config.json", "--listen", &address];
    let mut top = Terminal::run(&program("khor"), &arguments, (120, 45), &[]);
    top.wait_for(&[NAME, LABEL, "mails"]);
    println!("{}", top.text());
    top.press("q");
    top.wait();
}

#[test]
fn capture_with_lane_renders_identically() {
    let dir = TempDir::new().expect("creating a temporary directory");
    write_capture(&dir.path().join("x.khor"));
    let render = |name: &str| {
        let rendered = Command::new(program("khor"))
            .args(["render", "x.khor", "-o", name])
            .current_dir(dir.path())
            .status()
            .expect("starting khor render");
        assert!(rendered.success());
        std::fs::read(dir.path().join(name)).expect("reading the rendered file")
    };
    assert_eq!(render("a.wav"), render("b.wav"));
    let notes = render("a.mid");
    assert_eq!(notes, render("b.mid"));
}
