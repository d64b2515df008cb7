//! Writes Standard MIDI Files with midly: a first track with tempo and meter, then a track for each
//! role.

use std::{io, path::Path};

use khor_music::{Note, Role};
use khor_system::files::write_output;
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind, num::u15,
};

/// Number of ticks in a quarter note. A step of the music has 120 ticks. At 110 BPM, a tick is
/// about a millisecond.
const TICKS_PER_QUARTER: u16 = 480;
/// The meter 4/4: a bar of the music is sixteen steps, each a sixteenth note.
const METER: MetaMessage<'static> = MetaMessage::TimeSignature(4, 2, 24, 8);

/// Collects notes and writes them to one file.
#[derive(Debug)]
pub struct NoteFile {
    bpm: f32,
    notes: Vec<Note>,
}

/// The beginning or the end of a note. In a track, events are sorted by tick. At the same tick,
/// ends come before beginnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    tick: u64,
    is_on: bool,
    midi: u8,
    velocity: u8,
}

impl NoteFile {
    /// Creates a file without notes. `bpm` is its constant tempo, 20..=300 beats per minute.
    pub fn new(bpm: f32) -> Self {
        Self { bpm, notes: Vec::new() }
    }

    /// Adds notes, in any order.
    pub fn push(&mut self, notes: &[Note]) {
        self.notes.extend_from_slice(notes);
    }

    /// Writes the file. Only a complete file replaces an existing one.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let us_per_quarter = (60e6 / f64::from(self.bpm)).round() as u32;
        let tempo = [
            MetaMessage::TrackName(b"khor"),
            MetaMessage::Tempo(us_per_quarter.min(0xff_ffff).into()),
            METER,
        ];
        let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_QUARTER))));
        smf.tracks.push(track(&tempo, Vec::new()));
        for role in Role::ALL {
            let events = self.events(role);
            if !events.is_empty() {
                smf.tracks
                    .push(track(&[MetaMessage::TrackName(role.name().as_bytes())], kinds(&events, role)));
            }
        }
        let mut bytes = Vec::new();
        smf.write_std(&mut bytes)?;
        write_output(path, &bytes)
    }

    /// Returns the beginnings and ends of a role's notes. MIDI identifies a note by its number. So
    /// if a note begins while a note with the same number sounds, the earlier note ends first.
    fn events(&self, role: Role) -> Vec<Event> {
        let mut notes: Vec<&Note> = self.notes.iter().filter(|note| note.role == role).collect();
        notes.sort_by(|a, b| a.midi.cmp(&b.midi).then(a.onset_s.total_cmp(&b.onset_s)));
        let mut events = Vec::with_capacity(2 * notes.len());
        for (at, note) in notes.iter().enumerate() {
            let tick = self.tick(note.onset_s);
            let again = notes.get(at + 1).filter(|next| next.midi == note.midi);
            let again = again.map_or(u64::MAX, |next| self.tick(next.onset_s));
            if again == tick {
                continue; // The next note begins at the same tick, so MIDI cannot play both.
            }
            let end = self.tick(note.onset_s + f64::from(note.duration_s)).clamp(tick + 1, again);
            let velocity = (note.velocity.clamp(0.0, 1.0) * 127.0).round().max(1.0) as u8;
            events.push(Event { tick, is_on: true, midi: note.midi, velocity });
            events.push(Event { tick: end, is_on: false, midi: note.midi, velocity: 0 });
        }
        events.sort_unstable();
        events
    }

    fn tick(&self, seconds: f64) -> u64 {
        (seconds * f64::from(self.bpm) / 60.0 * f64::from(TICKS_PER_QUARTER)).round().max(0.0) as u64
    }
}

fn kinds(events: &[Event], role: Role) -> Vec<(u64, TrackEventKind<'static>)> {
    let channel = (role.midi_channel() - 1).into();
    let kind = |event: &Event| {
        let (key, vel) = (event.midi.into(), event.velocity.into());
        let message =
            if event.is_on { MidiMessage::NoteOn { key, vel } } else { MidiMessage::NoteOff { key, vel } };
        (event.tick, TrackEventKind::Midi { channel, message })
    };
    events.iter().map(kind).collect()
}

/// Builds a track from the meta messages `head`, followed by `events`. Each event comes with its
/// tick, counted from the beginning of the track.
fn track(head: &[MetaMessage<'static>], events: Vec<(u64, TrackEventKind<'static>)>) -> Track<'static> {
    let head = head.iter().map(|message| (0, TrackEventKind::Meta(*message)));
    let mut before = 0;
    let mut track: Track<'static> = head
        .chain(events)
        .map(|(tick, kind)| {
            let delta = (tick - std::mem::replace(&mut before, tick)) as u32;
            TrackEvent { delta: delta.into(), kind }
        })
        .collect();
    track.push(TrackEvent { delta: 0.into(), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    track
}

#[cfg(test)]
mod tests {
    use khor_music::{Instrument, Layer};

    use super::*;

    fn note(onset_s: f64, duration_s: f32, midi: u8, role: Role) -> Note {
        Note {
            onset_s,
            duration_s,
            midi,
            velocity: 0.5,
            pan: 0.0,
            brightness: 0.0,
            role,
            layer: Layer::Pulse,
            instrument: Instrument::Melody,
            signal: None,
        }
    }

    #[test]
    fn midi_files_keep_tempo_channels_and_times() {
        let mut file = NoteFile::new(120.0);
        file.push(&[note(1.0, 0.25, 60, Role::Percussion), note(0.5, 0.5, 40, Role::Bass)]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mid");
        file.write(&path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let smf = Smf::parse(&bytes).unwrap();
        assert_eq!(smf.tracks.len(), 3);
        let tempo = TrackEventKind::Meta(MetaMessage::Tempo(500_000.into()));
        assert!(smf.tracks[0].iter().any(|event| event.kind == tempo));
        let played = |track: &Track| {
            let mut tick = 0;
            let mut seen = Vec::new();
            for event in track {
                tick += event.delta.as_int();
                if let TrackEventKind::Midi { channel, message } = event.kind {
                    seen.push((tick, channel.as_int(), matches!(message, MidiMessage::NoteOn { .. })));
                }
            }
            seen
        };
        assert_eq!(played(&smf.tracks[1]), [(480, 1, true), (960, 1, false)]);
        assert_eq!(played(&smf.tracks[2]), [(960, 9, true), (1200, 9, false)]);
    }

    #[test]
    fn every_note_on_has_one_note_off() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut file = NoteFile::new(97.0);
        for _ in 0..3000 {
            let length_s = 0.01 + random.f32();
            file.push(&[note(50.0 * random.f64(), length_s, random.u8(50..60), Role::Melody)]);
        }
        let mut sounding = std::collections::BTreeSet::new();
        for event in file.events(Role::Melody) {
            if event.is_on {
                assert!(sounding.insert(event.midi), "{event:?}");
            } else {
                assert!(sounding.remove(&event.midi), "{event:?}");
            }
        }
        assert!(sounding.is_empty());
    }
}
