//! Workloads that use the network, each in its own network namespace.
//!
//! The kernel's counters include every namespace, so a transfer between two namespaces counts as
//! both received and sent. For a download or upload, the peer is therefore outside the kernel: a
//! TCP stack in this program, behind a tun device.

use std::{
    f64::consts::TAU,
    io::{self, Read, Write},
    net::TcpStream,
    os::fd::AsRawFd,
    process::Command,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use khor_e2e::load::in_namespace;
use smoltcp::{
    iface::{Config, Interface, SocketSet},
    phy::{FaultInjector, Medium, TunTapInterface, wait},
    socket::tcp,
    time::{Duration as PeerDuration, Instant as PeerInstant},
    wire::{HardwareAddress, IpAddress, IpCidr},
};

use crate::scenario::Stage;

const DEVICE: &str = "khor0";
const HERE: &str = "10.77.0.1/24";
const PEER: IpAddress = IpAddress::v4(10, 77, 0, 2);
const PORT: u16 = 9000;
const DOWN_BYTES_PER_S: f64 = 20e6;
const UP_BYTES_PER_S: f64 = 12e6;
const BUFFER_BYTES: usize = 512 << 10;
/// Seed of the random numbers that decide which packets the line loses.
const SEED: u32 = 1;
/// Longest sleep of the peer's TCP stack between two runs.
const PEER_WAIT: PeerDuration = PeerDuration::from_millis(2);
/// Rate of a transfer over a lossy line.
const LOSSY_BYTES_PER_S: f64 = 1e6;
/// Share of packets that the line loses in each direction, per cent.
const LOST_PERCENT: u8 = 5;

/// The pace of a transfer. The rate swings between 60 and 140 % of `bytes_per_s`, with a period of
/// seven seconds.
struct Pace {
    bytes_per_s: f64,
    begun: Instant,
    done_bytes: u64,
}

impl Pace {
    fn new(bytes_per_s: f64) -> Self {
        Self { bytes_per_s, begun: Instant::now(), done_bytes: 0 }
    }

    /// Number of bytes that are due by now and not yet sent.
    fn due_bytes(&self) -> usize {
        const PERIOD_S: f64 = 7.0;
        const SWING: f64 = 0.4;
        let t_s = self.begun.elapsed().as_secs_f64();
        let swung_s = SWING * PERIOD_S / TAU * (1.0 - (TAU * t_s / PERIOD_S).cos());
        ((self.bytes_per_s * (t_s + swung_s)) as u64).saturating_sub(self.done_bytes) as usize
    }
}

pub(crate) fn download(stage: &Stage) -> Result<()> {
    let pace = Pace::new(DOWN_BYTES_PER_S);
    with_peer(Some(pace), 0, |mut stream| {
        let mut buffer = vec![0; 64 << 10];
        while stage.is_running() {
            ensure!(stream.read(&mut buffer)? > 0, "the peer closed the connection");
        }
        Ok(())
    })
}

pub(crate) fn upload(stage: &Stage) -> Result<()> {
    with_peer(None, 0, |stream| send(stage, stream, UP_BYTES_PER_S))
}

/// Sends over a line that loses packets. The line is outside the kernel. If a queue of the kernel
/// lost the packets, the kernel would notice the losses and slow the transfer down.
pub(crate) fn lossy(stage: &Stage) -> Result<()> {
    with_peer(None, LOST_PERCENT, |stream| send(stage, stream, LOSSY_BYTES_PER_S))
}

fn send(stage: &Stage, mut stream: TcpStream, bytes_per_s: f64) -> Result<()> {
    let mut pace = Pace::new(bytes_per_s);
    let buffer = vec![0x5a; 64 << 10];
    while stage.is_running() {
        let due = pace.due_bytes().min(buffer.len());
        stream.write_all(&buffer[..due])?;
        pace.done_bytes += due as u64;
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Runs `here` with a connection to a peer whose line loses `lost_percent` of the packets. If there
/// is a `pace`, the peer sends at this rate. Otherwise, the peer only receives.
fn with_peer(
    pace: Option<Pace>,
    lost_percent: u8,
    here: impl FnOnce(TcpStream) -> Result<()> + Send,
) -> Result<()> {
    in_namespace(|| {
        let device = TunTapInterface::new(DEVICE, Medium::Ip).context("creating a tun device")?;
        run(&format!("ip address add {HERE} dev {DEVICE}"))?;
        run(&format!("ip link set {DEVICE} up"))?;
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let here = scope.spawn(|| {
                let done = TcpStream::connect((PEER.to_string(), PORT)).map_err(Into::into).and_then(here);
                over.store(true, Relaxed);
                done
            });
            // The device must stay in this thread, because it cannot be sent to another thread.
            peer(device, lost_percent, pace, &over).context("running the peer")?;
            here.join().expect("the thread of this end")
        })
    })
}

fn peer(
    device: TunTapInterface,
    lost_percent: u8,
    mut pace: Option<Pace>,
    over: &AtomicBool,
) -> io::Result<()> {
    let descriptor = device.as_raw_fd();
    let mut device = FaultInjector::new(device, SEED);
    device.set_drop_chance(lost_percent);
    let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, PeerInstant::now());
    interface
        .update_ip_addrs(|addresses| addresses.push(IpCidr::new(PEER, 24)).expect("space for one address"));
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER_BYTES]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.listen(PORT).expect("listening on a new socket");
    let mut sockets = SocketSet::new(Vec::new());
    let handle = sockets.add(socket);
    let zeros = vec![0; BUFFER_BYTES];
    while !over.load(Relaxed) {
        interface.poll(PeerInstant::now(), &mut device, &mut sockets);
        let socket = sockets.get_mut::<tcp::Socket>(handle);
        while socket.can_recv() && socket.recv(|bytes| (bytes.len(), ())).is_ok() {}
        if let Some(pace) = pace.as_mut().filter(|_| socket.can_send()) {
            let due = pace.due_bytes().min(zeros.len());
            pace.done_bytes += socket.send_slice(&zeros[..due]).unwrap_or(0) as u64;
        }
        interface.poll(PeerInstant::now(), &mut device, &mut sockets);
        let delay = interface.poll_delay(PeerInstant::now(), &sockets).unwrap_or(PEER_WAIT).min(PEER_WAIT);
        wait(descriptor, Some(delay))?;
    }
    Ok(())
}

fn run(command: &str) -> Result<()> {
    let mut words = command.split_whitespace();
    let program = words.next().context("the command is empty")?;
    let output = Command::new(program).args(words).output().with_context(|| command.to_owned())?;
    ensure!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
