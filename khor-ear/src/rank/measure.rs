//! Measures one feature in one window of a render.

use crate::{
    adapter::{Instrument, Layer, PlayedNote, RATE_HZ, Render},
    features::{Spectrum, mid, onset_rate},
    loudness,
    mapping::MeasuredFeature,
};

/// Loudness that is reported for a voice without notes, dB.
const QUIETEST_DB: f64 = -40.0;
/// Time between two samples of the bed's chord, seconds.
const CHORD_INTERVAL_S: f64 = 0.5;

/// Measures a feature in the window that begins at `from_s` and lasts `length_s`. Returns `None` if
/// the feature cannot be measured.
pub fn measure(feature: MeasuredFeature, heard: &Render, from_s: f64, length_s: f64) -> Option<f64> {
    let at = |s: f64| (2 * (s * f64::from(RATE_HZ)) as usize).min(heard.samples.len());
    let samples = &heard.samples[at(from_s)..at(from_s + length_s)];
    let within = |note: &&PlayedNote| (from_s..from_s + length_s).contains(&note.onset_s);
    let voice = |voice: Instrument| -> Vec<&PlayedNote> {
        let its = |note: &&PlayedNote| note.layer == Layer::Voices && note.instrument == voice;
        heard.notes.iter().filter(within).filter(its).collect()
    };
    let of = |layer: Layer, which: fn(&&PlayedNote) -> bool| -> Vec<&PlayedNote> {
        heard.notes.iter().filter(within).filter(|note| note.layer == layer).filter(which).collect()
    };
    match feature {
        MeasuredFeature::Level => loudness::integrated(samples).ok().filter(|lufs| lufs.is_finite()),
        MeasuredFeature::Brightness => Some(Spectrum::measure(&mid(samples)).centroid_semitones()),
        MeasuredFeature::Onsets => Some(onset_rate(&mid(samples))),
        MeasuredFeature::VoiceOnsets(instrument) => Some(voice(instrument).len() as f64 / length_s),
        MeasuredFeature::VoiceLoudness(instrument) => {
            let velocity = mean(&voice(instrument), |note| f64::from(note.velocity)).unwrap_or(0.0);
            Some((20.0 * velocity.max(1e-3).log10()).max(QUIETEST_DB))
        }
        MeasuredFeature::VoicePitch(instrument) => mean(&voice(instrument), |note| f64::from(note.midi)),
        MeasuredFeature::VoiceLength(instrument) => {
            mean(&voice(instrument), |note| f64::from(note.duration_s).log2())
        }
        MeasuredFeature::BedBrightness => mean(&of(Layer::Bed, |_| true), |note| f64::from(note.brightness)),
        MeasuredFeature::BedWeight => {
            let bass = of(Layer::Bed, |note| note.instrument == Instrument::Bass);
            mean(&bass, |note| f64::from(note.velocity)).map(|velocity| 20.0 * velocity.max(1e-3).log10())
        }
        MeasuredFeature::PulsePitch => {
            let pulse = of(Layer::Pulse, |_| true);
            let its = |channel| {
                let notes: Vec<_> = pulse.iter().copied().filter(|note| note.channel == channel).collect();
                mean(&notes, |note| f64::from(note.midi))
            };
            (0..16).filter_map(its).reduce(f64::max)
        }
        MeasuredFeature::PulseBrightness => {
            mean(&of(Layer::Pulse, |_| true), |note| f64::from(note.brightness))
        }
        MeasuredFeature::BedTension => Some(bed_tension(&heard.notes, from_s, length_s)),
    }
}

fn mean(notes: &[&PlayedNote], of: impl Fn(&PlayedNote) -> f64) -> Option<f64> {
    (!notes.is_empty()).then(|| notes.iter().map(|note| of(note)).sum::<f64>() / notes.len() as f64)
}

/// Tension of the bed's chord, averaged over one window of the render.
fn bed_tension(notes: &[PlayedNote], from_s: f64, length_s: f64) -> f64 {
    let instants = (length_s / CHORD_INTERVAL_S).round().max(1.0) as usize;
    let tension = |instant: usize| {
        let at_s = from_s + (instant as f64 + 0.5) * CHORD_INTERVAL_S;
        let mut sounding = [false; 12];
        for note in notes.iter().filter(|note| note.layer == Layer::Bed) {
            let lasts = note.onset_s..note.onset_s + f64::from(note.duration_s);
            sounding[usize::from(note.midi % 12)] |= lasts.contains(&at_s);
        }
        chord_tension(&sounding)
    };
    (0..instants).map(tension).sum::<f64>() / instants as f64
}

/// Tension of a chord. Each minor second or major seventh adds 2. Each major second, minor seventh
/// or tritone adds 1.
fn chord_tension(sounding: &[bool; 12]) -> f64 {
    let mut tension = 0.0;
    for low in 0..12 {
        for high in (low + 1..12).filter(|high| sounding[low] && sounding[*high]) {
            tension += match high - low {
                1 | 11 => 2.0,
                2 | 6 | 10 => 1.0,
                _ => 0.0,
            };
        }
    }
    tension
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SignalId;

    fn note(onset_s: f64, duration_s: f32, midi: u8, layer: Layer, signal: Option<SignalId>) -> PlayedNote {
        let instrument = match signal {
            Some(SignalId::Rx) => Instrument::Receive,
            Some(_) => Instrument::Disk,
            None => Instrument::Chords,
        };
        PlayedNote {
            onset_s,
            duration_s,
            midi,
            velocity: 0.5,
            layer,
            channel: 1,
            brightness: 0.0,
            instrument,
            signal,
        }
    }

    fn heard() -> Render {
        let voice = |onset_s, midi| note(onset_s, 0.25, midi, Layer::Voices, Some(SignalId::Rx));
        let bed = |onset_s, midi| note(onset_s, 4.0, midi, Layer::Bed, None);
        let notes = vec![
            bed(-1.0, 48),
            bed(0.0, 55),
            bed(4.0, 48),
            bed(4.0, 50),
            bed(4.0, 49),
            voice(1.0, 60),
            voice(2.0, 64),
            note(1.5, 0.2, 90, Layer::Voices, Some(SignalId::Io)),
        ];
        Render { samples: vec![0.0; 2 * 8 * RATE_HZ as usize], notes }
    }

    #[test]
    fn a_voice_is_measured_by_its_notes() {
        let of = |feature, from_s| measure(feature, &heard(), from_s, 4.0);
        assert_eq!(of(MeasuredFeature::VoiceOnsets(Instrument::Receive), 0.0), Some(0.5));
        assert_eq!(of(MeasuredFeature::VoicePitch(Instrument::Receive), 0.0), Some(62.0));
        assert_eq!(of(MeasuredFeature::VoiceLength(Instrument::Receive), 0.0), Some(-2.0));
        assert_eq!(of(MeasuredFeature::VoicePitch(Instrument::Receive), 4.0), None);
        assert_eq!(of(MeasuredFeature::VoiceOnsets(Instrument::Receive), 4.0), Some(0.0));
        assert_eq!(of(MeasuredFeature::VoiceLoudness(Instrument::Memory), 0.0), Some(-40.0));
    }

    #[test]
    fn minor_seconds_add_tension_fifths_do_not() {
        assert_eq!(measure(MeasuredFeature::BedTension, &heard(), 0.0, 3.0), Some(0.0));
        // C, C sharp and D contain two minor seconds and one major second.
        assert_eq!(measure(MeasuredFeature::BedTension, &heard(), 4.0, 4.0), Some(5.0));
    }
}
