//! Reads fields of kernel structures. Their offsets depend on the running kernel.

use aya_ebpf::Global;
use aya_ebpf::helpers::bpf_probe_read_kernel;
use khor_layout::global::UNKNOWN;

/// 1 if programs may call `bpf_probe_read_kernel`. 0 if the kernel would reject programs with this
/// call. The verifier knows the value, and does not check a call that is never reached.
#[unsafe(no_mangle)]
static KERNEL_READS: Global<u32> = Global::new(0);

/// Reads the field that begins `offset` bytes after the start of `object`.
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

/// Reads the field that begins `offset` bytes after the start of `object`, without type checks by
/// the verifier. Use this to follow chains of pointers, which older and newer verifiers handle
/// differently. Returns zero if `object` is null, the kernel has no such field, the address cannot
/// be read, or the kernel is locked down.
#[inline(always)]
pub fn probe<T: Copy + Default>(object: *const u8, offset: &Global<u32>) -> T {
    if KERNEL_READS.load() == 0 || object.is_null() || offset.load() == UNKNOWN {
        return T::default();
    }
    let field = object.wrapping_add(offset.load() as usize).cast::<T>();
    // SAFETY: the kernel's helper function returns an error if `field` is not a readable address.
    unsafe { bpf_probe_read_kernel(field) }.unwrap_or_default()
}

/// Reads the pointer that is stored `offset` bytes after the start of `object`. Returns null if
/// [`probe`] would return zero.
#[inline(always)]
pub fn follow(object: *const u8, offset: &Global<u32>) -> *const u8 {
    probe::<usize>(object, offset) as *const u8
}
