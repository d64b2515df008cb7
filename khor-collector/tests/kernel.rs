//! The built collector on the running kernel: each counter bracketed between two readings of the kernel's own.
//!
//! Run as root. Tests share the machine and hence its counters, so they take turns.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use khor_e2e::skip::root_or_skip;
use khor_e2e::{Bracket, Collector, bracket, load, procfs, skip};
use khor_proto::counter;

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

fn collector() -> Option<Collector> {
    root_or_skip().then(|| Collector::start(program(), &["--no-dbus"]))
}

#[test]
fn switches_agree_with_ctxt() {
    let _turn = turn();
    let Some(collector) = collector() else { return };
    agrees(|| {
        let counted = load::without_idle(|| {
            bracket(&collector, counter::SWITCHES, || procfs::stat("ctxt"), || load::ping_pong(60_000))
        });
        assert!(counted.inner >= 100_000, "{counted:?}");
        counted
    });
}

/// Counts until our count agrees with the kernel's exactly; it must within a few attempts.
///
/// Not always at once, for two reasons. Other network namespaces add to our count and not to the file that is read.
/// And on this project's machine (kernel 6.18) some events go uncounted, cause unknown; fewer while no CPU idles, hence
/// the load's company (docs/specification.md, "not kept"). Never may a tenth be missing.
fn agrees(count: impl Fn() -> Bracket) {
    const ATTEMPTS: usize = 12;
    let exact = (0..ATTEMPTS).any(|_| {
        let counted = count();
        let Bracket { inner, ours, .. } = counted;
        assert!(ours >= inner - inner / 10, "{counted:?}");
        counted.holds()
    });
    assert!(exact, "not once exact in {ATTEMPTS} attempts");
}

#[test]
fn forks_agree_with_processes() {
    let _turn = turn();
    let Some(collector) = collector() else { return };
    let work = || (load::threads(2000), load::execs(100)).0;
    let counted = bracket(&collector, counter::FORKS, || procfs::stat("processes"), work);
    assert!(counted.holds() && counted.inner >= 2100, "{counted:?}");
}

/// The kernel has no count of execs. None may be missed, and in a quiet moment none be added.
#[test]
fn execs_are_exactly_those_made() {
    const SPAWNS: u32 = 50;
    let _turn = turn();
    let Some(collector) = collector() else { return };
    let exact = (0..20).any(|_| {
        let before = collector.sample().get(counter::EXECS).expect("execs");
        load::execs(SPAWNS);
        let counted = collector.sample().get(counter::EXECS).expect("execs") - before;
        println!("execs: {counted} of {SPAWNS}");
        assert!(counted >= u64::from(SPAWNS), "{counted}");
        counted == u64::from(SPAWNS)
    });
    assert!(exact, "other programs started others all the time");
}

/// Interfaces other than loopback count at other layers and later, so only moments without their traffic count.
#[test]
fn network_agrees_with_loopback_exactly() {
    const ETHERNET_HEADER_BYTES: u64 = 14;
    type Count = fn(procfs::Traffic) -> u64;
    let counts: [(&str, Count); 4] = [
        (counter::RX_BYTES, |lo| lo.rx_bytes),
        (counter::RX_PACKETS, |lo| lo.rx_packets),
        (counter::TX_BYTES, |lo| lo.tx_bytes + ETHERNET_HEADER_BYTES * lo.tx_packets),
        (counter::TX_PACKETS, |lo| lo.tx_packets),
    ];
    let _turn = turn();
    let Some(collector) = collector() else { return };
    for (name, count) in counts {
        let exact = (0..50).any(|_| {
            let others = procfs::traffic(|interface| interface != "lo");
            let lo = || count(procfs::traffic(|interface| interface == "lo"));
            let work = || load::loopback(32 << 20, 1000);
            let counted = load::without_idle(|| bracket(&collector, name, lo, work));
            assert!(counted.ours >= counted.inner / 10 * 9 && counted.inner > 1000, "{name} {counted:?}");
            counted.holds() && others == procfs::traffic(|interface| interface != "lo")
        });
        assert!(exact, "{name} was not once exact: it is wrong, or other interfaces are never quiet");
    }
}

