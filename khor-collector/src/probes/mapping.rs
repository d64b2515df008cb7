//! Maps arrays that are shared with the kernel's programs. This is one of the few modules with
//! `unsafe`.

use std::{
    ffi::c_void,
    io,
    marker::PhantomData,
    num::NonZeroUsize,
    os::fd::BorrowedFd,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// A type that consists only of 64-bit words, so a BPF array of it may be mapped.
///
/// # Safety
/// Every bit pattern must be a valid value. Size and alignment must be multiples of a word's size.
pub(super) unsafe trait Words: Copy {}

// SAFETY: `CpuCounters` is a `repr(C)` structure of `u64` and of arrays of `u64`.
unsafe impl Words for khor_layout::CpuCounters {}
// SAFETY: `ScopeCounters` is a `repr(C)` structure of `u64` and of arrays of `u64`.
unsafe impl Words for khor_layout::ScopeCounters {}
// SAFETY: `ScopeTable` is a `repr(C)` structure of `u64` and of arrays of `Place`, whose fields are
// all `u64`.
unsafe impl Words for khor_layout::ScopeTable {}

/// A BPF array of `T` that is mapped into memory. The kernel uses this memory at the same time, so
/// each access reads or writes one whole 64-bit word.
#[derive(Debug)]
pub(super) struct Mapping<T> {
    start: NonNull<c_void>,
    length_bytes: NonZeroUsize,
    elements: PhantomData<T>,
}

// SAFETY: the mapping lives as long as the value, and all accesses are atomic.
unsafe impl<T> Send for Mapping<T> {}
// SAFETY: all accesses through a shared reference are atomic.
unsafe impl<T> Sync for Mapping<T> {}

impl<T: Words> Mapping<T> {
    const WORDS: usize = size_of::<T>() / size_of::<u64>();

    /// Maps the BPF array `map`, which has `elements` elements. The mapping outlives the
    /// descriptor.
    pub(super) fn map(map: BorrowedFd<'_>, elements: usize, access: ProtFlags) -> io::Result<Self> {
        let length_bytes = NonZeroUsize::new(elements * size_of::<T>()).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping at an address of the kernel's choice affects no other memory. The
        // kernel rejects a mapping that is longer than the array.
        let start = unsafe { mmap(None, length_bytes, access, MapFlags::MAP_SHARED, map, 0) }?;
        Ok(Self { start, length_bytes, elements: PhantomData })
    }

    /// Reads a word of an element.
    pub(super) fn load(&self, element: usize, word: usize) -> u64 {
        self.word(element, word).load(Ordering::Relaxed)
    }

    /// Writes a word of an element. The kernel sees all earlier writes before this one. The mapping
    /// must be writable.
    pub(super) fn store(&self, element: usize, word: usize, value: u64) {
        self.word(element, word).store(value, Ordering::Release);
    }

    /// Replaces an element word by word. The kernel may see a partly replaced element meanwhile.
    pub(super) fn replace(&self, element: usize, value: &T) {
        for word in 0..Self::WORDS {
            // SAFETY: the word is within `value`, which consists of words (see `Words`).
            let new = unsafe { std::ptr::from_ref(value).cast::<u64>().add(word).read() };
            self.store(element, word, new);
        }
    }

    fn word(&self, element: usize, word: usize) -> &AtomicU64 {
        let index = element * Self::WORDS + word;
        assert!(word < Self::WORDS && (index + 1) * size_of::<u64>() <= self.length_bytes.get());
        // SAFETY: the word is within the mapping, as checked above. The mapping lives at least as
        // long as the reference. The word is aligned, because the mapping starts at a page. The
        // kernel accesses the word at the same time, so the access is atomic.
        unsafe { AtomicU64::from_ptr(self.start.cast::<u64>().add(index).as_ptr()) }
    }
}

impl<T> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: `mmap` returned this address and length, and no reference into the mapping exists
        // any more.
        let _ = unsafe { munmap(self.start, self.length_bytes.get()) };
    }
}
