//! The sound device.
//!
//! A supervising thread owns the stream: it opens it, watches it and opens it again when it is lost. The
//! synth lives in a [`renderer`] that is lent to the stream's callback and comes back when the stream is
//! dropped, so a lost device costs nothing but time. Commands reach the callback through one lock-free queue
//! whose only producer is the [`Player`]; figures come back through the atomics of [`link`].
//! All of cpal stays in [`device`], and what its client needs to be let in by a sound server in [`cookie`]; the
//! [`priority`] of its thread is asked for when it first plays. What the device is given can be heard at the [`tap`] as
//! well; where there is no device, the [`pacer`] takes its place while somebody does.

mod cookie;
mod device;
mod link;
mod pacer;
mod priority;
#[cfg(test)]
mod real_time;
mod renderer;
mod shed;
mod supervisor;
mod tap;

pub use device::{DeviceInfo, list, try_out};
pub use link::Meters;
pub use priority::{Granter, Priority};
pub use supervisor::{Output, Status, Wanted};
pub use tap::{Block, StereoFrame, Tap, TapFull};

use std::sync::Arc;

use rtrb::Producer;

use self::{link::Link, renderer::Command};
use crate::{
    music::{Controls, Instrument, Note, Patch},
    synth::{SynthNote, Volume},
};

/// The feeding end of the sound: turns musical time into frames and hands commands to the callback.
/// Not for the audio thread; never blocks.
pub struct Player {
    commands: Producer<Command>,
    link: Arc<Link>,
    clock: Clock,
}

impl Player {
    /// Tells how late it is; call it every few milliseconds with the musical time now, seconds. Answers the
    /// number of the stream that takes samples; `None` while no device does: then notes are not to be sent.
    pub fn tick(&mut self, now_s: f64) -> Option<u32> {
        let stream = self.link.running_stream();
        if stream.is_some() {
            self.clock.observe(now_s, self.link.frames(), f64::from(self.link.sample_rate_hz()));
        } else {
            self.clock = Clock::default();
        }
        stream
    }

    /// Schedules a note; those that begin before now sound at once.
    pub fn note(&mut self, note: &Note) {
        let sample_rate_hz = self.link.sample_rate_hz();
        if let Some(onset_frame) = self.clock.frame_at(note.onset_s, f64::from(sample_rate_hz)) {
            self.send(Command::Note(SynthNote::new(note, onset_frame, sample_rate_hz)));
        }
    }

    /// Continuous parameters of the music.
    pub fn controls(&mut self, controls: Controls) {
        self.send(Command::Controls(controls));
    }

    /// Timbres, in the order of `Instrument::ALL`.
    pub fn patches(&mut self, patches: [Patch; Instrument::ALL.len()]) {
        for (instrument, patch) in std::iter::zip(Instrument::ALL, patches) {
            self.send(Command::Patch(instrument, patch));
        }
    }

    /// How loud all of it is.
    pub fn volume(&mut self, volume: Volume) {
        self.send(Command::Volume(volume));
    }

    /// Silence, with a short fade.
    pub fn muted(&mut self, muted: bool) {
        self.send(Command::Muted(muted));
    }

    /// Ends every note.
    pub fn all_notes_off(&mut self) {
        self.send(Command::AllNotesOff);
    }

    fn send(&mut self, command: Command) {
        if self.commands.push(command).is_err() {
            self.link.command_lost();
        }
    }
}

/// Maps musical seconds to the synth's frames. The callback advances in blocks, so one observation jitters by
/// a block; a slow average of the offset between the clocks doesn't, and follows their drift.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    offset_frames: Option<f64>,
}

impl Clock {
    /// Share of an observation that goes into the average: at 100 a second a time constant of 5 s.
    const FOLLOW: f64 = 0.002;
    /// An offset this far off is a new stream, not jitter, seconds.
    const JUMP_S: f64 = 0.25;
    /// Distance kept behind the callback's newest block, seconds: one block of 2048 frames at 48 kHz.
    const MARGIN_S: f64 = 0.043;

    fn observe(&mut self, now_s: f64, frames: u64, rate_hz: f64) {
        let seen = frames as f64 - now_s * rate_hz;
        self.offset_frames = Some(match self.offset_frames {
            Some(offset) if (seen - offset).abs() < Self::JUMP_S * rate_hz => {
                offset + (seen - offset) * Self::FOLLOW
            }
            _ => seen,
        });
    }

    fn frame_at(&self, music_s: f64, rate_hz: f64) -> Option<u64> {
        Some(((music_s + Self::MARGIN_S) * rate_hz + self.offset_frames?).max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_smooths_block_jitter_and_follows_drift() {
        const RATE_HZ: f64 = 48_000.0;
        let mut clock = Clock::default();
        let mut steps = Vec::new();
        for tick in 0..20_000_u32 {
            let now_s = f64::from(tick) * 0.005;
            // A device 100 ppm fast, in blocks of 1024 frames.
            let frames = (now_s * RATE_HZ * 1.0001) as u64 / 1024 * 1024;
            clock.observe(now_s, frames, RATE_HZ);
            steps.push(clock.frame_at(now_s, RATE_HZ).unwrap());
        }
        let jitter = steps[2000..]
            .windows(2)
            .map(|pair| (pair[1] as f64 - pair[0] as f64 - 240.024).abs())
            .fold(0.0, f64::max);
        assert!(jitter < 4.0, "{jitter} frames");
        let ahead = *steps.last().unwrap() as f64 - 19_999.0 * 0.005 * RATE_HZ * 1.0001;
        let margin = Clock::MARGIN_S * RATE_HZ;
        assert!((ahead - margin + 512.0).abs() < 100.0, "{ahead} frames ahead");
    }

    #[test]
    fn a_new_stream_is_not_jitter() {
        let mut clock = Clock::default();
        clock.observe(100.0, 4_800_000, 48_000.0);
        clock.observe(101.0, 512, 44_100.0);
        assert_eq!(clock.frame_at(101.0, 44_100.0), Some(512 + (Clock::MARGIN_S * 44_100.0) as u64));
    }
}
