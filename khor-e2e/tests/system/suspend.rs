//! Tests that a suspend of the machine causes no jump of rates or levels while collector and engine
//! run.

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

use crate::unit::{
    PATH, journal_now, journal_warnings, main_pid, output_of, require_test_machine, subscribe,
};

/// How long the machine is suspended: longer than the limit of the unit's watchdog.
const ASLEEP: Duration = Duration::from_secs(35);
/// How long the test reads the levels before the suspend, and again after it.
const AWAKE: Duration = Duration::from_secs(5);
/// Number of samples that must arrive after the machine wakes.
const SAMPLES_AFTER: usize = 20;
/// A level after the suspend may exceed the highest level before it by less than this value,
/// because waking up causes some work.
const LIKE_BEFORE: f64 = 0.25;
/// A level may rise by more than [`LIKE_BEFORE`] if the machine really works more. For this, the
/// level's counters must grow within one second by more than this many times their growth in any
/// second before the suspend.
const AT_WORK: f64 = 1.25;
/// Length of two periods, seconds: the last moment before the suspend, and the first moment after
/// it. The last sample before the suspend may reach the engine only after the wake-up. So activity
/// in the first period may raise levels in the second period.
const LAST_MOMENT_S: f64 = 1.0;
const NS_PER_S: f64 = 1e9;

/// The levels of the engine's signals, and the time of the reading on the clock `CLOCK_BOOTTIME`.
struct Readings {
    t_s: f64,
    by_signal: Vec<(String, f64)>,
    source: String,
}

/// The current time of a clock, seconds.
fn seconds(clock: ClockId) -> f64 {
    Duration::from(clock_gettime(clock).expect("reading the clock")).as_secs_f64()
}

/// Total time that the machine has been suspended so far, seconds: the difference between the clock
/// that counts suspended time and the clock that does not.
fn slept_s() -> f64 {
    seconds(ClockId::CLOCK_BOOTTIME) - seconds(ClockId::CLOCK_MONOTONIC)
}

/// The rate that a counter may reach although it did not change before the suspend: a few events, a
/// few pages, or a hundredth of the time. For example, the suspend itself writes cached data.
fn negligible_per_s(unit: Unit) -> f64 {
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

/// The rate of a counter between two readings. The second result is the rate if the suspended time
/// is excluded.
fn rates(last: &CounterReading, now: &CounterReading, counter: Counter, slept_s: f64) -> Option<(f64, f64)> {
    let growth = (now.get(counter)? - last.get(counter)?) as f64;
    let interval_s = (now.t_ns() - last.t_ns()) as f64 / NS_PER_S;
    Some((growth / interval_s, growth / (interval_s - slept_s)))
}

fn read_levels(engine: &Engine) -> Readings {
    let metrics = engine.get("/api/metrics");
    let signals = metrics["signals"].as_object().expect("the signals of the metrics");
    let level =
        |(name, signal): (&String, &serde_json::Value)| Some((name.clone(), signal["level"].as_f64()?));
    let source = engine.get("/api/health")["source"]["kind"].as_str().unwrap_or("none").to_owned();
    Readings {
        t_s: seconds(ClockId::CLOCK_BOOTTIME),
        by_signal: signals.iter().filter_map(level).collect(),
        source,
    }
}

/// The counters from which the engine computes a signal.
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
        other => panic!("the new signal {other} has no counters here; add them"),
    }
}

/// The largest growth of a signal's counters within any one second of these readings.
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

