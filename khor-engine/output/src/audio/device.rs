//! Lists and opens sound devices with cpal. Only this module and the device thread use cpal.

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

/// Buffer size for a sound card, frames. A device's default buffer may be as long as two seconds.
const CARD_FRAMES: u32 = 1024;
/// Buffer size for a sound server, frames. The server requests half a buffer at a time. Smaller
/// buffers cause more requests, and handling a request takes more processor time than rendering its
/// sound.
const SERVER_FRAMES: u32 = 2048;
/// Maximum time that opening a stream may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// The selected device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceChoice {
    /// Name of the backend, `pulseaudio` or `alsa`. If it is empty, khor uses the first backend
    /// that answers.
    pub(super) backend: String,
    /// Id of the device, which begins with `id:`. If it is empty, khor uses the default device.
    pub(super) device: String,
    /// Whether to open only a sound server, and no sound card. This is set while a server may still
    /// be starting, because a server cannot open a card that khor has already opened.
    pub(super) server_only: bool,
}

/// An open sound stream.
pub(super) struct OpenStream {
    /// The stream. It plays until it is dropped.
    _stream: Stream,
    pub(super) backend: String,
    pub(super) device: String,
    /// Whether a sound server plays the stream. Otherwise the stream plays directly on a sound
    /// card.
    pub(super) by_server: bool,
    pub(super) faults: Arc<Faults>,
}

/// Counts a stream's errors, and holds the id of the thread that plays the stream. The error
/// callback may run half a million times a second, so it only counts the errors.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Whether an error has ended the stream.
    pub(super) fatal: AtomicBool,
    /// Number of errors from which the stream may recover by itself.
    pub(super) transient: AtomicU64,
    /// Number of gaps in the sound.
    pub(super) xruns: AtomicU64,
    /// Id of the thread that plays; 0 before its first callback.
    pub(super) tid: AtomicI32,
}

/// Why no stream could be opened.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct OpenError {
    reason: String,
    /// Whether the device is already in use, by another program or by khor itself.
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
/// Devices that alsa-lib always lists, although they are not sound cards: converters and null
/// sinks.
const ALSA_PLUGINS: [&str; 9] =
    ["jack", "lavrate", "null", "oss", "samplerate", "speex", "speexrate", "upmix", "vdownmix"];

/// Lists the output devices of all backends that answer. Opens no device.
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

/// Lists the output devices of a backend. If `preferred` is true, marks the backend's default
/// device as khor's default device.
fn outputs_of(host: &Host, preferred: bool) -> Vec<DeviceInfo> {
    let default = host.default_output_device().and_then(|device| device.id().ok());
    let info = |device: Device| {
        // Skip a device whose id has unsafe characters, because the configuration rejects such ids.
        let id = device.id().ok().filter(|id| inert::is_inert(&id.to_string()))?;
        let is_plugin = id.to_string().strip_prefix("alsa:").is_some_and(|pcm| ALSA_PLUGINS.contains(&pcm));
        let is_default = preferred && default.as_ref() == Some(&id);
        (!is_plugin).then(|| DeviceInfo { id: format!("id:{id}"), name: display_name(&device), is_default })
    };
    host.output_devices().into_iter().flatten().filter_map(info).collect()
}

/// Returns the name of the device that khor would open with these settings. Plays nothing.
///
/// # Errors
///
/// Returns the reason why khor could not open a device.
pub fn probe(backend: &str, device: &str, sample_rate_hz: u32) -> Result<String, String> {
    let choice = DeviceChoice { backend: backend.to_owned(), device: device.to_owned(), server_only: false };
    let (host_id, device) = find_playable(&choice, sample_rate_hz).map_err(|error| error.to_string())?;
    Ok(format!("{} through {host_id}", display_name(&device)))
}

/// Checks whether a chosen device can play. Call this before the current device is closed. A busy
/// device is accepted, because khor itself may be using it.
///
/// # Errors
///
/// Returns the reason why the device cannot play.
pub fn check(device: &str, sample_rate_hz: u32) -> Result<(), String> {
    let choice = DeviceChoice { device: device.to_owned(), ..DeviceChoice::default() };
    match find_playable(&choice, sample_rate_hz) {
        Err(error) if !error.is_busy => Err(format!("cannot play on {device}: {error}")),
        _ => Ok(()),
    }
}

/// Finds a device that can play. cpal opens a sound card to query its formats, so the query also
/// detects a name that belongs to no device.
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

/// Opens the chosen device and plays the renderer of `lease` on it. Returns the stream and its
/// sample rate, hertz.
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
                    // Backends do not report their thread, so the first callback stores its own
                    // thread id. This system call cannot block.
                    player.tid.store(nix::unistd::gettid().as_raw(), Relaxed);
                }
                let OutputStreamTimestamp { callback, playback } = info.timestamp();
                let delay = playback.duration_since(callback);
                lease.fill(out, channels, delay.as_secs_f32());
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
        return Ok((id.host(), found.ok_or_else(|| OpenError::new(format!("the device {id} is missing")))?));
    }
    for host_id in
        Hosts::ids(&choice.backend).into_iter().filter(|host| !choice.server_only || !is_card(*host))
    {
        if let Some(device) = hosts.with_host(host_id, Host::default_output_device).flatten() {
            return Ok((host_id, device));
        }
    }
    let error = if choice.server_only { NO_SERVER } else { "found no sound server and no sound card" };
    Err(OpenError::new(error))
}

/// Whether a sound server's socket exists. The socket may also be left over from a crashed server.
pub(super) fn has_server() -> bool {
    pulseaudio::socket_path_from_env().is_some()
}

/// The format of the stream: two channels at the requested rate if the device supports them,
/// otherwise the device's default.
fn stream_config(host: HostId, device: &Device, sample_rate_hz: u32) -> Result<StreamConfig, OpenError> {
    let default = device.default_output_config()?;
    let mut ranges = device
        .supported_output_configs()?
        .filter(|range| range.sample_format() == SampleFormat::F32)
        .peekable();
    if ranges.peek().is_none() {
        return Err(OpenError::new(
            "the device does not accept floating-point samples; choose the card's plughw device, which converts them",
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
