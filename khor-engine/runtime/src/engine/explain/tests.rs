//! Tests that explanations are correct and fit on the screen.

use khor_music::{Composer, Preset, Settings, VoiceStream};
use khor_proto::{Availability, Selector};
use khor_signal::{Catalogue, Counter, Pipeline, Scaling, SignalId, deviating_reading};
use khor_source::{DemoSource, SourceInfo};

use super::*;

#[test]
fn the_text_shows_deviations_and_sound() {
    let (mut demo, mut pipeline) = (DemoSource::new(1), Pipeline::new(Scaling::default()));
    let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
    let mut state = EngineState::default();
    for turn in 0..1250 {
        state.reading = pipeline.push(demo.advance(20_000_000));
        composer.advance(f64::from(turn) * 0.02, &state.lanes(), &mut Vec::new());
    }
    state.sounding = Some(composer.snapshot());
    let Explanation { standing_out, heard, text, .. } = explain(&state);
    assert_eq!(standing_out[0].signal, "rx", "the demo is downloading at this time: {text}");
    assert!(heard.iter().any(|h| h.layer == "voice" && h.what.starts_with("receive")), "{text}");
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// The music follows a rate immediately, and the displayed rate follows within a second. The
/// columns and the factor must all use the displayed rate.
#[test]
fn deviations_match_the_shown_rates() {
    let mut reading = deviating_reading(SignalId::Fork, 1.4);
    let i = SignalId::Fork;
    (reading.rates[i], reading.baselines[i]) = (Some(8.9), Some(12.0));
    assert!(
        deviating_signals(&reading, &Catalogue::kernel(), false).is_empty(),
        "the displayed rate is below the baseline"
    );
    reading.rates[i] = Some(60.0);
    let [fork] = &deviating_signals(&reading, &Catalogue::kernel(), false)[..] else { panic!("{reading:?}") };
    assert_eq!((fork.times, as_factor(5.0)), (Some(5.0), "5.0 x".to_owned()));
    assert!((fork.deviation - (31.0_f32 / 7.0).log2()).abs() < 1e-3, "{}", fork.deviation);
    reading.baselines[i] = Some(0.0);
    assert_eq!(
        deviating_signals(&reading, &Catalogue::kernel(), false)[0].times,
        None,
        "a zero baseline has no factor"
    );
    let of_many = &deviating_signals(&reading, &Catalogue::kernel(), true)[0];
    assert_eq!(
        (of_many.deviation, of_many.times),
        (1.4, None),
        "the rate of many hosts belongs to no host, so there is no factor"
    );
}

/// The bed is also calm if tasks wait, but no more than usual. The explanation then names these
/// waits.
#[test]
fn a_calm_bed_names_usual_waits() {
    let mut reading = deviating_reading(SignalId::Rx, 0.0);
    assert_eq!(why_calm(Some(&reading)), "no task waits");
    reading.rates[SignalId::Cpu] = Some(0.995);
    let why = why_calm(Some(&reading));
    assert_eq!(why, "waiting on cpu, no more than usual");
}

#[test]
fn long_lines_wrap() {
    let long = format!("Short\nWhy: {}\n", "a name that is long ".repeat(9));
    let wrapped = wrapped(&long);
    assert!(wrapped.starts_with("Short\nWhy: a name") && wrapped.ends_with('\n'), "{wrapped}");
    assert!(wrapped.lines().all(|line| line.len() <= COLUMNS) && wrapped.lines().count() == 4, "{wrapped}");
}

#[test]
fn amounts_are_short() {
    assert_eq!(amount("B/s", 24.12e6), "24.1 MB/s");
    assert_eq!(amount("1/s", 3.0), "3.0/s");
    assert_eq!(
        (&*amount("1/s", 0.07), &*amount("1/s", 0.0)),
        ("0.07/s", "0.0/s"),
        "0.07 must not be rounded to 0.1"
    );
    assert_eq!(amount("1/s", 12e3), "12.0 k/s");
    assert_eq!(amount("ratio", 0.251), "25.1 %");
    assert_eq!(amount("s", 0.0123), "12.3 ms");
    for (unit, rate) in [("1/s", 0.0), ("B/s", 1e-7), ("ratio", 0.0), ("s", 0.0)] {
        assert!(is_zero_amount(&amount(unit, rate)), "{unit}");
    }
    assert!(!is_zero_amount(&amount("1/s", 0.07)) && !is_zero_amount(&amount("B/s", 10.0)));
}

/// A factor such as "> 999 x" has no meaning for a baseline of zero.
#[test]
fn a_zero_baseline_reads_usually_none() {
    let mut state = EngineState::default();
    state.reading = Some(deviating_reading(SignalId::Fork, 4.0));
    let reading = state.reading.as_mut().unwrap();
    let i = SignalId::Fork;
    (reading.rates[i], reading.baselines[i]) = (Some(1e6), Some(0.0));
    let text = explain(&state).text;
    assert!(text.contains("usually none") && !text.contains(" x\n"), "{text}");
    state.reading.as_mut().unwrap().baselines[i] = Some(100.0);
    let text = explain(&state).text;
    assert!(text.contains("> 999 x") && !text.contains("usually none"), "{text}");
}

#[test]
fn a_missing_cgroup_explains_the_lost_bed() {
    let gone = "khor cannot count x.service: there is no cgroup /system.slice/x.service now";
    let shortfall = Shortfall { error: gone.to_owned(), fix: "start it".to_owned() };
    let info = SourceInfo {
        kind: SourceKind::Collector,
        detail: "collector".into(),
        shortfall: Some(shortfall.clone()),
        limit: None,
        machine: None,
        scope: Scope::only(Selector::Cgroup("/system.slice/x.service".into())),
        interval_ms: 20,
        availability: Counter::ALL.map(|_| Availability::Absent { reason: gone.to_owned() }),
    };
    let mut state = EngineState::default();
    state.source = SourceState::Up(info);
    assert_eq!(why_lost(&state), gone);
    state.source = SourceState::Down(Shortfall { error: "connection refused".into(), ..shortfall });
    assert_eq!(why_lost(&state), "connection refused");
}

#[test]
fn a_single_onset_is_singular() {
    let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
    composer.advance(0.0, &EngineState::default().lanes(), &mut Vec::new());
    let mut sounding = composer.snapshot();
    let voice = |onsets| ActiveVoice {
        stream: VoiceStream::Receive,
        signal: SignalId::Rx.into(),
        onsets,
        soloist: None,
    };
    sounding.voices = [voice(1), voice(2)].into_iter().collect();
    let parts = sound_parts(&sounding, &EngineState::default());
    let voices: Vec<&str> =
        parts.iter().filter(|part| part.layer == "voice").map(|part| part.what.as_str()).collect();
    assert_eq!(voices, ["receive, 1 onset a bar", "receive, 2 onsets a bar"]);
}
