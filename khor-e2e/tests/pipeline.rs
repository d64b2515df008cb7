//! Tests the path of the data, without sound: kernel → collector → engines → API and OSC.

use std::{
    io::{BufRead, BufReader, ErrorKind},
    net::UdpSocket,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use khor_e2e::{
    Collector, Engine, Wait,
    engine::program,
    free_port, load,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::hang_timeout;
use serde_json::json;

fn collector() -> Collector {
    Collector::start(&program("khor-collector"), &["--no-dbus"])
}

#[test]
fn two_engines_share_one_collector() {
    if !root_or_skip() {
        return;
    }
    let collector = collector();
    let engines = [(); 2].map(|()| Engine::start(collector.socket(), &["--no-audio"], &[]));
    for engine in &engines {
        engine.wait_for_source("collector");
        let health = engine.get("/api/health");
        assert_eq!(health["bpf"]["ok"], true, "{health:#}");
        assert!(
            engine.level("exec").expect("a level of exec") < 0.9,
            "exec has a full level on an idle machine"
        );
    }
    let totals = |engine: &Engine| engine.metrics().totals.exec_total.expect("a total of program starts");
    let before = engines.each_ref().map(totals);
    load::execs(300);
    for (engine, before) in engines.iter().zip(before) {
        wait_until("the execs to be counted", || totals(engine) >= before + 300);
        wait_until("the level of exec to rise", || {
            load::execs(20);
            engine.level("exec").is_some_and(|level| level > 0.5)
        });
    }
}

/// The collector is killed repeatedly under load, while two engines are connected.
#[test]
fn collector_restart_causes_no_spike() {
    const ROUNDS: u32 = 100;
    if !root_or_skip() {
        return;
    }
    let first = collector();
    let socket = first.socket().to_owned();
    let engines = [(); 2].map(|()| Engine::start(&socket, &["--no-audio"], &[]));
    let dir = first.into_dir();
    let _load = load::Background::start(|| load::ping_pong(500));
    let mut slowest = Duration::ZERO;
    for _ in 0..ROUNDS {
        let again = Collector::start_in(&dir, &program("khor-collector"), &["--no-dbus"]);
        for engine in &engines {
            slowest = slowest.max(engine.wait_for_source("collector"));
            for _ in 0..10 {
                let rates = engine.get("/api/metrics")["rates"].clone();
                assert!(
                    rates["csw_s"].as_f64().unwrap_or(0.0) < 1e6,
                    "a rate jumped after a restart: {rates}"
                );
                assert!(
                    rates["rx_kbs"].as_f64().unwrap_or(0.0) < 1e6,
                    "a rate jumped after a restart: {rates}"
                );
            }
        }
        drop(again); // kills the collector
        for engine in &engines {
            wait_until("the loss to be reported", || engine.health().bpf.health.trouble.is_some());
            assert_eq!(engine.level("exec"), None, "a level without a source");
        }
    }
    println!("after {ROUNDS} restarts, an engine received counts again within at most {slowest:?}");
    for engine in &engines {
        engine.wait_for_source("proc");
        assert!(engine.get("/api/health")["source"]["fix"].is_string());
    }
}

/// Starts liblo's `oscdump`. Returns a receiver of its lines with their times of arrival, and a
/// guard that kills it. `None` if it is not installed.
fn oscdump(port: u16) -> Option<(mpsc::Receiver<(Instant, String)>, impl Drop)> {
    struct Kill(std::process::Child);
    impl Drop for Kill {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let mut child =
        Command::new("oscdump").args(["-L", &port.to_string()]).stdout(Stdio::piped()).spawn().ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    Some((receiver, Kill(child)))
}

/// Waits for a line for which `fits` returns true. `what` names it in errors.
fn line(
    lines: &mpsc::Receiver<(Instant, String)>,
    what: &str,
    fits: impl Fn(&str) -> bool,
) -> (Instant, String) {
    let mut wait = Wait::new(&format!("an OSC message with {what}"));
    loop {
        match lines.recv_timeout(Duration::from_millis(500)) {
            Ok(found) if fits(&found.1) => return found,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                panic!("oscdump ended before a message with {what} arrived")
            }
            _ => wait.check(String::new),
        }
    }
}

#[test]
fn osc_reports_burst_at_once() {
    if !root_or_skip() {
        return;
    }
    let port = free_port();
    let Some((lines, _kill)) = oscdump(port) else { return skip("needs oscdump (package liblo-tools)") };
    let collector = collector();
    let engine = Engine::start(collector.socket(), &["--no-audio", "--osc"], &[]);
    engine.wait_for_source("collector");
    let (status, answer) = engine.change(&json!({"osc": {"port": port}}));
    assert_eq!((status, answer["ok"].as_bool()), (200, Some(true)), "{answer}");

    line(&lines, "a note", |line| line.contains("/khor/note iiff "));
    line(&lines, "the metrics", |line| line.contains("/khor/metrics fffffffff "));
    line(&lines, "a deviation", |line| line.contains("/khor/deviation sf \"csw\""));
    let exec_level =
        |line: &str| -> Option<f64> { line.split_once("/khor/signal sf \"exec\" ")?.1.trim().parse().ok() };
    // Wait for a low level, so that the burst makes it rise.
    wait_until("a level of exec below 0.3", || {
        thread::sleep(Duration::from_millis(200));
        engine.level("exec").is_some_and(|level| level < 0.3)
    });
    while lines.try_recv().is_ok() {}
    let burst = Instant::now();
    load::execs(40);
    let (risen, _) = line(&lines, "exec above 0.4", |line| exec_level(line).is_some_and(|level| level > 0.4));
    println!("the level rose {:?} after the first exec", risen - burst);
}

/// Checks the time tags of the notes. Receivers that ignore the tags play a note when it arrives.
/// The times of arrival depend on the machine, so the test only prints them.
#[test]
fn osc_notes_stay_even_under_load() {
    /// Length of a step at 110 bpm: a quarter of a beat.
    const STEP_S: f64 = 60.0 / 110.0 / 4.0;
    /// Largest allowed distance of a time tag from the grid of steps, in seconds.
    const MOST_S: f64 = 0.005;
    let socket = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    socket.set_read_timeout(Some(hang_timeout())).expect("setting the read timeout");
    let port = socket.local_addr().expect("the socket's address").port();
    let _busy: Vec<_> = (0..2).map(|_| load::Background::start(|| load::ping_pong(500))).collect();
    let engine = Engine::start("/nonexistent".as_ref(), &["--fake", "--no-audio", "--osc"], &[]);
    // This preset has neither swing nor strum, so each note is on a step.
    let change = json!({"osc": {"port": port}, "music": {"preset": "arp", "bpm": 110, "density": 1.0}});
    assert_eq!(engine.change(&change).0, 200);
    let now_s = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64();
    // Ignore the notes of the previous preset, which has a strum and plays until the end of its
    // bar.
    let from_s = now_s() + 32.0 * STEP_S;
    let (mut onsets_s, mut leads_s, mut packet) = (Vec::new(), Vec::new(), [0; 2048]);
    while onsets_s.len() < 100 {
        let length = match socket.recv(&mut packet) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            length => length.expect("an OSC packet"),
        };
        let arrived_s = now_s();
        if let Some(onset_s) = note_onset_s(&packet[..length]).filter(|onset_s| *onset_s > from_s) {
            onsets_s.push(onset_s);
            leads_s.push(onset_s - arrived_s);
        }
    }
    let p95 = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() * 95 / 100]
    };
    // Distances between notes, in steps. After a pause of half a second, the engine restarts its
    // grid of steps, which causes one uneven distance.
    let steps = onsets_s.windows(2).map(|pair| (pair[1] - pair[0]) / STEP_S);
    let tags_s = p95(steps.map(|steps| (steps - steps.round()).abs() * STEP_S).collect());
    let mut sorted = leads_s.clone();
    sorted.sort_by(f64::total_cmp);
    let lead_s = sorted[sorted.len() / 2];
    let arrivals_s = p95(leads_s.iter().map(|lead| (lead - lead_s).abs()).collect());
    println!(
        "p95: tags are {:.2} ms off the grid; packets arrive {:.2} ms off the median, {:.1} ms before their tags",
        tags_s * 1e3,
        arrivals_s * 1e3,
        lead_s * 1e3
    );
    // The composer sets exact time tags, even if it runs late.
    assert!(tags_s <= MOST_S, "the notes' tags are {tags_s} s off the grid");
}

/// The time tag of a bundle that contains a note, seconds since 1970.
fn note_onset_s(packet: &[u8]) -> Option<f64> {
    const SINCE_1900_S: f64 = 2_208_988_800.0;
    let tag = packet.strip_prefix(b"#bundle\0")?.first_chunk()?;
    packet.windows(10).any(|part| part == b"/khor/note").then_some(())?;
    Some(u64::from_be_bytes(*tag) as f64 / 4_294_967_296.0 - SINCE_1900_S)
}
