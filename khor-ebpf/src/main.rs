//! khor's in-kernel programs. Each program adds to a counter of the CPU it runs on, and sends a cue
//! if the event is rare enough.
//!
//! Machine counters use BTF tracepoints (kernel 5.5 and later). They cost least and need only
//! `CAP_BPF` and `CAP_PERFMON`. The sockets of scopes also need function entries (fentry), which
//! need the same capabilities and do not work on every kernel. Rust emits no CO-RE relocations, so
//! the collector passes field offsets as read-only globals, which the verifier treats as constants.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod block;
mod counters;
mod cues;
mod exec;
mod fatal;
mod field;
mod fork;
mod irq;
mod net;
mod owner;
mod receive;
mod sched;
mod scopes;
mod send;
mod tcp;

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called, because the programs cannot panic. Rust requires a panic handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
