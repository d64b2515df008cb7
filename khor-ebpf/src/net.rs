//! `netif_receive_skb` and `net_dev_xmit`: packets and bytes in and out. Kernel 5.5 and later.
//!
//! Not `net_dev_queue` for what goes out: it comes before software segmentation, whose headers the device's own
//! counts have, and before the queue may drop the packet.
//!
//! All run with bottom halves disabled and never inside their own program on one CPU, so a plain add is exact.

use aya_ebpf::Global;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::PerCpuArray;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::{field, owner};

#[unsafe(no_mangle)]
pub static SKB_LEN_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SKB_SK_OFFSET: Global<u32> = Global::new(0);

/// Packets that this CPU is handing to a device. Devices may be stacked: a bond hands on to a card.
#[map]
static HANDING_OVER: PerCpuArray<HandingOver> = PerCpuArray::with_max_entries(1, 0);

/// Stacked devices that can be told apart.
const STACKED: usize = 4;

#[repr(C)]
struct HandingOver {
    packets: [Packet; STACKED],
    depth: u64,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Packet {
    /// Address of its `struct sk_buff`, only to recognise it by.
    skb: u64,
    scopes: u64,
}

/// Counts what a device hands to the stack; the link-layer header is already off.
#[btf_tracepoint(function = "netif_receive_skb")]
fn netif_receive_skb(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: argument 0 of the tracepoint is a `struct sk_buff *`.
    let len: u32 = unsafe { field::read(ctx.arg(0), &SKB_LEN_OFFSET) };
    if let Some(cpu) = Cpu::this() {
        cpu.add(Slot::RxBytes, u64::from(len));
        cpu.add(Slot::RxPackets, 1);
    }
    0
}

/// Notes whose packet it is: after the device took it, nobody can tell any more.
#[btf_tracepoint(function = "net_dev_start_xmit")]
fn net_dev_start_xmit(ctx: BtfTracePointContext) -> i32 {
    let Some(scopes) = Cpu::this().and_then(Cpu::scopes) else { return 0 };
    let skb: *const u8 = ctx.arg(0);
    let sock = field::follow(skb, &SKB_SK_OFFSET);
    let scopes = scopes.of_cgroup(owner::cgroup_of_sock(sock));
    if let Some(handing_over) = HANDING_OVER.get_ptr_mut(0) {
        // SAFETY: this CPU's element, which lives as long as the program; nothing interrupts it to send.
        unsafe { (*handing_over).push(Packet { skb: skb as u64, scopes }) };
    }
    0
}

/// Counts what a device accepted, link-layer header included. A busy device is offered the packet again.
#[btf_tracepoint(function = "net_dev_xmit")]
fn net_dev_xmit(ctx: BtfTracePointContext) -> i32 {
    const NETDEV_TX_OK: i32 = 0;
    let skb: *const u8 = ctx.arg(0); // only its address: the packet itself may be gone by now
    let (result, len): (i32, u32) = (ctx.arg(1), ctx.arg(3));
    let Some(cpu) = Cpu::this() else { return 0 };
    let accepted = result == NETDEV_TX_OK;
    if accepted {
        cpu.add(Slot::TxBytes, u64::from(len));
        cpu.add(Slot::TxPackets, 1);
    }
    if let Some(scopes) = cpu.scopes()
        && let Some(handing_over) = HANDING_OVER.get_ptr_mut(0)
    {
        // SAFETY: as in `net_dev_start_xmit`.
        let owners = unsafe { (*handing_over).pop(skb as u64) };
        if accepted {
            scopes.credit(owners, [(Slot::TxBytes, u64::from(len)), (Slot::TxPackets, 1)]);
        }
    }
    0
}

impl HandingOver {
    #[inline(always)]
    fn push(&mut self, packet: Packet) {
        self.packets[self.depth as usize & (STACKED - 1)] = packet;
        self.depth = self.depth.wrapping_add(1);
    }

    /// The scopes of the packet, none if it was not seen coming. What lies above it has been forgotten by its device.
    #[inline(always)]
    fn pop(&mut self, skb: u64) -> u64 {
        for back in 1..=STACKED as u64 {
            let depth = self.depth.wrapping_sub(back);
            let packet = self.packets[depth as usize & (STACKED - 1)];
            if packet.skb == skb {
                self.packets[depth as usize & (STACKED - 1)].skb = 0;
                self.depth = depth;
                return packet.scopes;
            }
        }
        0
    }
}
