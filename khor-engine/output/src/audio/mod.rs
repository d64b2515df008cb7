//! Plays the music on a sound device, and sends the sound to listeners.
//!
//! A [`supervisor`] thread owns the stream. It opens the stream, watches it, and reopens it when it
//! is lost. The synth lives in a [`renderer`], which is lent to the stream's callback. When the
//! stream is dropped, it returns the renderer, so no state is lost with a device. Commands reach
//! the callback through one lock-free queue, whose only producer is the [`Player`]. The callback
//! publishes measurements through the atomics of [`callback_state`].
//!
//! Only [`device`] and [`device_thread`] use cpal. [`device_thread`] keeps the connection to a
//! sound server, and [`cookie`] creates the cookie that the server requires. When a stream first
//! plays, khor requests real-time [`priority`] for the stream's thread. Listeners receive the
//! device's sound from the [`tap`]. While no device plays, the [`pacer`] renders the sound for
//! them.

mod alsa_errors;
mod callback_state;
mod cookie;
mod device;
mod device_thread;
mod pacer;
mod priority;
#[cfg(test)]
mod real_time;
mod renderer;
mod supervisor;
mod tap;
mod voice_limit;

use std::sync::Arc;

use khor_music::{Controls, Instrument, Note, Patch};
use khor_synth::{SynthNote, Volume};
use rtrb::Producer;

pub use self::{
    callback_state::AudioMeters,
    device::{check, list, probe},
    supervisor::{AudioOutput, AudioSettings, AudioStatus},
    tap::{Block, StereoFrame, Tap, TapFull},
};
use self::{
    callback_state::CallbackState,
    renderer::{Command, Settings},
};

/// Sends commands to the audio callback, and converts musical time to frames. Never blocks. Do not
/// use it in the audio thread.
pub struct Player {
    commands: Producer<Command>,
    callback: Arc<CallbackState>,
    clock: Clock,
    /// The last settings.
    settings: Settings,
    /// Whether all settings must be sent again, because a command was dropped.
    must_resend: bool,
}

impl Player {
    fn new(commands: Producer<Command>, callback: Arc<CallbackState>) -> Self {
        let (clock, settings) = (Clock::default(), Settings::default());
        Self { commands, callback, clock, settings, must_resend: false }
    }

    /// Call this every few milliseconds with the current musical time, seconds. Returns the number
    /// of the running stream. Returns `None` while no device runs; do not send notes then.
    pub fn tick(&mut self, now_s: f64) -> Option<u32> {
        let stream = self.callback.running_stream();
        if stream.is_some() {
            self.clock.observe(now_s, self.callback.frames(), f64::from(self.callback.sample_rate_hz()));
            self.resend_settings();
        } else {
            self.clock = Clock::default();
        }
        stream
    }

    /// Schedules a note. If its onset has already passed, the note sounds immediately.
    pub fn schedule_note(&mut self, note: &Note) {
        let sample_rate_hz = self.callback.sample_rate_hz();
        let Some(onset_frame) = self.clock.frame_at(note.onset_s, f64::from(sample_rate_hz)) else { return };
        let note = SynthNote::new(note, onset_frame, sample_rate_hz);
        if self.commands.push(Command::Note(note)).is_err() {
            self.callback.count_lost_note();
        }
    }

    /// Sets the continuous parameters of the music. They change a hundred times a second, and would
    /// fill the queue while no device runs. So khor keeps only the latest values until a device
    /// runs.
    pub fn set_controls(&mut self, controls: Controls) {
        self.settings.controls = Some(controls);
        match self.callback.running_stream() {
            Some(_) => self.push_command(Command::Controls(controls)),
            None => self.must_resend = true,
        }
    }

    /// Sets the timbres, in the order of `Instrument::ALL`.
    pub fn set_patches(&mut self, patches: [Patch; Instrument::ALL.len()]) {
        self.settings.patches = patches.map(Some);
        for (instrument, patch) in std::iter::zip(Instrument::ALL, patches) {
            self.push_command(Command::Patch(instrument, patch));
        }
    }

    /// Sets the overall volume.
    pub fn set_volume(&mut self, volume: Volume) {
        self.settings.volume = Some(volume);
        self.push_command(Command::Volume(volume));
    }

    /// Mutes or unmutes the sound, with a short fade.
    pub fn set_muted(&mut self, muted: bool) {
        self.settings.muted = muted;
        self.push_command(Command::Muted(muted));
    }

    /// Ends every note.
    pub fn all_notes_off(&mut self) {
        self.push_command(Command::AllNotesOff);
    }

