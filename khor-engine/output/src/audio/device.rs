//! Sound devices through cpal: lists them and opens one. Only this module and the device thread use
//! cpal.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use cpal::{
    BufferSize, Device, ErrorKind, Host, HostId, OutputCallbackInfo, OutputStreamTimestamp, SampleFormat,
    Stream, StreamConfig,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};
use khor_api::DeviceInfo;
use khor_proto::inert;

use super::{
    alsa_errors::silence_alsa,
    device_thread::{Hosts, is_card, is_card_choice, with_hosts},
    renderer::Lease,
};

/// Frames per callback of a sound card. Never the device's default, which may be two seconds.
const CARD_FRAMES: u32 = 1024;
/// Frames that are requested of a sound server. The server calls twice as often. Each call costs
/// the client more than the sound does.
const SERVER_FRAMES: u32 = 2048;
/// How long a stream may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// The selected device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceChoice {
    /// `pulseaudio`, `alsa`, or empty for the first that answers.
    pub(super) backend: String,
    /// `id:…`, or empty for the default.
    pub(super) device: String,
    /// Do not open the sound card: it belongs to the sound server, which may be starting.
    pub(super) server_only: bool,
}

/// A stream that plays.
pub(super) struct OpenStream {
    /// Kept alive; dropping it ends the sound.
    _stream: Stream,
    pub(super) backend: String,
    pub(super) device: String,
    /// Whether a sound server plays it.
    pub(super) by_server: bool,
    pub(super) faults: Arc<Faults>,
}

/// The results of the callbacks. The error callback may run half a million times a second, so it
/// only counts.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The stream cannot continue.
    pub(super) fatal: AtomicBool,
    /// Errors that may recover by themselves.
    pub(super) transient: AtomicU64,
    /// Gaps in the sound.
    pub(super) xruns: AtomicU64,
    /// Number of the thread that plays, from its first callback on; 0 before.
    pub(super) tid: AtomicI32,
}

/// Why no stream could be opened.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct OpenError {
    reason: String,
    /// Another program uses the device, or khor does.
    is_busy: bool,
}

impl OpenError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_busy: false }
    }
}

impl From<cpal::Error> for OpenError {
    fn from(error: cpal::Error) -> Self {
        Self {
            reason: error.to_string().trim_end_matches('.').to_owned(),
            is_busy: error.kind() == ErrorKind::DeviceBusy,
        }
    }
}

const NO_SERVER: &str = "the sound server does not answer";
/// Devices that alsa-lib always lists and that are useless for playing: converters and sinks to
/// nowhere.
const ALSA_PLUGINS: [&str; 9] =
    ["jack", "lavrate", "null", "oss", "samplerate", "speex", "speexrate", "upmix", "vdownmix"];

/// All output devices of all backends that answer. Opens no device.
pub fn list() -> Vec<DeviceInfo> {
    with_hosts(list_all).unwrap_or_default()
}

fn list_all(hosts: &mut Hosts) -> Vec<DeviceInfo> {
    let preferred = Hosts::ids("").first().copied();
    let mut devices: Vec<DeviceInfo> = Vec::new();
    for host_id in Hosts::ids("") {
        let of_host = hosts.with_host(host_id, |host| outputs_of(host, preferred == Some(host_id)));
        for info in of_host.into_iter().flatten() {
            if devices.iter().all(|known| known.id != info.id) {
                devices.push(info);
            }
        }
    }
    devices
}

/// The outputs of a backend. Its default device is the default if the backend is `preferred`.
fn outputs_of(host: &Host, preferred: bool) -> Vec<DeviceInfo> {
    let default = host.default_output_device().and_then(|device| device.id().ok());
    let info = |device: Device| {
        // The configuration rejects an id with active characters.
        let id = device.id().ok().filter(|id| inert::is_inert(&id.to_string()))?;
        let is_plugin = id.to_string().strip_prefix("alsa:").is_some_and(|pcm| ALSA_PLUGINS.contains(&pcm));
        let is_default = preferred && default.as_ref() == Some(&id);
        (!is_plugin).then(|| DeviceInfo { id: format!("id:{id}"), name: display_name(&device), is_default })
    };
    host.output_devices().into_iter().flatten().filter_map(info).collect()
}

/// The name of the device that would be opened. Plays nothing.
///
/// # Errors
///
/// The reason why none would be opened.
pub fn probe(backend: &str, device: &str, sample_rate_hz: u32) -> Result<String, String> {
    let choice = DeviceChoice { backend: backend.to_owned(), device: device.to_owned(), server_only: false };
    let (host_id, device) = find_playable(&choice, sample_rate_hz).map_err(|error| error.to_string())?;
    Ok(format!("{} through {host_id}", display_name(&device)))
}

/// Checks whether a chosen device can play, before the current device is closed. A busy device
/// passes, because khor itself may use it.
///
/// # Errors
///
/// The reason why it cannot play.
pub fn check(device: &str, sample_rate_hz: u32) -> Result<(), String> {
    let choice = DeviceChoice { device: device.to_owned(), ..DeviceChoice::default() };
    match find_playable(&choice, sample_rate_hz) {
        Err(error) if !error.is_busy => Err(format!("{device} can't be played ({error})")),
        _ => Ok(()),
    }
}

