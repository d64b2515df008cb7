//! Tests readings from frames with and without added lanes.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{Lane, LaneDefinition, LaneId, RangeMode, SignalId, test_lane};

fn frame(t_ms: u64, execs: u64) -> Frame {
    let mut counters = [None; Counter::ALL.len()];
    counters[Counter::Execs.index()] = Some(execs);
    Frame::new(t_ms * 1_000_000, counters)
}

/// Pushes frames with `rate_per_s` program starts per second, and returns the last reading.
fn live(pipeline: &mut Pipeline, from_s: f64, to_s: f64, step_s: f64, rate_per_s: f64) -> Reading {
    let mut last = None;
    for i in 0..((to_s - from_s) / step_s).round() as u64 {
        let t_s = from_s + i as f64 * step_s;
        let frame = frame((t_s * 1e3).round() as u64, 1_000_000 + (t_s * rate_per_s) as u64);
        last = pipeline.push(frame).or(last);
    }
    last.unwrap()
}

fn exec(reading: Reading) -> Lane {
    reading.lanes[SignalId::Exec].unwrap()
}

#[test]
fn restarted_counters_cause_no_spike() {
    let mut pipeline = Pipeline::new(Scaling::default());
    pipeline.push(frame(0, 1_000_000));
    let level = |reading: Option<Reading>| reading.unwrap().levels()[SignalId::Exec];
    assert_eq!(level(pipeline.push(frame(20, 1_000_000))), Some(0.0));
    assert_eq!(level(pipeline.push(frame(40, 3))), None, "the count fell, so the rate is unknown");
    assert_eq!(level(pipeline.push(frame(60, 3))), Some(0.0));
    pipeline.reset();
    assert!(pipeline.push(frame(80, 5_000_000)).is_none(), "there is no previous frame");
}

/// Tests a frame after a suspend of one hour. `CLOCK_BOOTTIME` continues during the suspend, so the
/// events since the previous frame are averaged over the whole hour.
#[test]
fn resuming_from_suspend_causes_no_spike() {
    const HOUR_MS: u64 = 3_600_000;
    let mut pipeline = Pipeline::new(Scaling::default());
    pipeline.push(frame(0, 0));
    pipeline.push(frame(20, 0));
    let after = exec(pipeline.push(frame(20 + HOUR_MS, 500)).unwrap());
    assert_eq!(after.level, 0.0, "500 program starts in an hour are 0.14 a second");
}

#[test]
fn smoothing_ignores_the_sample_interval() {
    let run = |interval_s| {
        let mut pipeline = Pipeline::new(Scaling::default());
        exec(live(&mut pipeline, 0.0, 0.5, interval_s, 200.0)).level
    };
    let (fine, coarse) = (run(0.005), run(0.05));
    assert!((fine - coarse).abs() < 0.02, "{fine} against {coarse}");
}

#[test]
fn a_burst_shows_within_two_samples() {
    let mut pipeline = Pipeline::new(Scaling::default());
    pipeline.push(frame(0, 0));
    pipeline.push(frame(20, 40));
    assert!(exec(pipeline.push(frame(40, 80)).unwrap()).level > 0.4);
    let mut last = None;
    for i in 3..500 {
        last = pipeline.push(frame(20 * i, 80));
    }
    assert!(exec(last.unwrap()).level < 0.01);
}

/// The usual rate of one host is eight times the usual rate of the other. When both rates rise by
/// the same amount, the levels of both hosts must be similar.
#[test]
fn levels_compare_across_machine_sizes() {
    let measure = |idle_per_s: f64| {
        let mut pipeline = Pipeline::new(Scaling::default());
        let idle = exec(live(&mut pipeline, 0.0, 900.0, 0.1, idle_per_s));
        pipeline.reset();
        let trouble = exec(live(&mut pipeline, 901.0, 911.0, 0.02, idle_per_s + 150.0));
        (idle, trouble)
    };
    let ((small_idle, small), (big_idle, big)) = (measure(2.0), measure(16.0));
    assert!(small_idle.level < 0.02 && big_idle.level < 0.02, "{small_idle:?} {big_idle:?}");
    assert!(small.level > 0.6 && (small.level - big.level).abs() < 0.2, "{small:?} {big:?}");
    assert!(small.deviation > big.deviation && big.deviation > 2.0);
    // At two events per second, the rate still varies strongly, because it is averaged over only a
    // quarter of a second.
    assert!(small_idle.deviation.abs() < 1.5);
}

