//! A PulseAudio server for one test, with a null sink, and recordings of its sound.

use std::{
    io::Read,
    ops::Range,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use khor_patience::progress;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::wait_until;

/// Sample rate of recordings.
const SAMPLE_RATE_HZ: f64 = 48_000.0;
/// Bytes of one second of a recording.
const SECOND_BYTES: usize = 48_000 * 4;

/// A running PulseAudio server; killed when dropped.
#[derive(Debug)]
pub struct Pulse {
    child: Option<Child>,
    sink: &'static str,
    dir: TempDir,
    /// The cookie that clients need to connect.
    cookie: PathBuf,
}

/// A recording of played sound: interleaved stereo at 48 kHz.
#[derive(Debug)]
pub struct SoundRecording {
    samples: Vec<i16>,
}

impl Pulse {
    /// Starts a server; `None` if `pulseaudio` is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with("module-null-sink sink_name=null rate=48000 channels=2 norewinds=1")
    }

    /// Starts a server with the sink that PulseAudio uses on machines without a sound card. This
    /// sink renders two seconds ahead while nothing plays.
    pub fn start_without_a_card() -> Option<Self> {
        Self::start_with("module-null-sink sink_name=null rate=48000 channels=2")
    }

    fn start_with(sink: &'static str) -> Option<Self> {
        let dir = TempDir::new().expect("creating a temporary directory");
        let cookie = dir.path().join(".config/pulse/cookie");
        let mut pulse = Self { child: None, sink, dir, cookie };
        pulse.restart().then_some(pulse)
    }

    /// Restarts the server after [`Self::kill`]. Returns false if it cannot be started.
    pub fn restart(&mut self) -> bool {
        let spawned = self
            .client("pulseaudio")
            .args(["--daemonize=no", "--exit-idle-time=-1", "-n", "--system=false"])
            .arg(format!("--load={}", self.sink))
            // Load this module after the sink, so that the sink exists when the server answers.
            .arg("--load=module-native-protocol-unix")
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = spawned else { return false };
        self.child = Some(child);
        wait_until("PulseAudio to answer", || {
            let info = self.client("pactl").arg("info").stderr(Stdio::null()).stdout(Stdio::null()).status();
            info.is_ok_and(|status| status.success())
        });
        true
    }

    /// Suspends the server until [`Self::resume`].
    pub fn hang(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Resumes the server after [`Self::hang`].
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().expect("a running server").id();
        kill(Pid::from_raw(pid.cast_signed()), signal).expect("sending the signal to the server");
    }

    /// The output of `pactl`, which must succeed.
    pub fn pactl(&self, arguments: &[&str]) -> String {
        progress(format!("running pactl {arguments:?}"));
        let output = self.client("pactl").args(arguments).output().expect("starting pactl");
        assert!(output.status.success(), "pactl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Environment variables with which a program finds this server, whatever the program's home
    /// is. Without the cookie, the program could connect only through ALSA's plugin, if that is
    /// installed.
    pub fn environment(&self) -> [(&str, &str); 2] {
        [("XDG_RUNTIME_DIR", self.dir.path()), ("PULSE_COOKIE", self.cookie.as_path())]
            .map(|(name, path)| (name, path.to_str().expect("a UTF-8 path")))
    }

    /// Records the played sound for `length`.
    pub fn record(&self, length: Duration) -> SoundRecording {
        SoundRecording::of_null_sink(self.client("parec"), length)
    }

    /// Records the sound before and after an event. Calls `event` one second after the first sound,
    /// and then records for `length`.
    pub fn record_around<R>(&self, event: impl FnOnce() -> R, length: Duration) -> (SoundRecording, R) {
        let mut parec = Recorder(SoundRecording::of_null_sink_with(self.client("parec")));
        let mut output = parec.0.stdout.take().expect("the output of parec");
        let bytes = Mutex::new(Vec::new());
        let length_bytes = (length.as_secs_f64() * SECOND_BYTES as f64) as usize;
        let result = thread::scope(|scope| {
            // Dropping the recorder ends `parec`, and so ends the thread below. Only then can the
            // scope join the thread.
            let _parec = parec;
            scope.spawn(|| {
                let mut buffer = [0; SECOND_BYTES / 50];
                while let Ok(read @ 1..) = output.read(&mut buffer) {
                    bytes.lock().extend_from_slice(&buffer[..read]);
                }
            });
            let recorded = || bytes.lock().len();
            let sound = || bytes.lock().iter().position(|byte| *byte != 0);
            wait_until("a second of sound", || {
                sound().is_some_and(|begin| recorded() >= begin + SECOND_BYTES)
            });
            let result = event();
            let enough = recorded() + length_bytes;
            wait_until("sound recorded after the event", || recorded() >= enough);
            result
        });
        (SoundRecording::of(&bytes.into_inner()), result)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.dir.path()).env_remove("PULSE_SERVER").envs(self.environment());
        command
    }
}

/// A running `parec`; killed when dropped.
struct Recorder(Child);

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.kill();
    }
}

