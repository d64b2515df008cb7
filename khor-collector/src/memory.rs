//! Gives memory back after start-up; the only caller of glibc's allocator controls.

/// Returns freed heap pages to the kernel: parsing the kernel's types takes some 20 MiB for a moment, and
/// without this the process would keep them for life.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `malloc_trim` takes no pointer and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