#[test]
fn block_bytes_agree_with_diskstats() {
    const MEBIBYTES: usize = 64;
    let _turn = turn();
    let Some(collector) = collector() else { return };
    // The build directory lies on a disk; the temporary one may lie in memory.
    let directory = program().parent().expect("its directory");
    for (name, count) in [
        (counter::WRITE_BYTES, (|disks| disks.write_bytes) as fn(procfs::Disk) -> u64),
        (counter::READ_BYTES, |disks| disks.read_bytes),
    ] {
        if let Err(error) = load::direct_io(directory, 1) {
            return skip(&format!("no direct I/O here: {error}"));
        }
        agrees(|| {
            let work = || load::direct_io(directory, MEBIBYTES).expect("direct I/O");
            let kernel = || count(procfs::disks());
            let counted = load::without_idle(|| bracket(&collector, name, kernel, work));
            assert!(counted.inner >= (MEBIBYTES as u64) << 20, "{name} {counted:?}");
            counted
        });
    }
}

#[test]
fn retransmits_agree_with_retrans_segs() {
    let _turn = turn();
    let Some(collector) = collector() else { return };
    let able = load::in_lossy_namespace(|| {
        // What other programs retransmit in the host's namespace adds to ours.
        let host = || procfs::retransmitted_segments_of("/proc/1/net/snmp");
        agrees(|| {
            let host_before = host();
            let work = || load::lossy_transfer(Duration::from_secs(2));
            let kernel = procfs::retransmitted_segments;
            let counted = load::without_idle(|| bracket(&collector, counter::RETRANSMITS, kernel, work));
            assert!(counted.inner >= 100, "{counted:?}");
            Bracket { outer: counted.outer + host() - host_before, ..counted }
        });
    });
    if able.is_none() {
        skip("this kernel has neither netem nor tbf");
    }
}

#[test]
fn irqs_agree_with_the_numbered_ones() {
    let _turn = turn();
    let Some(collector) = collector() else { return };
    let directory = program().parent().expect("its directory");
    agrees(|| {
        let work = || drop(load::direct_io(directory, 64));
        let kernel = procfs::numbered_irqs;
        let counted = load::without_idle(|| bracket(&collector, counter::IRQS, kernel, work));
        assert!(counted.inner > 0, "{counted:?}");
        counted
    });
}

#[test]
fn collector_is_small_frugal_and_powerless() {
    const SUBSCRIBED: Duration = Duration::from_secs(10);
    let _turn = turn();
    let Some(collector) = collector() else { return };
    for field in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(u64::from_str_radix(&procfs::status(collector.pid(), field), 16), Ok(0), "{field}");
    }
    assert_eq!(procfs::status(collector.pid(), "NoNewPrivs"), "1");
    assert!(procfs::status(collector.pid(), "Uid").split_whitespace().all(|uid| uid != "0"));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (before_us, begun) = (procfs::cpu_time_us(collector.pid()), Instant::now());
    let samples = runtime.block_on(async {
        let (mut client, _) = khor_proto::client::Client::connect(collector.socket(), "e2e").await.unwrap();
        client.subscribe(khor_proto::Subscribe::default()).await.unwrap();
        let mut samples = 0;
        while begun.elapsed() < SUBSCRIBED {
            client.sample().await.unwrap();
            samples += 1;
        }
        samples
    });
    let used_us = procfs::cpu_time_us(collector.pid()) - before_us;
    let rss = procfs::status(collector.pid(), "VmRSS");
    let (per_sample_us, bare_us) = (used_us / samples, load::bare_tick_us());
    println!("{samples} samples: {per_sample_us} us of CPU each, a bare write {bare_us} us; {rss} resident");
    // The promise, 0.3 % of a core or 60 us, is for the release build on a machine of its own. A bare write alone
    // may exceed it on a virtual one, so what is asserted is that little comes on top.
    assert!(per_sample_us <= 60 + 2 * bare_us, "{per_sample_us} us, bare {bare_us} us");
    assert!(rss.trim_end_matches(" kB").parse::<u64>().expect("kB") <= 12 * 1024, "{rss}");
    assert!(samples >= 450, "{samples}");
}
