//! Measures the time from a burst of program starts to its OSC message.
//!
//! The measured time begins just before the first program of a burst of ten starts. It ends when
//! the first `/khor/signal exec` arrives whose level is at least 0.1 above the level before the
//! burst. Collector and engine run with their default settings.

use std::{
    net::UdpSocket,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{Collector, Engine, engine::program, load};
use rosc::{OscPacket, OscType, decoder};
use serde_json::json;
use tempfile::TempDir;

use crate::figure::Figure;

const BURSTS: u32 = 48;
const BURST_EXECS: u32 = 10;
/// A message counts as the effect of a burst if its level is at least this much above the level
/// before the burst.
const RISE: f32 = 0.1;
/// Below this level of `exec` the machine is quiet. A single exec raises the level to 0.12 or more.
const QUIET: f32 = 0.05;
/// Longest wait for a quiet machine. After this time, the burst is measured anyway.
const QUIET_PATIENCE: Duration = Duration::from_secs(6);
/// Longest wait for the OSC message of a burst.
const PATIENCE: Duration = Duration::from_secs(2);

/// A level of the signal `exec` and when it arrived.
type Arrival = (Instant, f32);

pub(crate) fn measure() -> Vec<Figure> {
    let osc = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    let port = osc.local_addr().expect("the address of the socket").port();
    let dir = TempDir::new().expect("creating a temporary directory");
    let config = json!({ "osc": { "host": "127.0.0.1", "port": port } });
    std::fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start_in(dir, collector.socket(), &["--no-audio", "--osc"], &[]);
    engine.wait_for_source("collector");
    let (sender, arrivals) = mpsc::channel();
    thread::spawn(move || {
        let mut datagram = [0; 1536];
        while let Ok(length) = osc.recv(&mut datagram) {
            let arrived = Instant::now();
            if let Some(level) = exec_level(&datagram[..length])
                && sender.send((arrived, level)).is_err()
            {
                return;
            }
        }
    });
    let mut level = 0.0;
    let outcomes: Vec<_> = (0..BURSTS)
        .map(|burst| {
            wait_for_quiet(&arrivals, &mut level);
            // Start the bursts at different points of the collector's interval of 20 ms.
            thread::sleep(Duration::from_micros(u64::from(burst * 20_000 / BURSTS)));
            answer(&arrivals, &mut level)
        })
        .collect();
    report(outcomes)
}

/// The level of `exec`; `None` if the datagram contains anything else.
fn exec_level(datagram: &[u8]) -> Option<f32> {
    let Ok((_, OscPacket::Message(message))) = decoder::decode_udp(datagram) else { return None };
    match (message.addr.as_str(), message.args.as_slice()) {
        ("/khor/signal", [OscType::String(name), OscType::Float(level)]) if name == "exec" => Some(*level),
        _ => None,
    }
}

/// Waits until the level of `exec` is below [`QUIET`], but at most for [`QUIET_PATIENCE`]. The
/// engine sends the level only when it changes, so the last received level is the current one.
fn wait_for_quiet(arrivals: &Receiver<Arrival>, level: &mut f32) {
    let begun = Instant::now();
    while begun.elapsed() < QUIET_PATIENCE {
        match arrivals.recv_timeout(Duration::from_millis(100)) {
            Ok((_, now)) => *level = now,
            Err(RecvTimeoutError::Timeout) if *level < QUIET => return,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the thread that receives OSC ended"),
        }
        if *level < QUIET {
            return;
        }
    }
}

/// Starts a burst. Returns the time until its OSC message, in ms; `None` if no message arrives.
fn answer(arrivals: &Receiver<Arrival>, level: &mut f32) -> Option<f64> {
    let quiet = arrivals.try_iter().last().map_or(*level, |(_, now)| now);
    let begun = Instant::now();
    load::execs(BURST_EXECS);
    loop {
        let left = (begun + PATIENCE).saturating_duration_since(Instant::now());
        let (arrived, now) = arrivals.recv_timeout(left).ok()?;
        *level = now;
        if arrived >= begun && now >= quiet + RISE {
            return Some((arrived - begun).as_secs_f64() * 1000.0);
        }
    }
}

fn report(outcomes: Vec<Option<f64>>) -> Vec<Figure> {
    const P95: &str = "program starts, time to OSC, p95";
    let missed = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    let p95 = (outcomes.len() * 95).div_ceil(100) - 1;
    let mut answered: Vec<f64> = outcomes.into_iter().flatten().collect();
    answered.sort_by(f64::total_cmp);
    // A burst without an OSC message counts as slower than all others.
    let p95 = match answered.get(p95) {
        Some(ms) => Figure::new(P95, "ms", vec![*ms]),
        None => Figure::missing(P95, "ms", "more than one burst in twenty had no OSC message"),
    };
    let missed = Figure::new(format!("bursts without a message, of {BURSTS}"), "", vec![missed as f64]);
    vec![p95, Figure::new("program starts, time to OSC", "ms", answered), missed]
}