impl SoundRecording {
    /// Starts `parec`, which prints the sound played into the sink `null`.
    fn of_null_sink_with(mut parec: Command) -> Child {
        parec.args(["--latency-msec=20", "--device=null.monitor", "--raw"]);
        parec.args(["--format=s16le", "--rate=48000", "--channels=2"]);
        parec.stdout(Stdio::piped()).spawn().expect("starting parec")
    }

    /// Records the sound played into the sink `null` for `length`, with `parec`.
    pub(crate) fn of_null_sink(parec: Command, length: Duration) -> Self {
        let mut recorder = Self::of_null_sink_with(parec);
        let length_bytes = length.as_millis() as usize * 48 * 4;
        let mut bytes = vec![0; length_bytes];
        let mut output = recorder.stdout.take().expect("the output of parec");
        let read = bytes.chunks_mut(SECOND_BYTES).enumerate().try_for_each(|(second, chunk)| {
            progress(format!("recording second {second} of {length:?}"));
            output.read_exact(chunk)
        });
        let _ = recorder.kill();
        let _ = recorder.wait();
        read.expect("reading sound from parec");
        Self::of(&bytes)
    }

    /// Makes a recording from the bytes of interleaved little-endian samples. Ignores an odd last
    /// byte.
    pub fn of(bytes: &[u8]) -> Self {
        let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        Self { samples }
    }

    /// Length in seconds at 48 kHz.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 2.0 / SAMPLE_RATE_HZ
    }

    /// Whether this recording contains `part`. Each sample may differ by at most `tolerance`.
    pub fn contains(&self, part: &Self, tolerance: u16) -> bool {
        self.find(part, 0.0..self.seconds(), tolerance).is_some()
    }

    /// Splits `other` into pieces of half a second. Returns how many audible pieces this recording
    /// contains, and how many audible pieces `other` has. Some pieces may be missing, because the
    /// sound has gaps on an overloaded machine.
    pub fn count_pieces_of(&self, other: &Self, tolerance: u16) -> (usize, usize) {
        const PIECE: Duration = Duration::from_millis(500);
        let count = (other.seconds() / PIECE.as_secs_f64()) as usize;
        let pieces = (0..count).map(|i| other.part(i as f64 * PIECE.as_secs_f64(), PIECE));
        let audible: Vec<Self> = pieces.filter(|piece| piece.rms() > 0.001).collect();
        let found = audible.iter().filter(|piece| self.contains(piece, tolerance)).count();
        (found, audible.len())
    }

    /// Finds `part` in this recording, and returns the second at which it begins. The
    /// beginning must be in the range `seconds`, or at its end. Each sample may differ by at most
    /// `tolerance`.
    pub fn find(&self, part: &Self, seconds: Range<f64>, tolerance: u16) -> Option<f64> {
        let is_near = |(one, another): (&i16, &i16)| one.abs_diff(*another) <= tolerance;
        let frame = |seconds: f64| (seconds.max(0.0) * SAMPLE_RATE_HZ).round() as usize;
        let last = (self.samples.len() / 2).checked_sub(part.samples.len() / 2)?;
        (frame(seconds.start)..=frame(seconds.end).min(last))
            .find(|at| self.samples[2 * at..].iter().zip(&part.samples).all(is_near))
            .map(|at| at as f64 / SAMPLE_RATE_HZ)
    }

    /// The part of this recording that begins at `seconds` and lasts `length`.
    #[must_use]
    pub fn part(&self, seconds: f64, length: Duration) -> Self {
        let sample = |seconds: f64| ((seconds * SAMPLE_RATE_HZ).round() as usize * 2).min(self.samples.len());
        let samples = self.samples[sample(seconds)..sample(seconds + length.as_secs_f64())].to_vec();
        Self { samples }
    }

    /// Largest absolute sample, 0..=1.
    pub fn peak(&self) -> f64 {
        let peak = self.samples.iter().map(|sample| sample.unsigned_abs()).max();
        f64::from(peak.unwrap_or(0)) / 32768.0
    }

    /// Largest absolute sample, 0..=1, in the last `length` before the final silence.
    pub fn peak_at_the_end(&self, length: Duration) -> f64 {
        let end = self.samples.iter().rposition(|sample| *sample != 0).map_or(0, |last| last + 1);
        let begin = end.saturating_sub(2 * (length.as_secs_f64() * SAMPLE_RATE_HZ) as usize);
        Self { samples: self.samples[begin..end].to_vec() }.peak()
    }

    /// Root mean square of the samples, 0..=1.
    pub fn rms(&self) -> f64 {
        let sum: f64 = self.samples.iter().map(|sample| (f64::from(*sample) / 32768.0).powi(2)).sum();
        (sum / self.samples.len().max(1) as f64).sqrt()
    }

    /// Whether every sample is zero.
    pub fn is_silent(&self) -> bool {
        self.samples.iter().all(|sample| *sample == 0)
    }
}
