//! Tests the properties of a site's music.

use std::{collections::BTreeSet, sync::Arc};

use super::*;
use crate::{Cast, HostPlacement, PulseCast, RollCallTurn, SECTIONS, SectionPart, Soloist, name_hash};

const BAR_S: f64 = 16.0 * 15.0 / 110.0;

fn busy(signal: SignalId, level: f32) -> Lanes {
    let mut levels = idle();
    levels[signal.index()] = Some(level);
    lanes(levels)
}

/// Plays `seconds` of music. `cast` returns the cast for each point in time.
fn play_cast(preset: &Preset, seconds: f64, whole: &Lanes, cast: impl Fn(f64) -> Cast) -> Vec<Note> {
    let mut composer = Composer::new(Settings::default(), preset.clone());
    let mut notes = Vec::new();
    for turn in 0..(seconds / TURN_S) as u32 {
        let now_s = f64::from(turn) * TURN_S;
        composer.set_cast(Arc::new(cast(now_s)));
        composer.advance(now_s, whole, &mut notes);
    }
    notes
}

fn sections(busy: [Option<f32>; SECTIONS]) -> Cast {
    let of = |level: Option<f32>| level.map(|level| lanes(all(level)));
    Cast { pulse: PulseCast::Sections(busy.map(of)), ..Cast::default() }
}

fn turn(name: &str, level: Option<f32>) -> RollCallTurn {
    let placement = HostPlacement::of_host(name);
    RollCallTurn { id: name_hash(name), lanes: level.map(|level| busy(SignalId::Io, level)), placement }
}

fn roll_call(turns: Vec<RollCallTurn>) -> Cast {
    Cast { pulse: PulseCast::RollCall(turns), ..Cast::default() }
}

fn soloist(name: &str, signal: SignalId) -> Soloist {
    Soloist { lanes: busy(signal, 0.8), placement: HostPlacement::of_host(name) }
}

fn of(notes: &[Note], layer: Layer) -> Vec<&Note> {
    notes.iter().filter(|note| note.layer == layer).collect()
}

#[test]
fn the_default_cast_plays_one_host() {
    for preset in Preset::builtin() {
        let mut composer = Composer::new(Settings::default(), preset.clone());
        let mut alone = Vec::new();
        composer.advance(60.0 - TURN_S, &lanes(all(0.6)), &mut alone);
        assert_eq!(play_cast(preset, 60.0, &lanes(all(0.6)), |_| Cast::default()), alone);
    }
}

#[test]
fn each_working_section_plays_its_own_part() {
    for preset in Preset::builtin() {
        for (index, part) in SectionPart::ALL.iter().enumerate() {
            let mut levels = [Some(0.0); SECTIONS];
            levels[index] = Some(0.7);
            let notes = play_cast(preset, 30.0, &lanes(idle()), |_| sections(levels));
            let pulse = of(&notes, Layer::Pulse);
            assert!(pulse.len() >= 8, "{} {index}: {}", preset.name, pulse.len());
            for note in pulse {
                assert_eq!((note.role, note.pan), (part.role, part.pan));
                assert!((part.register.low..=part.register.high).contains(&note.midi), "{note:?}");
            }
        }
        let calm = play_cast(preset, 30.0, &lanes(all(0.9)), |_| sections([Some(0.0); SECTIONS]));
        assert!(of(&calm, Layer::Pulse).is_empty(), "a section plays only its own work");
    }
}

#[test]
fn a_sections_density_rises_with_its_work() {
    for preset in Preset::builtin() {
        for index in 0..SECTIONS {
            let onsets = |level| {
                let mut levels = [None; SECTIONS];
                levels[index] = Some(level);
                of(&play_cast(preset, 60.0, &lanes(idle()), |_| sections(levels)), Layer::Pulse).len()
            };
            let counts = [0.05, 0.12, 0.2, 1.0].map(onsets);
            assert!(counts.is_sorted() && counts[3] > counts[1], "{} {index}: {counts:?}", preset.name);
        }
    }
}

#[test]
fn a_soloist_is_louder_above_sections() {
    for preset in Preset::builtin() {
        let voices = |pulse: PulseCast| {
            let soloists = [Some(soloist("a", SignalId::Io)), None];
            let cast = |_| Cast { soloists: soloists.clone(), pulse: pulse.clone() };
            let notes = play_cast(preset, 30.0, &lanes(idle()), cast);
            of(&notes, Layer::Voices).into_iter().map(|note| (note.midi, note.velocity)).collect::<Vec<_>>()
        };
        let alone = voices(PulseCast::Together);
        let above = voices(PulseCast::Sections(std::array::from_fn(|_| Some(lanes(all(0.7))))));
        assert!(alone.len() > 10 && alone.len() == above.len(), "{}", preset.name);
        for ((midi, velocity), (same, more)) in alone.into_iter().zip(above) {
            assert_eq!(midi, same);
            assert!(more >= 1.15 * velocity || more == 1.0, "{}: {velocity}, then {more}", preset.name);
        }
    }
}

