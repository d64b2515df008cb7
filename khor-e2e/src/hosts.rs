//! Many simulated hosts that send real frames to a real NATS server, as often as relays do.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use khor_fleet::{
    Frame, Message, Name, SIGNALS, Signal, Source,
    subject::{self, Kind},
};
use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

use crate::site::NatsServer;

/// Time between two frames of a host.
const PERIOD: Duration = Duration::from_millis(200);
/// Number of moments in each [`PERIOD`] at which some of the hosts send. The hosts are divided
/// evenly among these moments.
const SLOTS: usize = 20;
/// Deviation of the host that stands out, in octaves above its baseline.
const FAR: f32 = 5.0;
/// Index of the signal `rx`, which deviates on the host that stands out.
const DEVIATING_SIGNAL: usize = 2;

/// State that the test shares with the thread that sends the frames: which hosts stand out or are
/// silent, and what has been sent.
#[derive(Debug, Default)]
struct Control {
    /// Number of the host that stands out, if any.
    out: Option<usize>,
    /// Time at which the host that stands out sent its first deviating frame.
    stood_out_at: Option<Instant>,
    /// Numbers of the hosts that do not send.
    silent: Vec<usize>,
    /// Number of frames that all hosts have sent so far.
    sent: u64,
}

/// Running simulated hosts. They stop when this value is dropped.
#[derive(Debug)]
pub struct Hosts {
    control: Arc<Mutex<Control>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Hosts {
    /// Starts `count` hosts of a site, named `PREFIX-0`, `PREFIX-1` and so on.
    pub fn start(server: &NatsServer, site: &str, prefix: &str, count: usize) -> Self {
        let control = Arc::new(Mutex::new(Control::default()));
        let (stop, stopped) = oneshot::channel();
        let site = Name::new(site).expect("a valid name");
        let hosts: Vec<Host> = (0..count).map(|i| host(&site, prefix, i)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        let client = runtime.block_on(server.unrestricted_client());
        let shared = Arc::clone(&control);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = send(client, hosts, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { control, stop: Some(stop), thread: Some(thread) }
    }

    /// Makes this host stand out, starting with its next frame. With `None`, no host stands out.
    pub fn stand_out(&self, host: Option<usize>) {
        let mut control = self.control.lock();
        (control.out, control.stood_out_at) = (host, None);
    }

    /// Returns when the host that stands out sent its first deviating frame; `None` before this
    /// frame.
    pub fn stood_out_at(&self) -> Option<Instant> {
        self.control.lock().stood_out_at
    }

    /// Number of frames that all hosts have sent so far.
    pub fn sent(&self) -> u64 {
        self.control.lock().sent
    }

    /// Stops the hosts with these numbers from sending. All other hosts send.
    pub fn silence(&self, hosts: Vec<usize>) {
        self.control.lock().silent = hosts;
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A host's next frame, and the subject under which it is published.
struct Host {
    frame: Frame,
    subject: String,
}

async fn send(client: async_nats::Client, mut hosts: Vec<Host>, control: Arc<Mutex<Control>>) {
    let mut ticks = interval(PERIOD / SLOTS as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    for slot in (0..SLOTS).cycle() {
        ticks.tick().await;
        let (out, silent) = {
            let control = control.lock();
            (control.out, control.silent.clone())
        };
        for i in (slot..hosts.len()).step_by(SLOTS).filter(|i| !silent.contains(i)) {
            let host = &mut hosts[i];
            fill_next(&mut host.frame, begun, i, out == Some(i));
            let bytes = host.frame.write().expect("encoding a frame");
            {
                let mut control = control.lock();
                control.sent += 1;
                if out == Some(i) && control.out == out {
                    control.stood_out_at.get_or_insert_with(Instant::now);
                }
            }
            client.publish(host.subject.clone(), bytes.into()).await.expect("publishing a frame");
        }
    }
}

fn host(site: &Name, prefix: &str, i: usize) -> Host {
    let name = Name::new(format!("{prefix}-{i}")).expect("a valid name");
    let subject = subject::of_host(site, &name, Kind::Frame);
    let frame = Frame {
        host: name,
        section: Some(Name::new(format!("section-{}", i % 4)).expect("a valid name")),
        boot_id: Some([i as u8; 16]),
        instance: i as u32,
        seq: 0,
        monotonic_ms: 0,
        wall_ms: 0,
        version: "0.1.0".into(),
        source: Source::Collector,
        learnt: 255,
        signals: Vec::new(),
        added: Vec::new(),
    };
    Host { frame, subject }
}

/// Fills in a host's next frame. Baselines differ between hosts by up to ten octaves, and rates
/// vary a little over time.
fn fill_next(frame: &mut Frame, begun: Instant, i: usize, out: bool) {
    frame.seq += 1;
    frame.monotonic_ms = 1_000_000 + begun.elapsed().as_millis() as u64;
    frame.wall_ms =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let signal = |number: usize| {
        // Returns a number from 0 to 1. The numbers are spread evenly, and are the same in each
        // run.
        let turn = |by: usize| ((i * 7919 + number * 104_729 + by * 611_953) % 1_000) as f32 / 1_000.0;
        let is_out = out && number == DEVIATING_SIGNAL;
        let octaves = if is_out { FAR } else { turn(frame.seq as usize) - 0.5 };
        let baseline = (turn(0) * 10.0).exp2() * 10.0;
        Some(Signal {
            rate: baseline * octaves.exp2(),
            baseline,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: if is_out { 250 } else { (turn(frame.seq as usize) * 20.0) as u8 },
            surprise: (turn(3) * 40.0) as u8,
        })
    };
    frame.signals = (0..SIGNALS.len()).map(signal).collect();
}
