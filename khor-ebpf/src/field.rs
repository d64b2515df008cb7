//! Reads a field of a kernel structure at an offset known only on the running kernel.

use aya_ebpf::Global;

/// The field of `object` at `offset` bytes.
///
/// # Safety
/// `object` must be a tracepoint argument of BTF pointer type, so that the verifier checks the access against
/// the kernel's own types and turns a fault into zero.
#[inline(always)]
pub unsafe fn read<T: Copy>(object: *const u8, offset: &Global<u32>) -> T {
    // SAFETY: the verifier rejects the program unless a `T` is there (see above).
    unsafe { *object.add(offset.load() as usize).cast::<T>() }
}
