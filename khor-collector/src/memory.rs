//! Returns memory to the kernel after the start. No other module calls glibc's allocator controls.

/// Returns free heap pages to the kernel. Reading the kernel's type information needs about 20 MiB
/// for a short time. Without this call, the process would keep this memory.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `malloc_trim` takes no pointer and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
