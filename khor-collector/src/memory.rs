//! Gives memory back after start-up; the only caller of glibc's allocator controls.

/// Returns freed heap pages to the kernel. Parsing the kernel's types briefly takes about 20 MiB.
/// Without this call, the process would keep them.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `malloc_trim` takes no pointer and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