/// The highest level of a signal in a range of time; `None` without readings.
fn highest(levels: &[Readings], within_s: Range<f64>, signal: &str) -> Option<f64> {
    let readings = levels.iter().filter(|reading| within_s.contains(&reading.t_s));
    let levels = readings.flat_map(|reading| &reading.by_signal).filter(|(name, _)| name == signal);
    levels.map(|(_, level)| *level).reduce(f64::max)
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn suspend_causes_no_spike() {
    require_test_machine();
    let engine = Engine::start(Path::new(PATH), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    thread::sleep(Duration::from_secs(2));
    let (pid, since, slept_before_s) = (main_pid(), journal_now(), slept_s());
    let (stop, samples) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (readings, levels, woken) = thread::scope(|scope| {
        let readings = scope.spawn(|| {
            let mut subscriber = subscribe();
            let mut next = || {
                samples.fetch_add(1, Relaxed);
                subscriber.sample()
            };
            std::iter::from_fn(|| (!stop.load(Relaxed)).then(&mut next)).collect::<Vec<_>>()
        });
        let levels = scope.spawn(|| {
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
        (readings.join().expect("the thread of samples"), levels.join().expect("the thread of levels"), woken)
    });
    println!("read samples for {:?} after the machine woke", woken.elapsed());
    let slept_s = slept_s() - slept_before_s;
    println!("CLOCK_BOOTTIME advanced {slept_s:.2} s more than CLOCK_MONOTONIC");
    assert!(slept_s > ASLEEP.as_secs_f64() / 2.0, "the machine was not suspended long enough");

    let gap =
        readings.windows(2).max_by_key(|pair| pair[1].t_ns() - pair[0].t_ns()).expect("at least two samples");
    let gap_s = (gap[1].t_ns() - gap[0].t_ns()) as f64 / NS_PER_S;
    let (asleep_s, awake_s) = (gap[0].t_ns() as f64 / NS_PER_S, gap[1].t_ns() as f64 / NS_PER_S);
    let after = readings.iter().filter(|reading| reading.t_ns() > gap[1].t_ns()).count();
    println!("{} samples, {after} of them after a gap of {gap_s:.2} s", readings.len());
    assert!(
        gap_s > slept_s - 0.1 && after > SAMPLES_AFTER,
        "too few samples after the suspend, or a gap of only {gap_s:.2} s"
    );
    for counter in gap[0].counters().iter().filter_map(|info| Counter::from_name(&info.name)) {
        let usual = readings.windows(2).filter(|pair| pair[1].t_ns() <= gap[0].t_ns());
        let usual = usual.filter_map(|pair| rates(&pair[0], &pair[1], counter, 0.0)).map(|rate| rate.0);
        let usual = usual.fold(0.0, f64::max);
        let Some((rate, without)) = rates(&gap[0], &gap[1], counter, slept_s) else { continue };
        println!(
            "{counter}: {rate:.1}/s during the gap ({without:.0}/s without suspended time), at most {usual:.0}/s before"
        );
        assert!(
            rate <= usual.max(negligible_per_s(counter.unit())),
            "{counter} jumped when the machine woke"
        );
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
        for (signal, _) in &levels[0].by_signal {
            let before = highest(&levels, 0.0..asleep_s, signal).expect("a level before the suspend");
            let after = highest(&levels, from_s..to_s, signal).expect("a level after the suspend");
            let (usual, worked) =
                (busiest_second(&readings[..last_moment], signal), busiest_second(work, signal));
            println!(
                "{signal}: level at most {before:.3} before, {after:.3} {when}; largest growth in a second {usual:.0} \
                 before, {worked:.0} after"
            );
            if after >= before + LIKE_BEFORE {
                assert!(
                    worked > usual * AT_WORK,
                    "the level of {signal} jumped without work when the machine woke"
                );
                at_work += 1;
            }
        }
        assert!(at_work * 2 < levels[0].by_signal.len(), "{at_work} levels jumped when the machine woke");
    }
    // A busy machine may deliver samples late after it wakes. Meanwhile, the engine reads /proc.
    let last = levels.last().map(|reading| reading.source.as_str());
    assert_eq!(last, Some("collector"), "the engine's source after the suspend");
    assert_eq!(main_pid(), pid, "the collector was restarted");
    assert_eq!(journal_warnings(&since), "");
}
