//! Tests the synth under stress: too many notes, and abrupt changes of preset, volume, mute and
//! voice limit. The output must have no clicks, no NaN and no true peak above -1 dBTP.

use khor_ear::{adapter::RATE_HZ, clicks::clicks, loudness};
use khor_music::{Controls, Instrument, Preset, Role};
use khor_synth::{SYNTH_SEED, Synth, SynthNote, Volume};

/// Length of one turn, audio frames. Settings change at the start of a turn.
const TURN: u64 = 4800;
const TURNS: u64 = 600;
/// Number of notes that start in each turn. Each note lasts at least half a second, so about a
/// hundred notes would sound at once if the synth had no voice limit.
const NOTES_PER_TURN: u64 = 12;

#[test]
fn overload_causes_no_clicks_or_clipping() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut synth = Synth::new(RATE_HZ, SYNTH_SEED);
    let presets: Vec<_> = Preset::builtin().iter().map(Preset::patches).collect();
    let mut samples = Vec::new();
    let (mut left, mut right) = (vec![0.0; TURN as usize], vec![0.0; TURN as usize]);
    let mut stolen = 0;
    for turn in 0..TURNS {
        if turn % 7 == 0 {
            synth.set_patches(presets[random.usize(..presets.len())]);
        }
        if turn % 3 == 0 {
            let loudness_lufs = [-23.0, -18.0, -16.0][random.usize(..3)];
            synth.set_volume(Volume { master_gain: random.f32(), loudness_lufs });
            let (brightness, reverb, delay) = (random.f32(), random.f32(), random.f32());
            let echo_s = 0.1 + 0.5 * random.f32();
            synth.set_controls(Controls { brightness, reverb, delay, echo_s, vowel: random.f32() });
        }
        synth.set_muted(turn % 23 == 22);
        if turn % 31 == 30 {
            synth.all_notes_off();
        }
        let fewest = if turn % 40 < 10 { 7 } else { Synth::VOICES };
        synth.set_voice_limit(fewest);
        for _ in 0..NOTES_PER_TURN {
            synth.schedule(SynthNote {
                onset_frame: synth.frame() + random.u64(..TURN),
                duration_frames: 24_000 + random.u64(..96_000),
                midi: random.u8(36..=96),
                velocity: random.f32(),
                pan: 2.0 * random.f32() - 1.0,
                brightness: 2.0 * random.f32() - 1.0,
                instrument: Instrument::ALL[random.usize(..Instrument::ALL.len())],
                role: Role::Melody,
            });
        }
        synth.render(&mut left, &mut right);
        samples.extend(left.iter().zip(&right).flat_map(|(&l, &r)| [l, r]));
        let meter = synth.meter();
        stolen = meter.stolen;
        assert!(meter.active_voices <= fewest, "turn {turn}: {meter:?}");
    }
    let peak = loudness::true_peak(&samples).expect("a peak");
    println!("{stolen} voices stolen, {peak:.2} dBTP, {:?}", clicks(&samples));
    assert!(stolen > 5000, "{stolen}");
    assert!(samples.iter().all(|sample| sample.is_finite()));
    assert!(peak <= -1.0, "{peak}");
    assert!(clicks(&samples).is_empty());
}