    /// Sends a command. If the queue has no room, drops the command; all settings are then sent
    /// again later.
    fn push_command(&mut self, command: Command) {
        self.must_resend |= self.commands.push(command).is_err();
    }

    fn resend_settings(&mut self) {
        let commands = self.settings.commands();
        if self.must_resend && self.commands.slots() >= commands.clone().count() {
            self.must_resend = false;
            commands.for_each(|command| self.push_command(command));
        }
    }
}

/// Converts musical seconds to the synth's frames. The callback advances in blocks, so a single
/// observation of the offset between musical time and the synth's frames jitters by a block. A slow
/// average of the offset removes the jitter, but still follows the drift between the two clocks.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    offset_frames: Option<f64>,
}

impl Clock {
    /// Weight of one observation in the average. With 100 observations a second, the time constant
    /// is 5 s.
    const AVERAGE_SHARE: f64 = 0.002;
    /// Maximum change of the offset within a stream, seconds. A larger change shows that a new
    /// stream has started.
    const JUMP_S: f64 = 0.25;
    /// A note that is due now begins this many seconds after the newest rendered frame. This is the
    /// length of a block of 2048 frames at 48 kHz.
    const MARGIN_S: f64 = 0.043;

    fn observe(&mut self, now_s: f64, frames: u64, rate_hz: f64) {
        let seen = frames as f64 - now_s * rate_hz;
        self.offset_frames = Some(match self.offset_frames {
            Some(offset) if (seen - offset).abs() < Self::JUMP_S * rate_hz => {
                offset + (seen - offset) * Self::AVERAGE_SHARE
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
    use rtrb::RingBuffer;

    use super::*;

    /// The queue is full while a stream hangs. The last settings must still apply afterwards.
    #[test]
    fn settings_dropped_by_a_full_queue_are_resent() {
        let (producer, mut consumer) = RingBuffer::new(32);
        let callback = Arc::new(CallbackState::new(48_000));
        let mut player = Player::new(producer, Arc::clone(&callback));
        let running = AudioMeters::default();
        callback.publish(0, running);
        assert!(player.tick(0.0).is_some());
        for _ in 0..100 {
            player.all_notes_off();
        }
        player.set_muted(true);
        player.set_volume(Volume { master_gain: 0.25, loudness_lufs: -23.0 });
        assert_eq!(callback.meters().dropped_notes, 0, "only commands were dropped, no notes");
        while consumer.pop().is_ok() {}
        player.tick(0.01);
        let commands: Vec<Command> = std::iter::from_fn(|| consumer.pop().ok()).collect();
        assert!(commands.iter().any(|command| matches!(command, Command::Muted(true))));
        let is_volume = |command: &&Command| matches!(command, Command::Volume(v) if v.master_gain == 0.25);
        assert_eq!(commands.iter().filter(is_volume).count(), 1);
        player.tick(0.02);
        assert!(consumer.pop().is_err(), "the settings are sent only once");
    }

    /// Without a device, nothing empties the queue, and a hundred controls a second would fill it.
    #[test]
    fn without_a_device_controls_are_coalesced() {
        let (producer, mut consumer) = RingBuffer::new(32);
        let callback = Arc::new(CallbackState::new(48_000));
        let mut player = Player::new(producer, Arc::clone(&callback));
        let controls = |brightness| Controls { brightness, ..Controls::default() };
        for i in 0..1000_u16 {
            player.set_controls(controls(f32::from(i) / 1000.0));
        }
        assert!(player.tick(0.0).is_none() && consumer.pop().is_err());
        callback.publish(0, AudioMeters::default());
        player.tick(1.0);
        let commands: Vec<Command> = std::iter::from_fn(|| consumer.pop().ok()).collect();
        let last = |command: &Command| matches!(command, Command::Controls(c) if c.brightness == 0.999);
        assert!(commands.iter().any(last));
    }

    #[test]
    fn the_clock_smooths_jitter_and_follows_drift() {
        const RATE_HZ: f64 = 48_000.0;
        let mut clock = Clock::default();
        let mut steps = Vec::new();
        for tick in 0..20_000_u32 {
            let now_s = f64::from(tick) * 0.005;
            // The device is 100 ppm too fast and plays blocks of 1024 frames.
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
    fn a_new_stream_resets_the_clock() {
        let mut clock = Clock::default();
        clock.observe(100.0, 4_800_000, 48_000.0);
        clock.observe(101.0, 512, 44_100.0);
        assert_eq!(clock.frame_at(101.0, 44_100.0), Some(512 + (Clock::MARGIN_S * 44_100.0) as u64));
    }
}
