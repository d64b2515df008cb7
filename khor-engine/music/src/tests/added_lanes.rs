//! Tests how the music plays added lanes.

use khor_signal::{Catalogue, LaneDefinition, LaneId, VoiceHint, test_lane};
use proptest::{collection::vec, prelude::*};

use super::*;

/// A catalogue with one added lane. The lane's definition names the voice `voice`.
fn catalogue(voice: VoiceHint) -> (Catalogue, LaneId) {
    let mut catalogue = Catalogue::kernel();
    let lane = catalogue.add(LaneDefinition { voice, ..test_lane("queue") }).unwrap();
    (catalogue, lane)
}

/// The lanes of an idle host, and one added lane with the given level.
fn with_lane(lane: LaneId, level: f32) -> Lanes {
    let mut lanes = lanes(idle());
    lanes.set(lane, Some(Lane { level, deviation: 10.0 * level, surprise: 0.0 }));
    lanes
}

fn composer(preset: &Preset, catalogue: &Catalogue) -> Composer {
    let mut composer = Composer::new(Settings::default(), preset.clone());
    composer.set_catalogue(catalogue);
    composer
}

fn advance(composer: &mut Composer, until_s: f64, lanes: &Lanes) -> Vec<Note> {
    let mut notes = Vec::new();
    composer.advance(until_s, lanes, &mut notes);
    notes
}

#[test]
fn an_added_lane_plays_its_voice() {
    for (hint, voice) in [(VoiceHint::Disk, VoiceStream::Disk), (VoiceHint::Loss, VoiceStream::Loss)] {
        let (catalogue, lane) = catalogue(hint);
        for preset in Preset::builtin() {
            let mut composer = composer(preset, &catalogue);
            let notes = advance(&mut composer, 30.0, &with_lane(lane, 0.8));
            let voices: Vec<_> = composer.snapshot().voices.iter().map(|v| (v.stream, v.signal)).collect();
            assert_eq!(voices, [(voice, lane)], "{}", preset.name);
            assert!(notes.iter().filter(|note| note.signal == Some(lane)).count() > 10, "{}", preset.name);
        }
    }
}

#[test]
fn a_busier_added_lane_plays_more() {
    let (catalogue, lane) = catalogue(VoiceHint::Receive);
    for preset in Preset::builtin() {
        let count = |level| {
            let notes = advance(&mut composer(preset, &catalogue), 60.0, &with_lane(lane, level));
            notes.iter().filter(|note| note.signal == Some(lane)).count()
        };
        assert!(count(0.9) > count(0.3) && count(0.0) == 0, "{}", preset.name);
    }
}

#[test]
fn the_lane_that_stands_out_leads() {
    let (catalogue, lane) = catalogue(VoiceHint::Receive);
    let mut composer = composer(&Preset::builtin()[0], &catalogue);
    let mut lanes = with_lane(lane, 0.5);
    let leader = |composer: &Composer| composer.snapshot().voices.first().map(|voice| voice.signal);
    lanes[SignalId::Rx] = Some(Lane { level: 0.3, deviation: 3.0, surprise: 0.0 });
    advance(&mut composer, 20.0, &lanes);
    assert_eq!(leader(&composer), Some(lane));
    lanes[SignalId::Rx] = Some(Lane { level: 0.9, deviation: 9.0, surprise: 0.0 });
    advance(&mut composer, 40.0, &lanes);
    assert_eq!(leader(&composer), Some(SignalId::Rx.into()));
}

#[test]
fn a_lane_may_appear_and_disappear() {
    let (catalogue, lane) = catalogue(VoiceHint::Memory);
    let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
    let early = advance(&mut composer, 20.0, &with_lane(lane, 0.8));
    assert!(early.iter().all(|note| note.signal != Some(lane)), "the lane is not in the catalogue yet");
    composer.set_catalogue(&catalogue);
    let notes = advance(&mut composer, 40.0, &with_lane(lane, 0.8));
    assert!(notes.iter().any(|note| note.signal == Some(lane)));
    advance(&mut composer, 60.0, &lanes(idle()));
    let late = advance(&mut composer, 80.0, &lanes(idle()));
    assert!(late.iter().all(|note| note.layer != Layer::Voices || note.signal.is_none()));
}

#[test]
fn another_source_ends_added_voices() {
    let (catalogue, lane) = catalogue(VoiceHint::Disk);
    let mut composer = composer(&Preset::builtin()[0], &catalogue);
    advance(&mut composer, 20.0, &with_lane(lane, 0.8));
    assert_eq!(composer.snapshot().voices.len(), 1);
    composer.set_catalogue(&Catalogue::kernel());
    assert!(composer.snapshot().voices.is_empty());
}

/// Tests a voice that no row of the mapping controls.
#[test]
fn an_unmapped_voice_plays_added_lanes() {
    let mut preset = Preset::builtin()[0].clone();
    preset.mapping = preset.mapping.without(VoiceStream::Disk);
    let (catalogue, lane) = catalogue(VoiceHint::Disk);
    let mut composer = composer(&preset, &catalogue);
    let notes = advance(&mut composer, 30.0, &with_lane(lane, 0.8));
    let voice: Vec<_> = notes.iter().filter(|note| note.signal == Some(lane)).collect();
    assert!(voice.len() > 10 && voice.iter().all(|note| note.instrument == Instrument::Disk));
}

