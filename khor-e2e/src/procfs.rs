//! Reads the kernel's own counts, with which the tests compare khor's counts.

use std::{
    fs,
    ops::{Add, Sub},
    path::Path,
};

/// The number after `name` in /proc/stat, for example after `ctxt` or `processes`.
pub fn stat(name: &str) -> u64 {
    let text = read("/proc/stat");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}

/// The number of interrupts from devices, from /proc/stat. The file's total would also include the
/// CPUs' own interrupts, which have no number.
pub fn numbered_irqs() -> u64 {
    let text = read("/proc/stat");
    let line = text.lines().find_map(|line| line.strip_prefix("intr ")).expect("the line intr in /proc/stat");
    line.split_whitespace().skip(1).map(|count| count.parse::<u64>().expect("a count in the table")).sum()
}

/// The number of soft interrupts of all kinds, from /proc/stat.
pub fn softirqs() -> u64 {
    stat("softirq")
}

/// The number after `name` in /proc/vmstat, for example after `pgfault`.
pub fn vmstat(name: &str) -> u64 {
    let text = read("/proc/vmstat");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}

/// The kernel's count of context switches of the current threads of a process.
pub fn switches_of(pid: u32) -> u64 {
    usage(pid).switches
}

/// The ID of a controller's cgroup hierarchy, from /proc/cgroups; 0 for the unified hierarchy.
pub fn hierarchy_of(controller: &str) -> u32 {
    let text = read("/proc/cgroups");
    let mut rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[0] == controller).unwrap_or_else(|| panic!("no {controller}"));
    row[1].parse().expect("a number of a hierarchy")
}

/// Counts of one network interface, or sums over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

impl Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes + other.rx_bytes,
            rx_packets: self.rx_packets + other.rx_packets,
            tx_bytes: self.tx_bytes + other.tx_bytes,
            tx_packets: self.tx_packets + other.tx_packets,
        }
    }
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes - before.rx_bytes,
            rx_packets: self.rx_packets - before.rx_packets,
            tx_bytes: self.tx_bytes - before.tx_bytes,
            tx_packets: self.tx_packets - before.tx_packets,
        }
    }
}

/// Traffic of all interfaces for which `select` returns true, in the calling thread's network
/// namespace.
pub fn traffic(select: impl Fn(&str) -> bool) -> Traffic {
    let mut sum = Traffic::default();
    for line in read("/proc/thread-self/net/dev").lines().skip(2) {
        let (name, counts) = line.split_once(':').expect("a line `name: counts` in /proc/net/dev");
        if select(name.trim()) {
            let counts: Vec<u64> =
                counts.split_whitespace().map(|count| count.parse().expect("a count in the table")).collect();
            sum.rx_bytes += counts[0];
            sum.rx_packets += counts[1];
            sum.tx_bytes += counts[8];
            sum.tx_packets += counts[9];
        }
    }
    sum
}

/// Whether this kernel can preempt a task inside a tracepoint (`PREEMPT_RT`). Such a kernel skips
/// an eBPF program that is triggered again while it runs.
pub fn is_preemptible() -> bool {
    read("/proc/version").contains("PREEMPT_RT")
}

/// Names of the network interfaces in the calling thread's network namespace, sorted.
pub fn interfaces() -> Vec<String> {
    let text = read("/proc/thread-self/net/dev");
    let names = text.lines().skip(2).filter_map(|line| line.split_once(':'));
    let mut names: Vec<_> = names.map(|(name, _)| name.trim().to_owned()).collect();
    names.sort();
    names
}

/// Counts of one block device, or sums over several, from /proc/diskstats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Completed reads and writes.
    pub requests: u64,
    /// Completed writes.
    pub write_requests: u64,
    /// Sum of the durations of all completed reads and writes, ms.
    pub busy_ms: u64,
}

/// Sums of the counts of all disks that serve requests themselves.
pub fn disks() -> Disk {
    disks_where(serves_requests)
}

/// Counts of the disk with this name, for example `loop0`.
pub fn disk(name: &str) -> Disk {
    disks_where(|disk| disk == name)
}

/// Whether a disk serves requests itself. A stacked disk passes them on to the disks below it,
/// where they are counted again. A disk is stacked if it has no request queue (md, most of
/// device-mapper, `NVMe` multipath heads) or has slaves (device-mapper multipath). A loop device
/// passes requests on to a file, which may even be in memory.
fn serves_requests(name: &str) -> bool {
    let disk = Path::new("/sys/block").join(name);
    let slaves = fs::read_dir(disk.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
    disk.join("mq").exists() && !slaves && !name.starts_with("loop")
}

fn disks_where(select: impl Fn(&str) -> bool) -> Disk {
    const SECTOR_BYTES: u64 = 512;
    let mut sum = Disk::default();
    for line in read("/proc/diskstats").lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        if select(fields[2]) {
            let field = |index: usize| fields[index].parse::<u64>().expect("a number in /proc/diskstats");
            sum.read_bytes += field(5) * SECTOR_BYTES;
            sum.write_bytes += field(9) * SECTOR_BYTES;
            sum.requests += field(3) + field(7);
            sum.write_requests += field(7);
            sum.busy_ms += field(6) + field(10);
        }
    }
    sum
}

