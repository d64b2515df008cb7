//! Reads fields of kernel structures whose offsets are known only on the running kernel.

use aya_ebpf::Global;
use aya_ebpf::helpers::bpf_probe_read_kernel;
use khor_layout::global::UNKNOWN;

/// 0 if the kernel rejects programs that call the helper of [`probe`], else 1. The verifier knows
/// the value and does not check calls that are never reached.
#[unsafe(no_mangle)]
static KERNEL_READS: Global<u32> = Global::new(0);

/// The field of `object` at `offset` bytes.
///
/// # Safety
/// `object` must be a tracepoint argument that BTF describes as a pointer, or a pointer that was
/// read from such an argument. The verifier then checks the access against the kernel's own types
/// and turns a fault into zero.
#[inline(always)]
pub unsafe fn read<T: Copy>(object: *const u8, offset: &Global<u32>) -> T {
    // SAFETY: the verifier rejects the program unless a `T` is at this address (see above).
    unsafe { *object.add(offset.load() as usize).cast::<T>() }
}

/// The field of `object` at `offset` bytes, read by a helper that needs no types. It is for chains
/// of pointers, because older and newer verifiers follow them differently. Zero if `object` is
/// null, the kernel has no such field, the address cannot be read, or the kernel is locked down.
#[inline(always)]
pub fn probe<T: Copy + Default>(object: *const u8, offset: &Global<u32>) -> T {
    if KERNEL_READS.load() == 0 || object.is_null() || offset.load() == UNKNOWN {
        return T::default();
    }
    let field = object.wrapping_add(offset.load() as usize).cast::<T>();
    // SAFETY: the helper checks the address itself.
    unsafe { bpf_probe_read_kernel(field) }.unwrap_or_default()
}

/// The pointer in the field of `object` at `offset` bytes. Null in the cases in which [`probe`]
/// returns zero.
#[inline(always)]
pub fn follow(object: *const u8, offset: &Global<u32>) -> *const u8 {
    probe::<usize>(object, offset) as *const u8
}
