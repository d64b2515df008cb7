//! Counts received and sent packets and bytes (`netif_receive_skb`, `net_dev_xmit`). Kernel 5.5 and
//! later.
//!
//! A device is at the machine's edge if it has a parent device: hardware, or a guest's virtual
//! card. Loopback, veth, bridges, bonds and tunnels have none. The programs read the packet's
//! device each time and store nothing about devices. So devices may appear, disappear, and change
//! name or namespace.
//!
//! `net_dev_queue` is unsuitable for sent packets. It fires before software segmentation, whose
//! headers the device counts, and before the queue may drop the packet.
//!
//! Both tracepoints fire with bottom halves disabled, so a plain add is exact. On PREEMPT_RT a task
//! can preempt another one within a program. The kernel then skips the program's nested run and
//! counts it in `recursion_misses`.

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

/// Counts a packet that a device passes to the network stack. Its link-layer header is already
/// removed.
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

/// Counts a packet that a device accepted, including its link-layer header. A busy device gets the
/// packet again later.
#[btf_tracepoint(function = "net_dev_xmit")]
fn net_dev_xmit(ctx: BtfTracePointContext) -> i32 {
    const NETDEV_TX_OK: i32 = 0;
    // Argument 0, the packet, may already be freed.
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

/// A `struct net_device *` that is a tracepoint's argument or a field of one, so the verifier knows
/// its type.
#[derive(Clone, Copy)]
struct Device(*const u8);

impl Device {
    /// Whether the device connects the machine with the outside.
    #[inline(always)]
    fn is_at_edge(self) -> bool {
        // SAFETY: a typed `struct net_device *` (see `Device`), whose `dev.parent` is a pointer.
        let parent: *const u8 = unsafe { field::read(self.0, &DEVICE_PARENT_OFFSET) };
        !parent.is_null()
    }

    /// Whether the device is a port of a bridge, bond or similar device, which takes over its
    /// packets.
    #[inline(always)]
    fn hands_on(self) -> bool {
        // SAFETY: a typed `struct net_device *` (see `Device`), whose `rx_handler` is a pointer.
        let handler: *const u8 = unsafe { field::read(self.0, &DEVICE_RX_HANDLER_OFFSET) };
        !handler.is_null()
    }
}
