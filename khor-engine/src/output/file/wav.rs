//! WAV files, 24-bit stereo, through hound.

use std::{fs::File, io::BufWriter, path::Path};

/// Left and right, 24 bits each.
const FRAME_BYTES: u32 = 6;
/// The format counts bytes in 32 bits; some are left for the header.
const MAX_FRAMES: u64 = ((u32::MAX - 1024) / FRAME_BYTES) as u64;

/// Why samples can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The block would not fit; what was written before is a good file once finished.
    #[error("a WAV file holds at most 4 GiB")]
    Full,
    /// The file could not be written.
    #[error(transparent)]
    Hound(#[from] hound::Error),
}

/// Writes one stereo WAV file.
pub struct WavWriter {
    inner: hound::WavWriter<BufWriter<File>>,
    sample_rate_hz: u32,
    frames: u64,
    max_frames: u64,
}

impl WavWriter {
    /// Begins a 24-bit stereo file; an existing one is replaced.
    pub fn create(path: &Path, sample_rate_hz: u32) -> hound::Result<Self> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: sample_rate_hz,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let inner = hound::WavWriter::create(path, spec)?;
        Ok(Self { inner, sample_rate_hz, frames: 0, max_frames: MAX_FRAMES })
    }

    /// Appends frames; samples are -1..=1, beyond is clipped. Writes none of them when not all fit.
    pub fn push(&mut self, left: &[f32], right: &[f32]) -> Result<(), WavError> {
        let frames = self.frames + left.len().min(right.len()) as u64;
        if frames > self.max_frames {
            return Err(WavError::Full);
        }
        for (l, r) in left.iter().zip(right) {
            self.inner.write_sample(to_24_bit(*l))?;
            self.inner.write_sample(to_24_bit(*r))?;
        }
        self.frames = frames;
        Ok(())
    }

    /// Length of what was written, seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// Completes the header.
    pub fn finish(self) -> hound::Result<()> {
        self.inner.finalize()
    }
}

fn to_24_bit(sample: f32) -> i32 {
    const FULL_SCALE: f32 = 8_388_607.0;
    (sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let mut writer = WavWriter::create(&path, 48_000).unwrap();
        writer.push(&[0.0, 0.5, 2.0], &[-1.0, 0.25, -2.0]).unwrap();
        writer.finish().unwrap();
        let mut reader = hound::WavReader::open(&path).unwrap();
        let samples: Vec<i32> = reader.samples::<i32>().map(Result::unwrap).collect();
        assert_eq!(samples, [0, -8_388_607, 4_194_304, 2_097_152, 8_388_607, -8_388_607]);
    }

    #[test]
    fn a_full_file_takes_no_more_and_is_finished_properly() {
        assert!(MAX_FRAMES * u64::from(FRAME_BYTES) + 1000 < u64::from(u32::MAX));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let mut writer = WavWriter::create(&path, 48_000).unwrap();
        writer.max_frames = 3;
        writer.push(&[0.5; 2], &[0.5; 2]).unwrap();
        assert!(matches!(writer.push(&[0.5; 2], &[0.5; 2]), Err(WavError::Full)));
        writer.finish().unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 2);
    }
}
