//! khor's in-kernel programs: each adds to a counter of the CPU it runs on, and does nothing else.
//!
//! All are BTF tracepoints (kernel 5.5 and later): the cheapest kind, and the only one that attaches with no
//! more than `CAP_BPF` and `CAP_PERFMON`. Rust emits no CO-RE relocations, so field offsets come in as
//! read-only globals, which the verifier treats as constants.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod block;
mod counters;
mod exec;
mod field;
mod fork;
mod irq;
mod net;
mod sched;
mod tcp;

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called: nothing here panics, yet the language wants a handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
