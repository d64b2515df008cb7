//! FLAC files, through flac-codec, a piece at a time.

use std::{fs::File, io, io::BufWriter};

use flac_codec::{
    Error,
    encode::{FlacSampleWriter, Options},
};

use super::to_24_bit;

pub(super) struct FlacWriter {
    inner: FlacSampleWriter<BufWriter<File>>,
    /// Samples of one piece, left and right in turn.
    piece: Vec<i32>,
}

impl FlacWriter {
    pub(super) fn new(file: File, sample_rate_hz: u32) -> io::Result<Self> {
        // Its default search makes files 1 % smaller and takes more than twice as long.
        let inner = FlacSampleWriter::new(BufWriter::new(file), Options::fast(), sample_rate_hz, 24, 2, None);
        Ok(Self { inner: inner.map_err(io_error)?, piece: Vec::new() })
    }

    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) -> io::Result<()> {
        self.piece.clear();
        self.piece.extend(left.iter().zip(right).flat_map(|(l, r)| [to_24_bit(*l), to_24_bit(*r)]));
        self.inner.write(&self.piece).map_err(io_error)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.inner.finalize().map_err(io_error)
    }
}

/// Of writing, the only error that isn't a mistake of ours is the disk's.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
