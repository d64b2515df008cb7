//! Puts load on the kernel, in known amounts.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::unix::{fs::OpenOptionsExt, net::UnixStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle, ScopedJoinHandle},
    time::{Duration, Instant},
};

use nix::{
    libc::O_DIRECT,
    sched::{CloneFlags, unshare},
    unistd::gettid,
};

use crate::namespace::run_command;

/// Environment variable that scales the amounts of work: a factor above 0 and at most 1, by default
/// 1. Emulated machines, such as those of `cargo xtask vm`, are too slow for the full amounts.
const LOAD_SCALE: &str = "KHOR_LOAD_SCALE";

/// Multiplies an amount of work by [`LOAD_SCALE`]. The result is at least 1.
pub fn scaled<N: TryFrom<u64> + Into<u64>>(amount: N) -> N {
    let text = std::env::var(LOAD_SCALE).unwrap_or_else(|_| "1".into());
    let scale = text.parse::<f64>().ok().filter(|scale| *scale > 0.0 && *scale <= 1.0);
    let scale =
        scale.unwrap_or_else(|| panic!("{LOAD_SCALE} is {text}; set it to a number above 0 and at most 1"));
    let scaled = (amount.into() as f64 * scale) as u64;
    N::try_from(scaled.max(1)).ok().expect("the scaled amount is at most the amount")
}

/// Work that runs during a test, until this value is dropped.
#[derive(Debug)]
pub struct Background {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Calls `work` repeatedly in a thread.
    pub fn start(work: impl Fn() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Relaxed) {
                work();
            }
        });
        Self { stop, thread: Some(thread) }
    }

    /// Calls `work` at most twenty times a second. This load is audible, but leaves processor time
    /// for other programs.
    pub fn with_pauses(work: impl Fn() + Send + 'static) -> Self {
        Self::start(move || {
            work();
            thread::sleep(Duration::from_millis(50));
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs `/bin/true` `count` times.
pub fn execs(count: u32) {
    for _ in 0..count {
        assert!(
            Command::new("/bin/true").status().expect("starting /bin/true").success(),
            "/bin/true failed"
        );
    }
}

/// Starts and ends `count` threads.
pub fn threads(count: u32) {
    for _ in 0..count {
        thread::spawn(|| ()).join().expect("the thread");
    }
}

/// Two threads send a byte to each other and back, `rounds` times. Each round needs at least two
/// context switches.
pub fn ping_pong(rounds: u32) {
    PingPong::start().run(rounds);
}

/// A thread that sends each received byte back. It ends when this value is dropped. Until then, its
/// context switches are part of the kernel's counts for this process.
#[derive(Debug)]
pub struct PingPong {
    here: UnixStream,
    partner: Option<JoinHandle<()>>,
}

impl PingPong {
    /// Starts the thread.
    pub fn start() -> Self {
        let (here, mut there) = UnixStream::pair().expect("creating a socket pair");
        let partner = thread::spawn(move || {
            let mut byte = [0];
            while there.read(&mut byte).expect("receiving a byte") > 0 {
                there.write_all(&byte).expect("sending the byte back");
            }
        });
        Self { here, partner: Some(partner) }
    }

    /// Sends a byte to the thread and back, `rounds` times.
    pub fn run(&mut self, rounds: u32) {
        let mut byte = [0];
        for _ in 0..rounds {
            self.here.write_all(&byte).expect("sending a byte");
            self.here.read_exact(&mut byte).expect("receiving the byte back");
        }
    }
}

impl Drop for PingPong {
    fn drop(&mut self) {
        self.here.shutdown(Shutdown::Both).expect("closing the socket");
        if let Some(partner) = self.partner.take() {
            partner.join().expect("the other thread");
        }
    }
}

/// CPU time of a thread that wakes every 20 ms and writes 74 bytes to another thread, in µs for
/// each wake-up. A collector needs at least this much. On a virtual machine, this is most of the
/// collector's CPU time.
pub fn bare_tick_us() -> u64 {
    const TICKS: u32 = 200;
    let (mut here, mut there) = UnixStream::pair().expect("creating a socket pair");
    let reader = thread::spawn(move || io::copy(&mut there, &mut io::sink()));
    let writer = thread::spawn(move || {
        let before_us = crate::procfs::thread_cpu_time_us();
        for _ in 0..TICKS {
            thread::sleep(Duration::from_millis(20));
            here.write_all(&[0; 74]).expect("writing to the reader");
        }
        crate::procfs::thread_cpu_time_us() - before_us
    });
    let used_us = writer.join().expect("the writer's thread");
    reader.join().expect("the reader's thread").expect("reading from the writer");
    used_us / u64::from(TICKS)
}

/// Sends `bytes` in large packets over TCP, and `datagrams` small packets over UDP, through
/// loopback.
pub fn loopback(bytes: u64, datagrams: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binding a TCP port");
    let sender = TcpStream::connect(listener.local_addr().expect("the address of the socket"))
        .expect("an open connection");
    transfer(sender, &listener, bytes);
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    for _ in 0..datagrams {
        sender
            .send_to(&[0; 100], receiver.local_addr().expect("the address of the socket"))
            .expect("sending a datagram");
    }
}

/// Sends `datagrams` datagrams through loopback from each of two threads. Meanwhile, two real-time
/// threads wake, send and sleep repeatedly. Each wake-up preempts a sender at a random point of its
/// work.
pub fn preempted_datagrams(datagrams: u32) {
    const PRIORITY: u32 = 50;
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    let address = receiver.local_addr().expect("the address of the socket");
    let send = |sender: &UdpSocket| sender.send_to(&[0; 100], address).map(drop).expect("sending a datagram");
    let sender = || UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                run_command(&format!("chrt --fifo --pid {PRIORITY} {}", gettid()));
                let sender = sender();
                while !is_over.load(Relaxed) {
                    send(&sender);
                    thread::sleep(Duration::from_micros(200));
                }
            });
        }
        let interrupted: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let sender = sender();
                    (0..datagrams).for_each(|_| send(&sender));
                })
            })
            .collect();
        let sent: Vec<_> = interrupted.into_iter().map(ScopedJoinHandle::join).collect();
        is_over.store(true, Relaxed);
        for sent in sent {
            sent.expect("a sender's thread");
        }
    });
}