#[test]
fn each_soloist_sounds_from_its_pan() {
    // The hashes of these two host names give different pans.
    let names = ["web-1", "web-3"];
    let [left, right] = names.map(|name| HostPlacement::of_host(name).pan);
    assert_ne!(left, right);
    for preset in Preset::builtin() {
        let both = [soloist(names[0], SignalId::Rx), soloist(names[1], SignalId::Io)].map(Some);
        let notes =
            play_cast(preset, 30.0, &lanes(idle()), |_| Cast { soloists: both.clone(), ..Cast::default() });
        for (signal, pan) in [(SignalId::Rx, left), (SignalId::Io, right)] {
            let of_signal = |note: &&&Note| note.signal == Some(signal.into());
            let voice: Vec<&Note> = of(&notes, Layer::Voices).iter().filter(of_signal).copied().collect();
            assert!(voice.len() > 3, "{} {signal:?}", preset.name);
            assert!(voice.iter().all(|note| (note.pan - pan).abs() <= 0.3), "{} {voice:?}", preset.name);
        }
    }
}

#[test]
fn two_soloists_never_share_a_voice() {
    let mut second = soloist("web-3", SignalId::Rx);
    second.lanes[SignalId::Io] = Some(Lane { level: 0.6, deviation: 6.0, surprise: 0.0 });
    for preset in Preset::builtin() {
        let soloists = [Some(soloist("web-1", SignalId::Rx)), Some(second.clone())];
        let mut composer = Composer::new(Settings::default(), preset.clone());
        composer.set_cast(Arc::new(Cast { soloists, ..Cast::default() }));
        composer.advance(20.0, &lanes(idle()), &mut Vec::new());
        let voices: Vec<_> = composer.snapshot().voices.iter().map(|v| (v.soloist, v.signal)).collect();
        assert_eq!(
            voices,
            [(Some(0), SignalId::Rx.into()), (Some(1), SignalId::Io.into())],
            "{}",
            preset.name
        );
    }
}

#[test]
fn a_second_soloist_takes_over_one_voice() {
    let mut first = soloist("web-1", SignalId::Rx);
    first.lanes[SignalId::Exec] = Some(Lane { level: 0.7, deviation: 7.0, surprise: 0.0 });
    for preset in Preset::builtin() {
        let mut composer = Composer::new(Settings::default(), preset.clone());
        let of_first = Cast { soloists: [Some(first.clone()), None], ..Cast::default() };
        let with_second =
            Cast { soloists: [Some(first.clone()), Some(soloist("db", SignalId::Io))], ..Cast::default() };
        let mut voices_of = |cast: &Cast, until_s: f64| {
            composer.set_cast(Arc::new(cast.clone()));
            composer.advance(until_s, &lanes(idle()), &mut Vec::new());
            let voices = composer.snapshot().voices;
            voices.iter().map(|voice| (voice.soloist, voice.signal)).collect::<Vec<_>>()
        };
        let alone = voices_of(&of_first, 20.0);
        assert_eq!(alone.len(), 2, "{}: {alone:?}", preset.name);
        let both = voices_of(&with_second, 40.0);
        assert_eq!(both, [(Some(0), SignalId::Rx.into()), (Some(1), SignalId::Io.into())], "{}", preset.name);
        assert_eq!(voices_of(&Cast::default(), 60.0), [], "no host stands out any more");
    }
}

#[test]
fn a_missing_host_leaves_its_turn_silent() {
    for preset in Preset::builtin() {
        let turns = vec![turn("a", Some(0.0)), turn("b", None), turn("c", Some(0.9))];
        let notes = play_cast(preset, 4.0 * BAR_S, &lanes(idle()), |_| roll_call(turns.clone()));
        let half = |note: &Note| ((note.onset_s + 1e-6) / (BAR_S / 2.0)) as usize % 4;
        // The first bar is skipped, because it still plays the default cast.
        let pulse: Vec<&Note> =
            of(&notes, Layer::Pulse).into_iter().filter(|note| note.onset_s > BAR_S).collect();
        let begun = pulse.iter().find(|note| note.role == Role::Bass && note.midi < 50).unwrap();
        let slot = |note: &Note| (half(note) + 4 - half(begun)) % 4;
        let answers = |of: usize| pulse.iter().filter(|note| slot(note) == of).count();
        assert_eq!(
            answers(1) + answers(3),
            0,
            "{}: b is missing, and the odd number of hosts leaves a silent turn",
            preset.name
        );
        assert!(answers(2) > answers(0), "{}: c works, a does not", preset.name);
        let pans: BTreeSet<String> =
            pulse.iter().filter(|note| slot(note) == 2).map(|note| note.pan.to_string()).collect();
        assert_eq!(pans, BTreeSet::from([HostPlacement::of_host("c").pan.to_string()]));
    }
}

