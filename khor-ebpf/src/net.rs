//! Counts received and sent packets and bytes (`netif_receive_skb`, `net_dev_xmit`). Kernel 5.5 and
//! later.
//!
//! A device is at the machine's edge if it has a parent device. Hardware and a guest's virtual
//! network cards have a parent. Loopback, veth, bridges, bonds and tunnels have no parent. The
//! programs examine the device of each packet and store nothing about devices. So a device may
//! appear, disappear, or change its name or namespace at any time.
//!
//! `net_dev_queue` is unsuitable for sent packets, because it fires too early. The queue may still
//! drop the packet. Software segmentation may still add headers, which the device counts.
//!
//! Both tracepoints fire with bottom halves disabled, so a plain addition is exact. On PREEMPT_RT a
//! task can preempt another task while a BPF program runs. If the preempting task triggers the same
//! program, the kernel skips that run and counts it in `recursion_misses`.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::field;

#[unsafe(no_mangle)]
pub static SKB_LEN_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SKB_DEV_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static DEVICE_PARENT_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static DEVICE_RX_HANDLER_OFFSET: Global<u32> = Global::new(0);

/// Counts a packet that a device passes to the network stack. The packet no longer has a link-layer
/// header.
#[btf_tracepoint(function = "netif_receive_skb")]
fn netif_receive_skb(ctx: BtfTracePointContext) -> i32 {
    let skb: *const u8 = ctx.arg(0);
    // SAFETY: argument 0 of the tracepoint is a `struct sk_buff *`.
    let (len, device): (u32, Device) =
        unsafe { (field::read(skb, &SKB_LEN_OFFSET), Device(field::read(skb, &SKB_DEV_OFFSET))) };
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add(Slot::RxBytes, u64::from(len));
    cpu.add(Slot::RxPackets, 1);
    if device.is_at_edge() {
        cpu.add(Slot::EdgeRxBytes, u64::from(len));
        cpu.add(Slot::EdgeRxPackets, 1);
    } else if !device.hands_on() {
        cpu.add(Slot::LocalBytes, u64::from(len));
        cpu.add(Slot::LocalPackets, 1);
    }
    0
}

/// Counts a packet that a device accepted, including its link-layer header. If the device was busy,
/// the kernel tries again later, so the program does not count the packet yet.
#[btf_tracepoint(function = "net_dev_xmit")]
fn net_dev_xmit(ctx: BtfTracePointContext) -> i32 {
    const NETDEV_TX_OK: i32 = 0;
    // Argument 0, the packet, may already have been freed.
    let (result, device, len): (i32, Device, u32) = (ctx.arg(1), Device(ctx.arg(2)), ctx.arg(3));
    if result != NETDEV_TX_OK {
        return 0;
    }
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add(Slot::TxBytes, u64::from(len));
    cpu.add(Slot::TxPackets, 1);
    if device.is_at_edge() {
        cpu.add(Slot::EdgeTxBytes, u64::from(len));
        cpu.add(Slot::EdgeTxPackets, 1);
    }
    0
}

/// A `struct net_device *`. It is an argument of a tracepoint or a field of such an argument, so
/// the verifier knows its type.
#[derive(Clone, Copy)]
struct Device(*const u8);

impl Device {
    /// Whether the device connects the machine to the outside.
    #[inline(always)]
    fn is_at_edge(self) -> bool {
        // SAFETY: a typed `struct net_device *` (see `Device`), whose `dev.parent` is a pointer.
        let parent: *const u8 = unsafe { field::read(self.0, &DEVICE_PARENT_OFFSET) };
        !parent.is_null()
    }

    /// Whether the device passes its packets on to another device. For example, a port passes them
    /// to its bridge or bond.
    #[inline(always)]
    fn hands_on(self) -> bool {
        // SAFETY: a typed `struct net_device *` (see `Device`), whose `rx_handler` is a pointer.
        let handler: *const u8 = unsafe { field::read(self.0, &DEVICE_RX_HANDLER_OFFSET) };
        !handler.is_null()
    }
}
