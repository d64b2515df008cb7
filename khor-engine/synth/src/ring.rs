//! Reads and writes ring buffers of samples, one block at a time.

use super::lanes::BLOCK;

/// Reads the block that begins at index `at`, which must be below the length of the ring. The ring
/// must be at least as long as a block. Real-time safe.
#[inline(always)]
pub(super) fn read(ring: &[f32], at: usize) -> [f32; BLOCK] {
    // The block is nearly always contiguous in the ring, so a copy of fixed length is enough. It
    // takes a few instructions and no function call.
    if let Some(block) = ring[at..].first_chunk() {
        return *block;
    }
    let mut out = [0.0; BLOCK];
    let first = ring.len() - at;
    out[..first].copy_from_slice(&ring[at..]);
    out[first..].copy_from_slice(&ring[..BLOCK - first]);
    out
}

/// Replaces the block of the ring that begins at index `at`. Real-time safe.
#[inline(always)]
pub(super) fn write(ring: &mut [f32], at: usize, block: &[f32; BLOCK]) {
    if let Some(place) = ring[at..].first_chunk_mut() {
        *place = *block;
        return;
    }
    let first = ring.len() - at;
    ring[at..].copy_from_slice(&block[..first]);
    ring[..BLOCK - first].copy_from_slice(&block[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_blocks_read_back_at_any_position() {
        let block = std::array::from_fn(|i| i as f32 + 1.0);
        for length in [BLOCK, BLOCK + 1, 3 * BLOCK - 5] {
            for at in 0..length {
                let mut ring = vec![0.0; length];
                write(&mut ring, at, &block);
                assert_eq!(read(&ring, at), block, "{length} {at}");
                assert_eq!(ring.iter().filter(|&&x| x == 0.0).count(), length - BLOCK);
                assert_eq!(ring[(at + 7) % length], 8.0);
            }
        }
    }
}
