//! Tests a real suspend of the machine while collector and engine run.

use std::{
    ops::Range,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{CounterReading, Engine, wait_until};
use khor_proto::{Counter, Unit};
use nix::time::{ClockId, clock_gettime};

use crate::unit::{PATH, complaints, journal_now, listen, main_pid, output_of, require_a_machine_of_our_own};

/// Longer than the watchdog of the unit allows for silence.
const ASLEEP: Duration = Duration::from_secs(35);
/// How long before and after it is listened.
const AWAKE: Duration = Duration::from_secs(5);
/// Samples that must arrive after the machine wakes.
const SAMPLES_AFTER: usize = 20;
/// How much equal levels may differ. Waking up is some work.
const LIKE_BEFORE: f64 = 0.25;
/// A signal was really at work if it grew this much more in a second than in any earlier second. It
/// may then be audible.
const AT_WORK: f64 = 1.25;
/// Writes at the moment of suspend are in the last earlier sample. That sample may reach the engine
/// only after both wake up. So work from this long before the suspend may be audible for this long
/// after it.
const LAST_MOMENT_S: f64 = 1.0;
const NS_PER_S: f64 = 1e9;

/// The engine's levels at one moment of `CLOCK_BOOTTIME`.
struct Readings {
    t_s: f64,
    by_signal: Vec<(String, f64)>,
    source: String,
}

fn seconds(clock: ClockId) -> f64 {
    Duration::from(clock_gettime(clock).expect("the time")).as_secs_f64()
}

/// By how much the clock that counts suspended time is ahead of the one that doesn't.
fn slept_s() -> f64 {
    seconds(ClockId::CLOCK_BOOTTIME) - seconds(ClockId::CLOCK_MONOTONIC)
}

/// A negligible rate for counters that did not move before: a few events, a few pages, a hundredth
/// of the time. Unwritten data is written when the machine suspends.
fn hardly_any_per_s(unit: Unit) -> f64 {
    match unit {
        Unit::Count => 5.0,
        Unit::Bytes => 20_000.0,
        Unit::Microseconds => 1e4,
        Unit::Nanoseconds => 1e7,
    }
}

fn suspend() {
    output_of(&format!("rtcwake --mode no --seconds {}", ASLEEP.as_secs()));
    output_of("systemctl start systemd-suspend.service");
}

/// Rate of a counter between two readings, and what it were if the suspended time did not count.
fn rates(last: &CounterReading, now: &CounterReading, counter: Counter, slept_s: f64) -> Option<(f64, f64)> {
    let moved = (now.get(counter)? - last.get(counter)?) as f64;
    let interval_s = (now.t_ns() - last.t_ns()) as f64 / NS_PER_S;
    Some((moved / interval_s, moved / (interval_s - slept_s)))
}

fn read_levels(engine: &Engine) -> Readings {
    let metrics = engine.get("/api/metrics");
    let signals = metrics["signals"].as_object().expect("signals");
    let level =
        |(name, signal): (&String, &serde_json::Value)| Some((name.clone(), signal["level"].as_f64()?));
    let source = engine.get("/api/health")["source"]["kind"].as_str().unwrap_or("none").to_owned();
    Readings {
        t_s: seconds(ClockId::CLOCK_BOOTTIME),
        by_signal: signals.iter().filter_map(level).collect(),
        source,
    }
}

/// What a signal is made of, where its counters are not of its name.
fn counters(signal: &str) -> &'static [Counter] {
    match signal {
        "exec" => &[Counter::Execs],
        "fork" => &[Counter::Forks],
        "rx" => &[Counter::EdgeRxBytes],
        "tx" => &[Counter::EdgeTxBytes],
        "local" => &[Counter::LocalBytes],
        "retx" => &[Counter::Retransmits],
        "io" => &[Counter::ReadBytes, Counter::WriteBytes],
        "lat" => &[Counter::LatencyNs],
        "stall" => &[Counter::IoStallUs],
        "mem" => &[Counter::MemStallUs],
        "fault" => &[Counter::Faults],
        "cpu" => &[Counter::CpuStallUs],
        "csw" => &[Counter::Switches],
        "irq" => &[Counter::Irqs],
        "softirq" => &[Counter::Softirqs],
        other => panic!("a new signal, {other}: say what it is made of"),
    }
}

/// The most that a signal's counters moved within a second, by our own readings.
fn busiest_second(readings: &[CounterReading], signal: &str) -> f64 {
    let total = |reading: &CounterReading| -> f64 {
        counters(signal).iter().filter_map(|counter| reading.get(*counter)).map(|count| count as f64).sum()
    };
    let second = |first: &CounterReading| {
        let within = |reading: &&CounterReading| {
            (first.t_ns()..=first.t_ns() + NS_PER_S as u64).contains(&reading.t_ns())
        };
        readings.iter().rfind(within).map_or(0.0, |last| total(last) - total(first))
    };
    readings.iter().map(second).fold(0.0, f64::max)
}

