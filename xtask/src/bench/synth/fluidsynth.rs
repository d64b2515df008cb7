//! `FluidSynth`: renders a MIDI file of held notes with a soundfont, faster than real time.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind};

use super::notes::{RATE_HZ, VOICES_OF_A_BANK, key};
use crate::process::command;

pub(super) const PROGRAM: &str = "fluidsynth";
pub(super) const DEBIAN: &str = "fluidsynth and timgm6mb-soundfont";

/// A General MIDI soundfont of six megabytes. A held note of its string ensemble uses one voice,
/// like a note in khor.
const SOUNDFONT: &str = "/usr/share/sounds/sf2/TimGM6mb.sf2";
/// General MIDI's program number of the string ensemble, which sounds for as long as a note is
/// held.
const STRINGS: u8 = 48;
/// Number of the MIDI controller that ends all notes of a channel at once.
const ALL_SOUND_OFF: u8 = 120;
const TICKS_PER_QUARTER: u16 = 480;
/// Ticks per second at 120 beats per minute, which is the default tempo of MIDI files.
const TICKS_PER_S: u32 = 2 * TICKS_PER_QUARTER as u32;

/// A command that renders `voices` held notes with reverb and chorus, and discards the samples. The
/// rendered sound lasts `seconds`. The function writes the notes to `folder`.
pub(super) fn render(voices: usize, seconds: u32, folder: &Path) -> Result<Command> {
    ensure!(Path::new(SOUNDFONT).exists(), "no {SOUNDFONT} ({DEBIAN})");
    let notes = folder.join("fluidsynth.mid");
    held(voices, seconds).save(&notes).context("cannot write the MIDI file")?;
    let mut fluidsynth = command(PROGRAM, ["-n", "-i", "-q", "-F", "/dev/null", "-T", "raw", "-O", "float"]);
    fluidsynth.args(["-r", &RATE_HZ.to_string(), SOUNDFONT]).arg(notes);
    Ok(fluidsynth)
}

/// Creates a MIDI file in which all notes start at time zero and end together.
fn held(voices: usize, seconds: u32) -> Smf<'static> {
    let midi = |channel: usize, message| TrackEvent {
        delta: 0.into(),
        kind: TrackEventKind::Midi { channel: (channel as u8).into(), message },
    };
    let mut track: Track<'static> = Vec::new();
    for voice in 0..voices {
        // Two notes with the same key on one MIDI channel would be one note, so voices with the
        // same key use different channels.
        let channel = voice / VOICES_OF_A_BANK;
        track.push(midi(channel, MidiMessage::ProgramChange { program: STRINGS.into() }));
        track.push(midi(channel, MidiMessage::NoteOn { key: key(voice).into(), vel: 64.into() }));
    }
    // FluidSynth renders until all notes have ended, so these events set the length of the render.
    for channel in 0..=voices / VOICES_OF_A_BANK {
        let delta = if channel == 0 { seconds * TICKS_PER_S } else { 0 };
        let silence = MidiMessage::Controller { controller: ALL_SOUND_OFF.into(), value: 0.into() };
        track.push(TrackEvent { delta: delta.into(), ..midi(channel, silence) });
    }
    track.push(TrackEvent { delta: 0.into(), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    let timing = Timing::Metrical(TICKS_PER_QUARTER.into());
    Smf { header: Header::new(Format::SingleTrack, timing), tracks: vec![track] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_held_to_end_without_repeats() {
        let smf = held(48, 20);
        let mut struck: Vec<_> = smf.tracks[0]
            .iter()
            .filter_map(|event| match event.kind {
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, .. } } => {
                    Some((channel, key))
                }
                _ => None,
            })
            .collect();
        struck.sort_unstable();
        struck.dedup();
        assert_eq!(struck.len(), 48);
        let ticks: u32 = smf.tracks[0].iter().map(|event| event.delta.as_int()).sum();
        assert_eq!(ticks / TICKS_PER_S, 20);
    }
}