#[test]
fn a_rate_that_ended_reaches_zero() {
    let mut pipeline = Pipeline::new(Scaling::default());
    live(&mut pipeline, 0.0, 5.0, 0.02, 100.0);
    let (mut frame, mut reading) = (pipeline.last.clone().expect("a frame"), None);
    for _ in 0..6_000 {
        frame.t_ns += 20_000_000;
        reading = pipeline.push(frame.clone());
    }
    let reading = reading.expect("a reading");
    let level = reading.lanes[SignalId::Exec].map(|lane| lane.level);
    assert_eq!((reading.rates[SignalId::Exec], level), (Some(0.0), Some(0.0)));
}

#[test]
fn absolute_levels_ignore_the_baseline() {
    let scaling = Scaling { range: RangeMode::Absolute, ..Scaling::default() };
    let mut pipeline = Pipeline::new(scaling);
    let reading = live(&mut pipeline, 0.0, 900.0, 0.1, 16.0);
    assert!((exec(reading).level - crate::level(SignalId::Exec, 16.0, 250.0)).abs() < 0.05);
}

#[test]
fn only_a_change_raises_surprise() {
    let mut pipeline = Pipeline::new(Scaling::default());
    let before = exec(live(&mut pipeline, 0.0, 300.0, 0.1, 2.0));
    pipeline.reset();
    let news = exec(live(&mut pipeline, 300.0, 302.0, 0.1, 60.0));
    let later = exec(live(&mut pipeline, 302.0, 600.0, 0.1, 60.0));
    assert!(
        before.surprise < 0.2 && news.surprise > 0.6 && later.surprise < 0.2,
        "{before:?} {news:?} {later:?}"
    );
}

#[test]
fn latency_is_averaged_over_requests() {
    let mut pipeline = Pipeline::new(Scaling::default());
    let frame = |t_ms: u64, ns, requests| {
        let mut counters = [None; Counter::ALL.len()];
        counters[Counter::LatencyNs.index()] = Some(ns);
        counters[Counter::TimedRequests.index()] = Some(requests);
        Frame::new(t_ms * 1_000_000, counters)
    };
    pipeline.push(frame(0, 0, 0));
    let lat = |reading: Option<Reading>| reading.unwrap().rates[SignalId::Lat];
    assert_eq!(lat(pipeline.push(frame(20, 0, 0))), Some(0.0));
    let mean_s = lat(pipeline.push(frame(40, 30_000_000, 10))).unwrap();
    assert!((mean_s - 0.003).abs() < 1e-9, "{mean_s}");
}

/// Creates a catalogue with added lanes that have these names.
fn catalogue(names: &[&str]) -> Catalogue {
    let mut catalogue = Catalogue::kernel();
    for name in names {
        catalogue.add(test_lane(name)).unwrap();
    }
    catalogue
}

/// Pushes a frame every 20 ms. In each frame, the first added lane has the given value.
fn push_values(pipeline: &mut Pipeline, ticks: std::ops::Range<u64>, value: Option<f64>) -> Reading {
    let frames = ticks.map(|tick| Frame { added: [value].into_iter().collect(), ..frame(20 * tick, 0) });
    frames.filter_map(|frame| pipeline.push(frame)).last().unwrap()
}

#[test]
fn an_added_lane_stands_out() {
    let mut pipeline = Pipeline::new(Scaling::default());
    push_values(&mut pipeline, 0..50, None);
    let catalogue = catalogue(&["queue"]);
    let queue = catalogue.find("queue").unwrap();
    pipeline.set_catalogue(catalogue.clone());
    let usual = push_values(&mut pipeline, 50..30_050, Some(8.0));
    assert_eq!(usual.lanes.value(queue.id).map(|lane| lane.level), Some(0.0));
    let busy = push_values(&mut pipeline, 30_050..30_100, Some(600.0));
    let lane = busy.lanes.value(queue.id).unwrap();
    assert!(lane.level > 0.6 && lane.deviation > 5.0 && lane.surprise > 0.6, "{lane:?}");
    assert!((busy.baselines.value(queue.id).unwrap() / 8.0 - 1.0).abs() < 0.1);
    assert!(busy.shown_deviation(queue).unwrap() > 5.0);
    let missing = push_values(&mut pipeline, 30_100..30_101, None);
    assert_eq!((missing.lanes.value(queue.id), missing.rates.value(queue.id)), (None, None));
}

#[test]
fn another_catalogue_drops_old_values() {
    let mut pipeline = Pipeline::new(Scaling::default());
    pipeline.set_catalogue(catalogue(&["queue"]));
    let before = push_values(&mut pipeline, 0..500, Some(700.0));
    pipeline.set_catalogue(catalogue(&["queue", "errors"]));
    let kept = push_values(&mut pipeline, 500..501, Some(700.0));
    let queue = LaneId::of_added(0).unwrap();
    assert!(kept.rates.value(queue).unwrap() >= before.rates.value(queue).unwrap());
    pipeline.set_catalogue(catalogue(&["errors"]));
    let other = push_values(&mut pipeline, 501..502, Some(700.0));
    assert!(other.rates.value(queue).unwrap() < 100.0, "the new lane begins at zero");
    assert_eq!(other.lanes.added.len(), 1);
}