#[test]
fn a_new_host_joins_the_next_round() {
    let preset = &Preset::builtin()[0];
    let at = |now_s: f64| {
        let mut turns = vec![turn("b", Some(0.0)), turn("c", Some(0.0)), turn("d", Some(0.0))];
        if now_s > 1.5 * BAR_S {
            turns.insert(0, turn("a", Some(0.0)));
        }
        roll_call(turns)
    };
    let notes = play_cast(preset, 6.0 * BAR_S, &lanes(idle()), at);
    let answers: Vec<f32> = of(&notes, Layer::Pulse)
        .into_iter()
        .filter(|note| note.role == Role::Melody)
        .map(|note| note.pan)
        .collect();
    let pans = ["b", "c", "d", "a", "b", "c", "d"].map(|name| HostPlacement::of_host(name).pan);
    assert_eq!(answers[..7], pans);
}

fn host_on_the_right() -> String {
    (0..100).map(|n| format!("host-{n}")).find(|name| HostPlacement::of_host(name).pan > 0.0).unwrap()
}

/// A cast that changes often.
fn restless(now_s: f64) -> Cast {
    let soloists = match (now_s / 1.7) as u32 % 3 {
        0 => [None, None],
        1 => [Some(soloist("web-1", SignalId::Rx)), None],
        _ => [soloist("db", SignalId::Mem), soloist("web-3", SignalId::Exec)].map(Some),
    };
    let cast = match (now_s / 3.1) as u32 % 3 {
        0 => Cast::default(),
        1 => sections([Some(0.8), Some(0.4), None, Some(0.6)]),
        // The first host is on the right. No section plays the melody role on the right, so the
        // notes of the host cannot be taken for those of a section.
        _ => roll_call(vec![turn(&host_on_the_right(), Some(0.7)), turn("b", None)]),
    };
    Cast { soloists, ..cast }
}

#[test]
fn cast_changes_start_on_bar_lines() {
    for preset in Preset::builtin() {
        let until_s = 60.0;
        let notes = play_cast(preset, 80.0, &lanes(all(0.5)), |now_s| {
            if now_s < until_s { restless(now_s) } else { Cast::default() }
        });
        for note in of(&notes, Layer::Pulse) {
            assert!(note.duration_s > 0.0 && note.duration_s < 4.0, "{note:?}");
        }
        // Each bar must contain the notes of only one kind of pulse.
        let is_from_a_part =
            |note: &Note| SectionPart::ALL.iter().any(|part| part.pan == note.pan && part.role == note.role);
        for bar in 0..(80.0 / BAR_S) as u32 {
            let (from_s, to_s) = (f64::from(bar) * BAR_S - 1e-6, f64::from(bar + 1) * BAR_S - 1e-6);
            let within = |note: &&&Note| (from_s..to_s).contains(&note.onset_s);
            let pulse = of(&notes, Layer::Pulse);
            let pulse: Vec<&&Note> = pulse.iter().filter(within).collect();
            let own = pulse.iter().filter(|note| is_from_a_part(note)).count();
            assert!(own == 0 || own == pulse.len(), "{} bar {bar}: {own} of {}", preset.name, pulse.len());
        }
        let late = notes.iter().filter(|note| note.onset_s > until_s + BAR_S && note.layer == Layer::Voices);
        assert_eq!(
            late.filter(|note| note.pan.abs() > 0.61).count(),
            0,
            "{}: soloists are gone",
            preset.name
        );
    }
}

#[test]
fn cast_notes_ignore_the_call_size() {
    for preset in Preset::builtin() {
        for cast in [restless(4.0), restless(8.0)] {
            let often = play_cast(preset, 30.0, &lanes(all(0.4)), |_| cast.clone());
            let mut composer = Composer::new(Settings::default(), preset.clone());
            let mut once = Vec::new();
            composer.set_cast(Arc::new(cast));
            composer.advance(30.0 - TURN_S, &lanes(all(0.4)), &mut once);
            assert_eq!(often, once, "{}", preset.name);
        }
    }
}

#[test]
fn site_notes_stay_in_register() {
    for preset in Preset::builtin() {
        let notes = play_cast(preset, 120.0, &lanes(all(0.8)), restless);
        assert!(notes.iter().all(|note| (36..=96).contains(&note.midi)), "{}", preset.name);
        assert!(notes.iter().all(|note| (0.0..=1.0).contains(&note.velocity) && note.pan.abs() <= 1.0));
    }
}