/// A change to the lanes of a source, or a request to play.
#[derive(Clone, Debug)]
enum Op {
    Add(VoiceHint),
    Replace(Vec<VoiceHint>),
    /// Sets the level, deviation and surprise of the lane with this index.
    Set(u8, f32, f32, f32),
    Remove(u8),
    Play,
}

fn hint() -> impl Strategy<Value = VoiceHint> {
    use VoiceHint::{Disk, Kernel, Local, Loss, Memory, Process, Receive, Send};
    proptest::sample::select(vec![Process, Receive, Send, Loss, Disk, Memory, Kernel, Local])
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let value = || prop_oneof![0.0_f32..1.0, -20.0_f32..20.0, any::<f32>(), Just(f32::NAN)];
    let set = (0..70_u8, value(), value(), value()).prop_map(|(lane, a, b, c)| Op::Set(lane, a, b, c));
    let replace = vec(hint(), 0..60).prop_map(Op::Replace);
    let add = hint().prop_map(Op::Add);
    vec(
        prop_oneof![6 => set, 2 => add, 1 => replace, 1 => (0..70_u8).prop_map(Op::Remove), 4 => Just(Op::Play)],
        1..60,
    )
}

/// Applies the operations. Each [`Op::Play`] plays most of a bar. The result has one entry for each
/// [`Op::Play`]: the catalogue, the notes, and the lanes of the voices.
fn run(ops: &[Op]) -> Vec<(Catalogue, Vec<Note>, Vec<LaneId>)> {
    let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
    let (mut catalogue, mut lanes, mut played, mut until_s) =
        (Catalogue::kernel(), lanes(idle()), Vec::new(), 0.0);
    let add = |catalogue: &mut Catalogue, voice| {
        let name = format!("q{}", catalogue.iter().len());
        // If the catalogue is full, `add` fails, and the error is ignored.
        drop(catalogue.add(LaneDefinition { voice, ..test_lane(&name) }));
    };
    for op in ops {
        match op {
            Op::Add(voice) => add(&mut catalogue, *voice),
            Op::Replace(voices) => {
                catalogue = Catalogue::kernel();
                lanes.added.clear();
                for voice in voices {
                    add(&mut catalogue, *voice);
                }
            }
            Op::Set(lane, level, deviation, surprise) => {
                if let Some(lane) = LaneId::new((*lane).into()) {
                    let (level, deviation, surprise) = (*level, *deviation, *surprise);
                    lanes.set(lane, Some(Lane { level, deviation, surprise }));
                }
            }
            Op::Remove(lane) => {
                if let Some(lane) = LaneId::new((*lane).into()) {
                    lanes.set(lane, None);
                }
            }
            Op::Play => {
                composer.set_catalogue(&catalogue);
                until_s += 1.7;
                let notes = advance(&mut composer, until_s, &lanes);
                let voices = composer.snapshot().voices.iter().map(|voice| voice.signal).collect();
                played.push((catalogue.clone(), notes, voices));
            }
        }
    }
    played
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Tests random lanes with random values. The source also changes between some steps.
    #[test]
    fn notes_of_added_lanes_are_valid(ops in ops()) {
        let played = run(&ops);
        for (catalogue, notes, voices) in &played {
            for note in notes {
                prop_assert!(note.midi <= 127 && (0.0..=1.0).contains(&note.velocity), "{note:?}");
                prop_assert!(note.duration_s > 0.0 && note.onset_s.is_finite(), "{note:?}");
                prop_assert!(note.brightness.is_finite() && (-1.0..=1.0).contains(&note.pan), "{note:?}");
                prop_assert!(note.signal.is_none_or(|lane| catalogue.get(lane).is_some()), "{note:?}");
            }
            prop_assert!(voices.len() <= 2, "{voices:?}");
            prop_assert!(voices.iter().all(|lane| catalogue.get(*lane).is_some()), "{voices:?}");
        }
        prop_assert_eq!(played, run(&ops), "the same operations give the same notes");
    }
}

proptest! {
    /// Tests any number of added lanes. Their level is 0, and their deviations are random.
    #[test]
    fn idle_added_lanes_change_no_note(
        count in 0..LaneId::MAX_ADDED,
        deviations in vec(proptest::option::of(-40.0_f32..0.0), 0..60),
    ) {
        let mut catalogue = Catalogue::kernel();
        let added: Vec<LaneId> =
            (0..count).map(|i| catalogue.add(test_lane(&format!("q{i}"))).unwrap()).collect();
        let preset = &Preset::builtin()[0];
        let mut lanes = lanes(all(0.5));
        let alone = advance(&mut Composer::new(Settings::default(), preset.clone()), 20.0, &lanes);
        for (lane, deviation) in added.iter().zip(deviations) {
            lanes.set(*lane, deviation.map(|deviation| Lane { level: 0.0, deviation, surprise: 0.0 }));
        }
        prop_assert_eq!(advance(&mut composer(preset, &catalogue), 20.0, &lanes), alone);
    }
}