/// Number of retransmitted TCP segments in the calling thread's network namespace.
pub fn retransmitted_segments() -> u64 {
    retransmitted_segments_of("/proc/thread-self/net/snmp")
}

/// Number of retransmitted TCP segments in the file `snmp` of any network namespace.
pub fn retransmitted_segments_of(snmp: &str) -> u64 {
    protocol_count(snmp, "Tcp", "RetransSegs")
}

/// IPv4 traffic of the calling thread's network namespace, including IP headers.
pub fn ip_traffic() -> Traffic {
    const SNMP: &str = "/proc/thread-self/net/snmp";
    const NETSTAT: &str = "/proc/thread-self/net/netstat";
    Traffic {
        rx_bytes: protocol_count(NETSTAT, "IpExt", "InOctets"),
        rx_packets: protocol_count(SNMP, "Ip", "InReceives"),
        tx_bytes: protocol_count(NETSTAT, "IpExt", "OutOctets"),
        tx_packets: protocol_count(SNMP, "Ip", "OutRequests"),
    }
}

/// A count from a file such as `/proc/net/snmp`, which has a line of names and a line of values for
/// each protocol.
fn protocol_count(file: &str, protocol: &str, name: &str) -> u64 {
    let text = read(file);
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(':'));
    let (names, values) = (lines.next().expect("a line of names"), lines.next().expect("a line of values"));
    let column = names.split_whitespace().position(|known| known == name).expect(name);
    values
        .split_whitespace()
        .nth(column)
        .expect("a value for each name")
        .parse()
        .expect("a count in the table")
}

/// The text of a field in /proc/PID/status, for example the field `CapEff`.
pub fn status(pid: u32, field: &str) -> String {
    let text = read(&format!("/proc/{pid}/status"));
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field}")).trim().to_owned()
}

/// CPU time that the calling thread has used, µs.
pub fn thread_cpu_time_us() -> u64 {
    run_time_us(&read("/proc/thread-self/schedstat"))
}

fn run_time_us(schedstat: &str) -> u64 {
    schedstat
        .split_whitespace()
        .next()
        .expect("a run time in schedstat")
        .parse::<u64>()
        .expect("a run time in ns")
        / 1000
}

/// CPU time and context switches of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, ns. It is more precise than utime and stime of /proc/PID/stat, whose unit is 10
    /// ms.
    pub cpu_ns: u64,
    /// Context switches: how often a thread gave up or lost its CPU.
    pub switches: u64,
}

/// The CPU time and the context switches of a process so far, summed over the threads that still
/// run.
pub fn usage(pid: u32) -> Usage {
    let mut sum = Usage::default();
    for task in fs::read_dir(format!("/proc/{pid}/task")).expect("the threads of the process").flatten() {
        let file = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let first = file("schedstat").split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
        sum.cpu_ns += first.unwrap_or(0);
        let switches = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
        sum.switches += file("status").lines().filter_map(switches).sum::<u64>();
    }
    sum
}

/// Share of the CPU time, 0..=1, in which the CPUs were not idle between two results of
/// [`cpu_ticks`].
pub fn busy_share((busy, total): (u64, u64), (busy_later, total_later): (u64, u64)) -> f64 {
    (busy_later - busy) as f64 / (total_later - total).max(1) as f64
}

/// Clock ticks of all CPUs since the start of the machine. The first number excludes idle time, the
/// second includes it.
pub fn cpu_ticks() -> (u64, u64) {
    let text = read("/proc/stat");
    let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).expect("the line cpu in /proc/stat");
    // The fields are user, nice, system, idle, iowait, irq, softirq and steal. The later fields are
    // already included in the first two.
    let ticks: Vec<u64> =
        line.split_whitespace().take(8).map(|count| count.parse().expect("a number of ticks")).collect();
    let total: u64 = ticks.iter().sum();
    (total - ticks[3] - ticks[4], total)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The IDs of a process's threads that have real-time priority.
pub fn real_time_threads(pid: u32) -> Vec<u32> {
    /// Index of the scheduling policy among the fields after the program's name. It is field 41 of
    /// `stat`.
    const POLICY: usize = 41 - 3;
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the threads of the process").flatten();
    threads
        .filter_map(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
            let policy: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(POLICY)?.parse().ok()?;
            (policy != 0).then(|| thread.file_name().to_str()?.parse().ok())?
        })
        .collect()
}
