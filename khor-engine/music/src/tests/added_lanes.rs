//! Promises of the music for lanes that were added to the kernel's signals.

use khor_signal::{Catalogue, LaneDefinition, LaneId, VoiceHint, test_lane};
use proptest::{collection::vec, prelude::*};

use super::*;

/// A catalogue with one added lane, which this voice plays.
fn catalogue(voice: VoiceHint) -> (Catalogue, LaneId) {
    let mut catalogue = Catalogue::kernel();
    let lane = catalogue.add(LaneDefinition { voice, ..test_lane("queue") }).unwrap();
    (catalogue, lane)
}

/// An idle machine whose added lane has this level.
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
    assert!(early.iter().all(|note| note.signal != Some(lane)), "no catalogue has it");
    composer.set_catalogue(&catalogue);
    let notes = advance(&mut composer, 40.0, &with_lane(lane, 0.8));
    assert!(notes.iter().any(|note| note.signal == Some(lane)));
    advance(&mut composer, 60.0, &lanes(idle()));
    let late = advance(&mut composer, 80.0, &lanes(idle()));
    assert!(late.iter().all(|note| note.layer != Layer::Voices || note.signal.is_none()));
}

/// A mapping may leave out a voice.
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

proptest! {
    /// Lanes without activity change no note, whatever else they are.
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
