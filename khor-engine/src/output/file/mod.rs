//! Files of sound and of notes. The end of a file's name says what is in it.

mod flac;
mod smf;
mod wav;

use std::{io, path::Path};

pub use smf::NoteFile;

use self::{flac::FlacWriter, wav::WavWriter};

/// What a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 24-bit stereo samples, at most 4 GiB.
    Wav,
    /// The same samples in about half the space.
    Flac,
    /// Notes: a Standard MIDI File.
    Midi,
}

/// The end of a file's name is none that can be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: what it is to hold is not known; expected a name that ends in .wav, .flac or .mid")]
pub struct FormatError(String);

/// Why samples can't be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The block would not fit; what was written before is a good file once finished.
    #[error("a WAV file holds at most 4 GiB")]
    Full,
    /// The file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Format {
    /// By the end of the name, in any case.
    pub fn of(path: &Path) -> Result<Self, FormatError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        match extension.as_deref() {
            Some("wav") => Ok(Self::Wav),
            Some("flac") => Ok(Self::Flac),
            Some("mid" | "midi") => Ok(Self::Midi),
            _ => Err(FormatError(path.display().to_string())),
        }
    }
}

/// A file of stereo samples, 24 bits each.
pub struct SoundFile {
    writer: Writer,
    sample_rate_hz: u32,
    frames: u64,
}

enum Writer {
    Wav(WavWriter),
    Flac(Box<FlacWriter>),
}

impl SoundFile {
    /// Begins a file; an existing one is replaced. `None`: the format holds no samples.
    pub fn create(path: &Path, format: Format, sample_rate_hz: u32) -> io::Result<Option<Self>> {
        let writer = match format {
            Format::Wav => Writer::Wav(WavWriter::create(path, sample_rate_hz)?),
            Format::Flac => Writer::Flac(Box::new(FlacWriter::create(path, sample_rate_hz)?)),
            Format::Midi => return Ok(None),
        };
        Ok(Some(Self { writer, sample_rate_hz, frames: 0 }))
    }

    /// Appends frames, as many as the shorter slice holds; samples are -1..=1, beyond is clipped. Writes none of
    /// them when not all fit.
    pub fn push(&mut self, left: &[f32], right: &[f32]) -> Result<(), FileError> {
        match &mut self.writer {
            Writer::Wav(writer) => writer.push(left, right)?,
            Writer::Flac(writer) => writer.push(left, right)?,
        }
        self.frames += left.len().min(right.len()) as u64;
        Ok(())
    }

    /// Length of what was written, seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// Completes the header.
    pub fn finish(self) -> io::Result<()> {
        match self.writer {
            Writer::Wav(writer) => writer.finish(),
            Writer::Flac(writer) => writer.finish(),
        }
    }
}

fn to_24_bit(sample: f32) -> i32 {
    const FULL_SCALE: f32 = 8_388_607.0;
    (sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: [f32; 3] = [0.0, 0.5, 2.0];
    const RIGHT: [f32; 3] = [-1.0, 0.25, -2.0];
    const IN_24_BITS: [i32; 6] = [0, -8_388_607, 4_194_304, 2_097_152, 8_388_607, -8_388_607];

    fn written(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let mut file = SoundFile::create(&path, Format::of(&path).unwrap(), 48_000).unwrap().unwrap();
        file.push(&LEFT[..1], &RIGHT[..1]).unwrap();
        file.push(&LEFT[1..], &RIGHT[1..]).unwrap();
        assert_eq!(file.seconds(), 3.0 / 48_000.0);
        file.finish().unwrap();
        (dir, path)
    }

    #[test]
    fn what_is_written_to_wav_reads_back() {
        let (_dir, path) = written("x.WAV");
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.samples::<i32>().map(Result::unwrap).collect::<Vec<_>>(), IN_24_BITS);
    }

    #[test]
    fn what_is_written_to_flac_reads_back() {
        let (_dir, path) = written("x.flac");
        let mut reader = flac_codec::decode::FlacSampleReader::open(&path).unwrap();
        let mut samples = Vec::new();
        reader.read_to_end(&mut samples).unwrap();
        assert_eq!(samples, IN_24_BITS);
    }

    #[test]
    fn a_name_says_what_the_file_holds_or_what_is_expected() {
        assert_eq!(Format::of(Path::new("a/b.mid")), Ok(Format::Midi));
        let refused = Format::of(Path::new("x.mp3")).unwrap_err().to_string();
        assert!(refused.starts_with("x.mp3:") && refused.ends_with(".wav, .flac or .mid"), "{refused}");
        assert!(Format::of(Path::new("wav")).is_err());
    }
}
