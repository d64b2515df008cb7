//! Converts the configuration into the settings of each part of the engine.

use std::path::Path;

use khor_config::{Audio, Config, Midi, Music, Nats, Recordings, Signals};
use khor_fleet::Name;
use khor_music::{Settings, SiteMode};
use khor_output::{audio, midi, osc, recorder::DiskLimits};
use khor_signal::{PerSignal, SIGNALS, Scaling, SignalId, default_ceilings};
use khor_site::{SiteSettings, nats::NatsSettings};
use khor_source::{DemoSettings, MachineSettings, Playback, ScopeChoice};
use khor_synth::{OfflineSettings, RenderMode, Volume};

use super::sources::SourceChoice;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct SignalSettings {
    pub(super) scaling: Scaling,
    /// The signals that `bpf.enabled_mask` enables.
    pub(super) enabled: PerSignal<bool>,
    /// The host of a site that plays as if it were this machine. `None` plays all hosts.
    pub(super) single_host: Option<Name>,
    /// The mode in which the hosts of a site play.
    pub(super) mode: SiteMode,
}

pub(super) fn audio_settings(config: &Config) -> audio::AudioSettings {
    audio::AudioSettings {
        enabled: config.features.audio,
        backend: config.audio.backend.clone(),
        device: config.audio.device.clone(),
        sample_rate_hz: config.audio.sample_rate,
    }
}

/// The targets of OSC messages, or none if OSC is off.
pub(crate) fn osc_targets(config: &Config) -> Vec<osc::OscTarget> {
    if !config.features.osc {
        return Vec::new();
    }
    let targets = config.osc.all_targets().into_iter();
    targets.map(|target| osc::OscTarget { host: target.host, port: target.port }).collect()
}

/// The settings of MIDI. `None` if MIDI is off.
pub(super) fn midi_settings(config: &Config) -> Option<midi::MidiSettings> {
    let settings = || {
        let Midi { port, channel, clock } = config.midi.clone();
        midi::MidiSettings { port, melody_channel: channel, clock }
    };
    config.features.midi.then(settings)
}

/// Selects the source to run. A `capture` has priority over all settings, and a site has priority
/// over the demo and this machine.
pub(super) fn source_choice(config: &Config, socket: &Path, capture: Option<&Playback>) -> SourceChoice {
    let interval_ms = config.bpf.sample_interval_ms;
    let site = config.site.name.parse().ok();
    if let Some(playback) = capture {
        SourceChoice::Capture(playback.clone())
    } else if let Some(name) = site {
        SourceChoice::Site(SiteSettings { name, nats: nats_settings(&config.site.nats) })
    } else if config.features.fake {
        SourceChoice::Demo(DemoSettings { seed: config.music.seed, interval_ms })
    } else {
        SourceChoice::Machine(MachineSettings {
            socket: socket.to_owned(),
            use_collector: config.features.bpf,
            scope: scope_choice(config),
            interval_ms,
            exec_cues: false,
        })
    }
}

pub(super) fn signal_settings(config: &Config) -> SignalSettings {
    let single_host = config.site.host.as_ref().and_then(|host| host.parse().ok());
    SignalSettings {
        scaling: scaling(config),
        enabled: enabled_signals(config),
        single_host,
        mode: config.site.mode,
    }
}

/// The settings of the connection to a site's NATS server.
pub(crate) fn nats_settings(nats: &Nats) -> NatsSettings {
    let Nats { url, creds, nkey, tls_ca, tls_cert, tls_key } = nats.clone();
    NatsSettings { url, creds, nkey, tls_ca, tls_cert, tls_key }
}

/// The configured scope.
pub fn scope_choice(config: &Config) -> ScopeChoice {
    let (cgroup, processes) = (config.bpf.cgroup.clone(), config.bpf.tgid_allow.clone());
    ScopeChoice { cgroup, processes, without: config.bpf.tgid_deny.clone() }
}

/// The settings for the conversion of rates to levels.
pub(super) fn scaling(config: &Config) -> Scaling {
    let defaults = default_ceilings();
    let Signals { range, ceilings } = &config.signals;
    let ceilings = SIGNALS.map(|info| ceilings.get(info.name).copied().unwrap_or(defaults[info.id.index()]));
    Scaling { range: *range, ceilings, smoothing: config.music.smoothing }
}

/// The signals that `bpf.enabled_mask` enables.
fn enabled_signals(config: &Config) -> PerSignal<bool> {
    SIGNALS.map(|info| config.bpf.enabled_mask & mask_bits(info.id) == mask_bits(info.id))
}

pub(super) fn volume(config: &Config) -> Volume {
    let Audio { master_gain, loudness_lufs, .. } = config.audio;
    Volume { master_gain, loudness_lufs: loudness_lufs.into() }
}

pub(super) fn music_settings(config: &Config) -> Settings {
    let Music { bpm, key_midi, scale, preset: _, density, smoothing, seed } = config.music.clone();
    Settings { bpm, key_midi, scale, density, smoothing, seed }
}

/// The settings for rendering without a running engine.
pub fn offline_settings(config: &Config, mode: RenderMode) -> OfflineSettings {
    OfflineSettings {
        scaling: scaling(config),
        music: music_settings(config),
        volume: volume(config),
        sample_rate_hz: config.audio.sample_rate,
        mode,
    }
}

/// The limits of the disk space for recordings.
pub(super) fn disk_limits(recordings: &Recordings) -> DiskLimits {
    let bytes = |mib: u32| u64::from(mib) << 20;
    DiskLimits {
        quota_bytes: bytes(recordings.quota_mib),
        min_free_bytes: recordings.min_free_mib.map(bytes),
    }
}

/// The bits of `bpf.enabled_mask` that enable a signal; 0 for a signal that is always enabled.
const fn mask_bits(signal: SignalId) -> u32 {
    match signal {
        SignalId::Exec | SignalId::Fork => 1,
        SignalId::Rx | SignalId::Tx | SignalId::Local => 2,
        SignalId::Csw => 4,
        SignalId::Io | SignalId::Lat => 8,
        SignalId::Retx => 16,
        SignalId::Irq | SignalId::Softirq => 32,
        SignalId::Stall | SignalId::Mem | SignalId::Cpu | SignalId::Fault => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_disables_only_its_signals() {
        let mut config = Config::default();
        config.bpf.enabled_mask = 63 & !2;
        let enabled = enabled_signals(&config);
        assert!([SignalId::Rx, SignalId::Tx, SignalId::Local].iter().all(|id| !enabled[id.index()]));
        assert!(enabled[SignalId::Exec.index()] && enabled[SignalId::Mem.index()]);
    }

    #[test]
    fn configuration_and_connection_accept_the_same_addresses() {
        for url in ["nats://rack:4222", "tls://rack", "rack", "http://rack", "nats://a@rack", "", "nats://["]
        {
            let mut config = Config::default();
            config.site.nats.url = url.into();
            let connects = nats_settings(&config.site.nats).check_url().is_ok();
            assert_eq!(config.validate().is_ok(), connects, "{url}");
        }
    }

    #[test]
    fn default_music_and_server_match_their_parts() {
        let config = Config::default();
        assert_eq!(music_settings(&config), Settings::default());
        assert_eq!(nats_settings(&config.site.nats), NatsSettings::default());
    }
}