/// Sends `bytes` through `sender`. The next connection that `listener` accepts must be the sender's
/// peer.
pub fn transfer(mut sender: TcpStream, listener: &TcpListener, bytes: u64) {
    let (mut receiver, _) = listener.accept().expect("accepting the sender");
    let reader =
        thread::spawn(move || io::copy(&mut receiver, &mut io::sink()).expect("reading from the sender"));
    io::copy(&mut io::repeat(0).take(bytes), &mut sender).expect("writing to the receiver");
    drop(sender);
    assert_eq!(reader.join().expect("the reader's thread"), bytes, "bytes received");
}

/// Sends `count` datagrams of `bytes` each to `address` from a new socket.
pub fn datagrams(address: SocketAddr, count: u32, bytes: usize) {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let sender = UdpSocket::bind((any, 0)).expect("binding a socket");
    let data = vec![0; bytes];
    for _ in 0..count {
        sender.send_to(&data, address).expect("sending a datagram");
    }
}

/// Writes a new file of `mebibytes` MiB in `directory`, reads it and removes it. Writes and reads
/// bypass the page cache.
pub fn direct_io(directory: &Path, mebibytes: usize) -> io::Result<()> {
    const CHUNK: usize = 1 << 20;
    let path = directory.join("khor-direct-io");
    // Direct I/O needs aligned memory, so use an aligned part of a larger buffer.
    let mut buffer = vec![0x5a_u8; CHUNK + 4096];
    let start = buffer.as_ptr().align_offset(4096);
    let chunk = &mut buffer[start..start + CHUNK];
    let mut options = OpenOptions::new();
    options.custom_flags(O_DIRECT);
    let mut file = options.write(true).create(true).truncate(true).open(&path)?;
    (0..mebibytes).try_for_each(|_| file.write_all(chunk))?;
    file.sync_all()?;
    let mut file: File = OpenOptions::new().custom_flags(O_DIRECT).read(true).open(&path)?;
    (0..mebibytes).try_for_each(|_| file.read_exact(chunk))?;
    std::fs::remove_file(path)
}

/// Runs `inside` in a new network namespace whose only interface is loopback.
pub fn in_namespace<R: Send>(inside: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let namespaced = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("creating a network namespace (needs root)");
            // Threads and programs that this thread starts are in its namespace. The namespace ends
            // with the last of them.
            assert!(run("ip link set lo up"), "ip cannot enable loopback");
            inside()
        });
        namespaced.join().expect("the namespace's thread")
    })
}

/// Mounts a sysfs at `/sys` that shows the devices of this thread's network namespace. Only this
/// thread and the programs that it starts see this mount.
pub fn mount_sysfs() {
    unshare(CloneFlags::CLONE_NEWNS).expect("creating a mount namespace (needs root)");
    assert!(run("mount --make-rprivate /") && run("mount -t sysfs sysfs /sys"), "cannot mount sysfs");
}

/// Runs `inside` in a new network namespace whose loopback loses TCP segments. `inside` may call
/// [`lossy_transfer`]. Returns `None` if the kernel has neither netem nor tbf.
pub fn in_lossy_namespace<R: Send>(inside: impl FnOnce() -> R + Send) -> Option<R> {
    in_namespace(|| {
        // netem loses packets at random. Without netem, tbf limits the rate, and its buffer holds
        // little more than one packet.
        let lossy = run("tc qdisc add dev lo root netem loss 10%")
            || run("tc qdisc add dev lo root tbf rate 400mbit burst 70kb limit 75kb");
        lossy.then(inside)
    })
}

/// Sends over TCP through the loopback of [`in_lossy_namespace`] for `duration`.
pub fn lossy_transfer(duration: Duration) {
    let end = Instant::now() + duration;
    let senders: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                while Instant::now() < end {
                    let listener = TcpListener::bind("127.0.0.1:0").expect("binding a TCP port");
                    let address = listener.local_addr().expect("the address of the socket");
                    transfer(TcpStream::connect(address).expect("an open connection"), &listener, 4 << 20);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().expect("a sender's thread");
    }
}

fn run(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command with a program");
    Command::new(program).args(words).output().is_ok_and(|output| output.status.success())
}
