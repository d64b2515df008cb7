//! WAV files, through hound.

use std::{fs::File, io, io::BufWriter};

use super::{FileError, to_16_bit, to_24_bit};

/// Left and right, 24 bits each.
const FRAME_BYTES: u32 = 6;
/// The format counts bytes in 32 bits; some are left for the header.
const MAX_FRAMES: u64 = ((u32::MAX - 1024) / FRAME_BYTES) as u64;

pub(super) struct WavWriter {
    inner: hound::WavWriter<BufWriter<File>>,
    frames: u64,
    max_frames: u64,
}

impl WavWriter {
    pub(super) fn new(file: File, sample_rate_hz: u32) -> io::Result<Self> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: sample_rate_hz,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let inner = hound::WavWriter::new(BufWriter::new(file), spec).map_err(io_error)?;
        Ok(Self { inner, frames: 0, max_frames: MAX_FRAMES })
    }

    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) -> Result<(), FileError> {
        let frames = self.frames + left.len().min(right.len()) as u64;
        if frames > self.max_frames {
            return Err(FileError::Full);
        }
        for (l, r) in left.iter().zip(right) {
            self.inner.write_sample(to_24_bit(*l)).map_err(io_error)?;
            self.inner.write_sample(to_24_bit(*r)).map_err(io_error)?;
        }
        self.frames = frames;
        Ok(())
    }

    /// Writes the pushed samples to the file, with a header that covers them.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(io_error)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.inner.finalize().map_err(io_error)
    }
}

/// A whole WAV file in memory, 16 bits; samples are -1..=1, beyond is clipped.
pub fn wav_bytes(left: &[f32], right: &[f32], sample_rate_hz: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: sample_rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = io::Cursor::new(Vec::new());
    let write = |bytes: &mut io::Cursor<Vec<u8>>| {
        let mut writer = hound::WavWriter::new(bytes, spec)?;
        for (l, r) in left.iter().zip(right) {
            writer.write_sample(to_16_bit(*l))?;
            writer.write_sample(to_16_bit(*r))?;
        }
        writer.finalize()
    };
    let written = write(&mut bytes);
    debug_assert!(written.is_ok(), "nothing can fail in memory, short of a file beyond the format's 4 GiB");
    bytes.into_inner()
}

/// Of writing, the only error that isn't a mistake of ours is the disk's.
fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_takes_no_more_and_is_finished_properly() {
        assert!(MAX_FRAMES * u64::from(FRAME_BYTES) + 1000 < u64::from(u32::MAX));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let mut writer = WavWriter::new(File::create(&path).unwrap(), 48_000).unwrap();
        writer.max_frames = 3;
        writer.push(&[0.5; 2], &[0.5; 2]).unwrap();
        assert!(matches!(writer.push(&[0.5; 2], &[0.5; 2]), Err(FileError::Full)));
        writer.finish().unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 2);
    }
}
