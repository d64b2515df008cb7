//! Tests a collector whose kernel rejects some probes. For the whole machine, the engine reads the
//! missing counters from `/proc`. Every report names the probe, the reason and the fix.

use std::process::Command;

use khor_e2e::{Engine, LimitedCollector, Scrape, engine::program, load, procfs, wait_until};
use khor_proto::Counter;
use serde_json::Value;

/// Why the fake collector's probes are missing.
const REASON: &str = "Invalid argument (os error 22)";

/// A fake collector that counts forks, but lacks the probes for context switches and program
/// starts.
fn limited() -> LimitedCollector {
    LimitedCollector::start(&[
        (Counter::Forks, None),
        (Counter::Switches, Some(REASON)),
        (Counter::Execs, Some(REASON)),
    ])
}

/// The entry of a probe in `/api/health`.
fn probe(engine: &Engine, counter: Counter) -> Value {
    let probes = engine.get("/api/health")["probes"].clone();
    let found = probes
        .as_array()
        .expect("a list of probes")
        .iter()
        .find(|probe| probe["name"] == counter.name())
        .cloned();
    found.expect("the probe in the list")
}

fn total(engine: &Engine, name: &str) -> u64 {
    engine.get("/api/metrics")["totals"][name].as_u64().expect("a total in the metrics")
}

fn assert_names_probe(text: &Value) {
    let text = text.as_str().expect("an error in text");
    assert!(text.contains(&format!("{} ({REASON})", Counter::Switches)), "{text}");
}

#[test]
fn reports_name_missing_probe_and_fix() {
    let collector = limited();
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    let health = engine.get("/api/health");
    assert_eq!(health["bpf"]["ok"], false, "{:#}", health["bpf"]);
    for part in ["bpf", "source"] {
        assert_names_probe(&health[part]["error"]);
        assert!(health[part]["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{:#}", health[part]);
    }
    assert_eq!(probe(&engine, Counter::Switches)["available"], true);
    let exec = probe(&engine, Counter::Execs);
    assert_eq!((&exec["available"], exec["reason"].as_str()), (&Value::Bool(false), Some(REASON)));
    let doctor = Command::new(program("khor"))
        .args(["doctor", "--json", "--socket"])
        .arg(collector.socket())
        .output()
        .expect("starting khor doctor");
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(text.contains("khor reads these from /proc") && text.contains(REASON), "{text}");
}

#[test]
fn only_missing_counters_come_from_proc() {
    const ROUNDS: u32 = 20_000;
    let collector = limited();
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    let kernel = procfs::stat("ctxt");
    // The engine reuses a reading of /proc for 0.1 s. So the first new reading may be older than
    // the test's own reading, but the second one is not.
    let mut before = total(&engine, "sched_switch_total");
    for _ in 0..2 {
        let last = before;
        wait_until("another reading of /proc", || {
            before = total(&engine, "sched_switch_total");
            before > last
        });
    }
    load::ping_pong(load::scaled(ROUNDS));
    let switches = 2 * u64::from(load::scaled(ROUNDS));
    wait_until("the load's context switches", || total(&engine, "sched_switch_total") - before >= switches);
    let ours = total(&engine, "sched_switch_total") - before;
    let kernel = procfs::stat("ctxt") - kernel;
    println!("the engine counted {ours} switches, the kernel {kernel}");
    assert!(ours <= kernel, "the engine counted {ours} switches, more than the kernel's {kernel}");
    // The fake collector reports the number of its samples as the number of forks. If the engine
    // read the forks from /proc, it would report far more.
    let forks = Scrape::of(&engine).total(Counter::Forks);
    assert!(forks <= collector.samples(), "{forks} forks do not come from the collector");
}

#[test]
fn scope_counters_never_come_from_proc() {
    let collector = limited();
    let dir = tempfile::TempDir::new().expect("creating a temporary directory");
    let config = serde_json::json!({ "bpf": { "cgroup": "x.service" } });
    std::fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let engine = Engine::start_in(dir, collector.socket(), &["--no-audio"], &[]);
    wait_until("the source collector", || engine.get("/api/health")["source"]["kind"] == "collector");
    let switches = probe(&engine, Counter::Switches);
    assert_eq!((&switches["available"], switches["reason"].as_str()), (&Value::Bool(false), Some(REASON)));
}