#[test]
fn added_time_shares_never_exceed_one() {
    let mut catalogue = Catalogue::kernel();
    catalogue.add(LaneDefinition { unit: "ratio".into(), ..test_lane("busy") }).unwrap();
    let mut pipeline = Pipeline::new(Scaling::default());
    pipeline.set_catalogue(catalogue);
    let reading = push_values(&mut pipeline, 0..500, Some(1.7));
    assert_eq!(reading.rates.added.values().next(), Some(&Some(1.0)));
}

/// The input of a pipeline in one step.
#[derive(Clone, Debug)]
enum Step {
    Values(Vec<Option<f64>>),
    Add(u8),
    Replace(Vec<u8>),
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(-1.0),
        0.0..2000.0,
    ];
    let values = vec(proptest::option::of(value), 0..8).prop_map(Step::Values);
    let replace = vec(0..10_u8, 0..10).prop_map(Step::Replace);
    vec(
        prop_oneof![8 => values, 2 => (0..80_u8).prop_map(Step::Add), 1 => replace, 1 => Just(Step::Reset)],
        1..80,
    )
}

/// Extracts the part of a reading that describes the kernel signals.
fn kernel_part(reading: Reading) -> impl PartialEq + std::fmt::Debug {
    let Reading { t_ns, lanes, rates, baselines, learnt: _, counter_rates } = reading;
    (t_ns, lanes.kernel, rates.kernel, baselines.kernel, counter_rates)
}

proptest! {
    /// Tests random lanes with random values. The catalogue also changes between some frames.
    #[test]
    fn added_lanes_never_affect_the_kernel(steps in steps()) {
        let (mut plain, mut grown) = (Pipeline::new(Scaling::default()), Pipeline::new(Scaling::default()));
        let mut catalogue = Catalogue::kernel();
        for (tick, step) in (0_u64..).zip(steps) {
            let mut added = PerAdded::EMPTY;
            match step {
                Step::Values(values) => added = values.into_iter().collect(),
                // Adding fails if the lane exists already or the catalogue is full.
                Step::Add(lane) => drop(catalogue.add(test_lane(&format!("q{lane}")))),
                Step::Replace(lanes) => {
                    catalogue = Catalogue::kernel();
                    for lane in lanes {
                        drop(catalogue.add(test_lane(&format!("q{lane}"))));
                    }
                }
                Step::Reset => [&mut plain, &mut grown].into_iter().for_each(Pipeline::reset),
            }
            grown.set_catalogue(catalogue.clone());
            let frame = frame(20 * tick, tick * tick);
            let (alone, beside) = (plain.push(frame.clone()), grown.push(Frame { added, ..frame }));
            if let Some(reading) = &beside {
                prop_assert_eq!(reading.lanes.added.len(), catalogue.added().len());
                let lanes = reading.lanes.added.values().flatten();
                for Lane { level, deviation, surprise } in lanes.copied() {
                    prop_assert!((0.0..=1.0).contains(&level) && (0.0..=1.0).contains(&surprise));
                    prop_assert!(deviation.is_finite());
                }
                prop_assert!(reading.rates.added.values().flatten().all(|rate| rate.is_finite()));
            }
            prop_assert_eq!(alone.map(kernel_part), beside.map(kernel_part));
        }
        let learnt = grown.learnt().into_iter().filter(|(name, _)| !name.starts_with('q'));
        prop_assert_eq!(plain.learnt(), learnt.collect());
    }
}

#[test]
fn time_shares_never_exceed_one() {
    let mut pipeline = Pipeline::new(Scaling::default());
    let mut shown = Vec::new();
    for i in 0..500_u64 {
        let mut counters = [None; Counter::ALL.len()];
        // A task waits all the time, but the counter only changes in every fifth frame, as if it
        // were read ten times per second.
        counters[Counter::CpuStallUs.index()] = Some(i / 5 * 5 * 20_000);
        let reading = pipeline.push(Frame::new(i * 20_000_000, counters));
        shown.extend(reading.and_then(|reading| reading.rates[SignalId::Cpu]));
    }
    assert!(shown.iter().all(|share| *share <= 1.0));
    assert!(shown.last().is_some_and(|share| *share > 0.9), "{:?}", shown.last());
}