/// Finds a device that can play. The query for its abilities opens a sound card, so it detects a
/// name without a device.
fn find_playable(choice: &DeviceChoice, sample_rate_hz: u32) -> Result<(HostId, Device), OpenError> {
    let _quiet = silence_alsa();
    let (host_id, device) = find(choice)?;
    let config = stream_config(host_id, &device, sample_rate_hz);
    config.map_err(|OpenError { reason, is_busy }| OpenError {
        reason: format!("{host_id}: {reason}"),
        is_busy,
    })?;
    Ok((host_id, device))
}

/// Opens the chosen device. Returns the rate at which it plays the renderer of `lease`.
pub(super) fn open(
    choice: &DeviceChoice,
    sample_rate_hz: u32,
    mut lease: Lease,
) -> Result<(OpenStream, u32), OpenError> {
    let _quiet = silence_alsa();
    let (host_id, device) = find(choice)?;
    let config = stream_config(host_id, &device, sample_rate_hz)?;
    let channels = usize::from(config.channels);
    let faults = Arc::new(Faults::default());
    let (seen, player) = (Arc::clone(&faults), Arc::clone(&faults));
    let stream = device
        .build_output_stream::<f32, _, _>(
            config,
            move |out: &mut [f32], info: &OutputCallbackInfo| {
                if player.tid.load(Relaxed) == 0 {
                    // Once per stream, and it cannot block. There is no other way to learn which
                    // thread a backend plays from.
                    player.tid.store(nix::unistd::gettid().as_raw(), Relaxed);
                }
                let OutputStreamTimestamp { callback, playback } = info.timestamp();
                let until_heard = playback.duration_since(callback);
                lease.fill(out, channels, until_heard.as_secs_f32());
            },
            move |error| count_fault(&seen, error.kind()),
            Some(OPEN_TIMEOUT),
        )
        .and_then(|stream| stream.play().map(|()| stream))
        .map_err(|error| OpenError::new(format!("{host_id}: {error}")))?;
    let open = OpenStream {
        _stream: stream,
        backend: host_id.to_string(),
        device: display_name(&device),
        by_server: !is_card(host_id),
        faults,
    };
    Ok((open, config.sample_rate))
}

fn count_fault(faults: &Faults, kind: ErrorKind) {
    match kind {
        ErrorKind::Xrun => {
            faults.xruns.fetch_add(1, Relaxed);
        }
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        ErrorKind::BackendError | ErrorKind::Other => {
            faults.transient.fetch_add(1, Relaxed);
        }
        _ => faults.fatal.store(true, Relaxed),
    }
}

fn find(choice: &DeviceChoice) -> Result<(HostId, Device), OpenError> {
    if is_card_choice(&choice.backend, &choice.device) {
        return find_in(&mut Hosts::default(), choice);
    }
    let choice = choice.clone();
    with_hosts(move |hosts| find_in(hosts, &choice)).unwrap_or_else(|| Err(OpenError::new(NO_SERVER)))
}

fn find_in(hosts: &mut Hosts, choice: &DeviceChoice) -> Result<(HostId, Device), OpenError> {
    if let Some(id) = choice.device.strip_prefix("id:") {
        let id: cpal::DeviceId = id.parse().map_err(|error| OpenError::new(format!("{id}: {error}")))?;
        let found = hosts.with_host(id.host(), |host| host.device_by_id(&id));
        let found = found.ok_or_else(|| OpenError::new(format!("{} does not answer", id.host())))?;
        return Ok((id.host(), found.ok_or_else(|| OpenError::new(format!("{id} is not there")))?));
    }
    for host_id in
        Hosts::ids(&choice.backend).into_iter().filter(|host| !choice.server_only || !is_card(*host))
    {
        if let Some(device) = hosts.with_host(host_id, Host::default_output_device).flatten() {
            return Ok((host_id, device));
        }
    }
    let error = if choice.server_only { NO_SERVER } else { "no sound server and no sound card answer" };
    Err(OpenError::new(error))
}

/// Whether there is a sound server, or the files of one that crashed.
pub(super) fn has_server() -> bool {
    pulseaudio::socket_path_from_env().is_some()
}

/// The requested rate if the device supports it, else the device's own. Two channels if the device
/// has them.
fn stream_config(host: HostId, device: &Device, sample_rate_hz: u32) -> Result<StreamConfig, OpenError> {
    let default = device.default_output_config()?;
    let mut ranges = device
        .supported_output_configs()?
        .filter(|range| range.sample_format() == SampleFormat::F32)
        .peekable();
    if ranges.peek().is_none() {
        return Err(OpenError::new(
            "takes no floating-point samples; one of the same card that converts does",
        ));
    }
    let fits = ranges.any(|range| {
        range.channels() == 2 && (range.min_sample_rate()..=range.max_sample_rate()).contains(&sample_rate_hz)
    });
    let (channels, sample_rate) =
        if fits { (2, sample_rate_hz) } else { (default.channels(), default.sample_rate()) };
    let frames = if is_card(host) { CARD_FRAMES } else { SERVER_FRAMES };
    Ok(StreamConfig { channels, sample_rate, buffer_size: BufferSize::Fixed(frames) })
}

fn display_name(device: &Device) -> String {
    let name =
        device.description().map_or_else(|_| device.to_string(), |description| description.name().to_owned());
    inert::owned_line(name)
}
