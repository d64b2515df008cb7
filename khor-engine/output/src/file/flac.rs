//! Writes FLAC files with flac-codec.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    sync::Arc,
};

use flac_codec::{
    Error,
    encode::{FlacSampleWriter, Options},
};
use parking_lot::{Mutex, MutexGuard};

use super::sample::to_24_bit;

pub(super) struct FlacWriter {
    inner: FlacSampleWriter<Shared>,
    file: Shared,
    /// Buffer for the interleaved samples of one [`Self::push`] call. It is reused, so that not
    /// every call allocates memory.
    piece: Vec<i32>,
}

impl FlacWriter {
    pub(super) fn new(file: File, sample_rate_hz: u32) -> io::Result<Self> {
        // flac-codec's default options make files 1 % smaller, but take more than twice as long.
        let file = Shared(Arc::new(Mutex::new(BufWriter::new(file))));
        let inner = FlacSampleWriter::new(file.clone(), Options::fast(), sample_rate_hz, 24, 2, None);
        Ok(Self { inner: inner.map_err(io_error)?, file, piece: Vec::new() })
    }

    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) -> io::Result<()> {
        self.piece.clear();
        self.piece.extend(left.iter().zip(right).flat_map(|(l, r)| [to_24_bit(*l), to_24_bit(*r)]));
        self.inner.write(&self.piece).map_err(io_error)
    }

    /// Writes the complete frames to the file.
    pub(super) fn flush_to_file(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.inner.finalize().map_err(io_error)?;
        self.file.flush()
    }
}

/// A file that the encoder and khor share: the encoder writes to it, and khor flushes it.
#[derive(Clone)]
struct Shared(Arc<Mutex<BufWriter<File>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BufWriter<File>> {
        self.0.lock()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().seek(to)
    }
}

/// Converts an error of the encoder to an I/O error. Any other kind of error would be a bug in
/// khor.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