/// The highest level; `None` without readings.
fn highest(heard: &[Readings], within_s: Range<f64>, signal: &str) -> Option<f64> {
    let heard = heard.iter().filter(|heard| within_s.contains(&heard.t_s));
    let levels = heard.flat_map(|heard| &heard.by_signal).filter(|(name, _)| name == signal);
    levels.map(|(_, level)| *level).reduce(f64::max)
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn a_suspended_machine_wakes_without_a_spike() {
    require_a_machine_of_our_own();
    let engine = Engine::start(Path::new(PATH), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    thread::sleep(Duration::from_secs(2));
    let (pid, since, slept_before_s) = (main_pid(), journal_now(), slept_s());
    let (stop, samples) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (readings, heard, woken) = thread::scope(|scope| {
        let readings = scope.spawn(|| {
            let mut listener = listen();
            let mut next = || {
                samples.fetch_add(1, Relaxed);
                listener.sample()
            };
            std::iter::from_fn(|| (!stop.load(Relaxed)).then(&mut next)).collect::<Vec<_>>()
        });
        let heard = scope.spawn(|| {
            let every = || thread::sleep(Duration::from_millis(50));
            std::iter::from_fn(|| (!stop.load(Relaxed)).then(|| (every(), read_levels(&engine)).1))
                .collect::<Vec<_>>()
        });
        thread::sleep(AWAKE);
        suspend();
        let (woken, before) = (Instant::now(), samples.load(Relaxed));
        thread::sleep(AWAKE);
        wait_until("samples after the wake-up", || samples.load(Relaxed) > before + SAMPLES_AFTER + 2);
        stop.store(true, Relaxed);
        (readings.join().expect("samples"), heard.join().expect("levels"), woken)
    });
    println!("listened for {:?} after it woke", woken.elapsed());
    let slept_s = slept_s() - slept_before_s;
    println!("CLOCK_BOOTTIME moved {slept_s:.2} s further than CLOCK_MONOTONIC");
    assert!(slept_s > ASLEEP.as_secs_f64() / 2.0, "it was not suspended");

    let gap = readings.windows(2).max_by_key(|pair| pair[1].t_ns() - pair[0].t_ns()).expect("samples");
    let gap_s = (gap[1].t_ns() - gap[0].t_ns()) as f64 / NS_PER_S;
    let (asleep_s, awake_s) = (gap[0].t_ns() as f64 / NS_PER_S, gap[1].t_ns() as f64 / NS_PER_S);
    let after = readings.iter().filter(|reading| reading.t_ns() > gap[1].t_ns()).count();
    println!("{} samples, {after} of them after a gap of {gap_s:.2} s", readings.len());
    assert!(gap_s > slept_s - 0.1 && after > SAMPLES_AFTER, "samples go on, and their times count the gap");
    for counter in gap[0].counters().iter().filter_map(|info| Counter::from_name(&info.name)) {
        let usual = readings.windows(2).filter(|pair| pair[1].t_ns() <= gap[0].t_ns());
        let usual = usual.filter_map(|pair| rates(&pair[0], &pair[1], counter, 0.0)).map(|rate| rate.0);
        let usual = usual.fold(0.0, f64::max);
        let Some((rate, without)) = rates(&gap[0], &gap[1], counter, slept_s) else { continue };
        println!(
            "{counter}: {rate:.1}/s over the gap ({without:.0}/s without it), at most {usual:.0}/s before"
        );
        assert!(rate <= usual.max(hardly_any_per_s(counter.unit())), "{counter} jumps as the machine wakes");
    }
    let last_moment =
        readings.partition_point(|reading| (reading.t_ns() as f64) < (asleep_s - LAST_MOMENT_S) * NS_PER_S);
    let woke = readings.len() - after - 1;
    let fresh_s = awake_s + LAST_MOMENT_S;
    for (when, from_s, to_s, work) in [
        ("at once", awake_s, fresh_s, &readings[last_moment..]),
        ("later", fresh_s, f64::INFINITY, &readings[woke..]),
    ] {
        let mut at_work = 0;
        for (signal, _) in &heard[0].by_signal {
            let before = highest(&heard, 0.0..asleep_s, signal).expect("was heard");
            let after = highest(&heard, from_s..to_s, signal).expect("was heard");
            let (usual, worked) =
                (busiest_second(&readings[..last_moment], signal), busiest_second(work, signal));
            println!(
                "{signal}: level at most {before:.3} before, {after:.3} {when}; {usual:.0} in a second, then {worked:.0}"
            );
            if after >= before + LIKE_BEFORE {
                assert!(worked > usual * AT_WORK, "{signal} jumps as the machine wakes, and did nothing");
                at_work += 1;
            }
        }
        assert!(at_work * 2 < heard[0].by_signal.len(), "{at_work} signals jump as the machine wakes");
    }
    // A busy machine may deliver samples late as it wakes. The engine reads /proc in the meantime.
    let last = heard.last().map(|heard| heard.source.as_str());
    assert_eq!(last, Some("collector"), "the engine hears the collector again");
    assert_eq!(main_pid(), pid, "nobody restarted it");
    assert_eq!(complaints(&since), "");
}
