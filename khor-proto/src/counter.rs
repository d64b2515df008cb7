//! Names of the counters, `CounterInfo::name`.

/// Successful `execve` calls (`sched_process_exec`).
pub const EXECS: &str = "execs";
/// New tasks, processes and threads (`task_newtask`).
pub const FORKS: &str = "forks";
/// Bytes that all devices handed to the network stack, without link-layer header
/// (`netif_receive_skb`). A packet counts at each device that it passes. In a scope: bytes that
/// reached its sockets, from the network header on (`sk_filter_trim_cap`).
pub const RX_BYTES: &str = "rx_bytes";
/// Packets handed to the network stack, in a scope to its sockets (after GRO, so one may stand for
/// several on the wire).
pub const RX_PACKETS: &str = "rx_packets";
/// Bytes handed to devices, with link-layer header (`net_dev_xmit`). In a scope: bytes that its
/// sockets sent, from the network header on, once whatever devices carry them (`ip_output`,
/// `ip_mc_output`, `ip6_output`).
pub const TX_BYTES: &str = "tx_bytes";
/// Packets handed to devices, in a scope those that its sockets sent (a device may cut one into
/// several).
pub const TX_PACKETS: &str = "tx_packets";
/// The part of [`RX_BYTES`] that came in at the machine's edge: devices with hardware behind them,
/// or the virtual network cards of a guest. In a scope the same as [`RX_BYTES`].
pub const EDGE_RX_BYTES: &str = "edge_rx_bytes";
/// The part of [`RX_PACKETS`] that came in at the machine's edge. In a scope the same as
/// [`RX_PACKETS`].
pub const EDGE_RX_PACKETS: &str = "edge_rx_packets";
/// The part of [`TX_BYTES`] that went out at the machine's edge. In a scope the same as
/// [`TX_BYTES`].
pub const EDGE_TX_BYTES: &str = "edge_tx_bytes";
/// The part of [`TX_PACKETS`] that went out at the machine's edge. In a scope the same as
/// [`TX_PACKETS`].
pub const EDGE_TX_PACKETS: &str = "edge_tx_packets";
/// Bytes received by devices that are not at the edge: loopback, veth, bridges, tunnels. A device
/// that hands its packets on to a bridge or bond does not count, so bridged traffic counts once.
/// Missing in a scope.
pub const LOCAL_BYTES: &str = "local_bytes";
/// Packets of [`LOCAL_BYTES`].
pub const LOCAL_PACKETS: &str = "local_packets";
/// Events that the kernel did not show to khor's programs, because the same program was already
/// running on that CPU (`recursion_misses` of all programs together, at most a second old). More
/// than a few only on preemptible tracepoints (`PREEMPT_RT`).
pub const MISSED_EVENTS: &str = "missed_events";
/// Context switches (`sched_switch`).
pub const SWITCHES: &str = "switches";
/// Bytes read from block devices, at completion (`block_rq_complete`). A request counts once, at
/// the disk that does the work: loop devices and device-mapper's own requests (multipath) do not
/// count, each mirror of a RAID 1 does.
pub const READ_BYTES: &str = "read_bytes";
/// Bytes written to block devices, at completion.
pub const WRITE_BYTES: &str = "write_bytes";
/// Read requests that block devices completed (`block_rq_complete`).
pub const READ_REQUESTS: &str = "read_requests";
/// Write requests that block devices completed.
pub const WRITE_REQUESTS: &str = "write_requests";
/// Block requests of any kind that completed with an error.
pub const IO_ERRORS: &str = "io_errors";
/// Time from issue (`block_rq_issue`, the last if there were several) to completion of all
/// [`TIMED_REQUESTS`] together, ns.
pub const LATENCY_NS: &str = "latency_ns";
/// Read and write requests whose time is in [`LATENCY_NS`]: nearly all.
pub const TIMED_REQUESTS: &str = "timed_requests";
/// TCP segments sent again (`tcp_retransmit_skb`, `tcp_retransmit_synack`).
pub const RETRANSMITS: &str = "retransmits";
/// Device interrupts handled (`irq_handler_entry`); not the CPU-local timer.
pub const IRQS: &str = "irqs";
/// Soft interrupts handled (`softirq_entry`).
pub const SOFTIRQS: &str = "softirqs";
/// Time some task waited for a CPU, µs (`/proc/pressure/cpu`, some).
pub const CPU_STALL_US: &str = "cpu_stall_us";
/// Time some task waited for I/O, µs (`/proc/pressure/io`, some).
pub const IO_STALL_US: &str = "io_stall_us";
/// Time some task waited for memory, µs (`/proc/pressure/memory`, some).
pub const MEM_STALL_US: &str = "mem_stall_us";
/// Page faults, minor and major (`pgfault` of `/proc/vmstat`).
pub const FAULTS: &str = "faults";
/// Page faults that had to wait for a disk (`pgmajfault`).
pub const MAJOR_FAULTS: &str = "major_faults";
