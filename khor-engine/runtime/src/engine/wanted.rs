//! What the configuration asks of each part, in that part's own words.

use std::path::Path;

use super::{listener::SignalSettings, sources::SourceChoice};
use crate::config::{Config, Midi};
use khor_output::{audio, midi, osc};
use khor_site::SiteSettings;
use khor_source::{DemoSettings, MachineSettings, Playback};

pub(super) fn audio_wanted(config: &Config) -> audio::AudioSettings {
    audio::AudioSettings {
        enabled: config.features.audio,
        backend: config.audio.backend.clone(),
        device: config.audio.device.clone(),
        sample_rate_hz: config.audio.sample_rate,
    }
}

/// None when OSC is off.
pub(super) fn osc_wanted(config: &Config) -> Vec<osc::OscTarget> {
    if config.features.osc { config.osc.all_targets() } else { Vec::new() }
}

pub(super) fn midi_wanted(config: &Config) -> Option<midi::MidiSettings> {
    let wanted = || {
        let Midi { port, channel, clock } = config.midi.clone();
        midi::MidiSettings { port, melody_channel: channel, clock }
    };
    config.features.midi.then(wanted)
}

/// The source that the configuration selects. A `capture` comes before all others, then a site.
pub(super) fn source_choice(config: &Config, socket: &Path, capture: Option<&Playback>) -> SourceChoice {
    let interval_ms = config.bpf.sample_interval_ms;
    let site = config.site.name.parse().ok();
    if let Some(playback) = capture {
        SourceChoice::Capture(playback.clone())
    } else if let Some(name) = site {
        SourceChoice::Site(SiteSettings { name, nats: config.site.nats.clone() })
    } else if config.features.fake {
        SourceChoice::Demo(DemoSettings { seed: config.music.seed, interval_ms })
    } else {
        SourceChoice::Machine(MachineSettings {
            socket: socket.to_owned(),
            use_collector: config.features.bpf,
            scope: config.bpf.scope(),
            interval_ms,
            exec_cues: false,
        })
    }
}

pub(super) fn signal_settings(config: &Config) -> SignalSettings {
    let alone = config.site.host.as_ref().and_then(|host| host.parse().ok());
    SignalSettings { scaling: config.scaling(), heard: config.heard(), alone, mode: config.site.mode }
}
