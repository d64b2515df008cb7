//! The ALSA sequencer port itself.

use std::ffi::CString;

use alsa::{
    Direction,
    seq::{EvCtrl, EvNote, Event, EventType, PortCap, PortInfo, PortType, Seq},
};
use nix::errno::Errno;

use super::schedule::Message;

/// A port that others may subscribe to.
pub(super) struct Port {
    seq: Seq,
    port: i32,
}

/// The sequencer said no.
#[derive(Debug, thiserror::Error)]
#[error("the ALSA sequencer: {0}")]
pub(super) struct PortError(#[from] alsa::Error);

impl PortError {
    /// What the machine's owner can do.
    pub(super) fn fix(&self) -> &'static str {
        match Errno::from_raw(self.0.errno()) {
            Errno::ENOENT | Errno::ENODEV => "load the kernel's sequencer: sudo modprobe snd-seq",
            Errno::EACCES => {
                "let this user open /dev/snd/seq: sudo usermod -aG audio $USER, then log in again"
            }
            _ => "see whether aconnect -l works",
        }
    }
}

impl Port {
    pub(super) fn open(name: &str) -> Result<Self, PortError> {
        // alsa-lib would print what it thinks of a missing sequencer to stderr.
        let _quiet = alsa::Output::local_error_handler().ok();
        let name = CString::new(name.replace('\0', "")).unwrap_or_default();
        let seq = Seq::open(None, Some(Direction::Playback), true)?;
        seq.set_client_name(&name)?;
        let mut info = PortInfo::empty()?;
        info.set_name(&name);
        info.set_capability(PortCap::READ | PortCap::SUBS_READ);
        info.set_type(PortType::MIDI_GENERIC | PortType::APPLICATION);
        seq.create_port(&info)?;
        let port = info.get_port();
        Ok(Self { seq, port })
    }

    /// Sends one message to whoever has subscribed, at once.
    pub(super) fn send(&self, message: Message) -> Result<(), PortError> {
        let mut event = match message {
            Message::NoteOn { channel, note, velocity } => {
                Event::new(EventType::Noteon, &note_event(channel, note, velocity))
            }
            Message::NoteOff { channel, note } => {
                Event::new(EventType::Noteoff, &note_event(channel, note, 0))
            }
            Message::Controller { channel, controller, value } => {
                let data = EvCtrl { channel: channel - 1, param: controller.into(), value: value.into() };
                Event::new(EventType::Controller, &data)
            }
        };
        event.set_source(self.port);
        event.set_subs();
        event.set_direct();
        self.seq.event_output_direct(&mut event)?;
        Ok(())
    }
}

/// Channels count from 1 in khor, from 0 on the wire.
fn note_event(channel: u8, note: u8, velocity: u8) -> EvNote {
    EvNote { channel: channel - 1, note, velocity, off_velocity: 0, duration: 0 }
}
