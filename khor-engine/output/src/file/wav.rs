//! Writes WAV files with hound, on disk and in memory.

use std::{fs::File, io, io::BufWriter};

use super::sample::{FileError, to_16_bit, to_24_bit};

/// Length of a frame in a file on disk, bytes. A frame is two samples of 24 bits.
const FRAME_BYTES: u32 = 6;
/// Length of a frame in a file in memory, bytes. A frame is two samples of 16 bits.
const SHORT_FRAME_BYTES: usize = 4;
/// Length of the header of a file with 16 bits per sample, bytes.
const HEADER_BYTES: usize = 44;
/// Maximum number of frames. The format stores the number of bytes in 32 bits, and the header takes
/// some of these bytes.
const MAX_FRAMES: u64 = ((u32::MAX - 1024) / FRAME_BYTES) as u64;

/// Maximum length of a WAV file, bytes.
pub const MAX_WAV_BYTES: u64 = u32::MAX as u64;

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

    /// Writes the samples so far to the file, and updates its header.
    pub(super) fn flush_to_file(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(io_error)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.inner.finalize().map_err(io_error)
    }
}

/// A WAV file in memory, with 16-bit stereo samples.
pub struct WavBytes(Vec<u8>);

impl WavBytes {
    /// Length of a file with this many frames, bytes.
    pub const fn length(frames: usize) -> usize {
        HEADER_BYTES + frames * SHORT_FRAME_BYTES
    }

    /// Starts a file, and reserves memory for this many frames.
    pub fn new(sample_rate_hz: u32, frames: usize) -> Self {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: sample_rate_hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = spec.into_header_for_infinite_file();
        bytes.reserve_exact(frames * SHORT_FRAME_BYTES);
        Self(bytes)
    }

    /// Appends samples. Samples outside of -1..=1 are clipped.
    pub fn push(&mut self, left: &[f32], right: &[f32]) {
        let samples = left.iter().zip(right).flat_map(|(l, r)| [to_16_bit(*l), to_16_bit(*r)]);
        self.0.extend(samples.flat_map(i16::to_le_bytes));
    }

    /// The complete file.
    pub fn finish(mut self) -> Vec<u8> {
        // The length fits into 32 bits, because a longer file would not fit into memory.
        let samples = (self.0.len() - HEADER_BYTES) as u32;
        self.0[4..8].copy_from_slice(&(samples + HEADER_BYTES as u32 - 8).to_le_bytes());
        self.0[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&samples.to_le_bytes());
        self.0
    }
}

/// Returns a complete WAV file with 16-bit stereo samples. Samples outside of -1..=1 are clipped.
pub fn wav_bytes(left: &[f32], right: &[f32], sample_rate_hz: u32) -> Vec<u8> {
    let mut wav = WavBytes::new(sample_rate_hz, left.len());
    wav.push(left, right);
    wav.finish()
}

/// Converts an error of hound to an I/O error. Any other kind of error would be a bug in khor.
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
    fn wav_bytes_have_the_predicted_length() {
        let mut wav = WavBytes::new(44_100, 3);
        wav.push(&[0.0, 1.0], &[-2.0, 0.5]);
        wav.push(&[0.25], &[-0.25]);
        let bytes = wav.finish();
        assert_eq!(bytes.len(), 44 + 12);
        let mut reader = hound::WavReader::new(bytes.as_slice()).unwrap();
        assert_eq!((reader.duration(), reader.spec().sample_rate), (3, 44_100));
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, -32767, 32767, 16384, 8192, -8192]);
        let riff = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
        assert_eq!(riff as usize, bytes.len() - 8);
    }

    #[test]
    fn a_full_wav_file_stays_valid() {
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
