//! Writes sound files (WAV, FLAC) and note files (MIDI). The extension selects the format.

mod flac;
mod sample;
mod smf;
mod wav;

use std::{
    fs::File,
    io,
    panic::resume_unwind,
    path::Path,
    sync::mpsc::{self, Receiver, SyncSender},
    thread::{self, JoinHandle},
};

use self::{flac::FlacWriter, wav::WavWriter};
pub use self::{
    sample::{FileError, to_16_bit},
    smf::NoteFile,
    wav::{MAX_WAV_BYTES, WavBytes, wav_bytes},
};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 24-bit stereo samples, at most 4 GiB.
    Wav,
    /// 24-bit stereo samples, compressed to about half the size.
    Flac,
    /// Notes, as a Standard MIDI File.
    Midi,
}

/// The file name has an unknown extension.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: unknown file format; expected a name that ends in .wav, .flac or .mid")]
pub struct FormatError(String);

impl Format {
    /// Returns the format for the extension of a file name. The extension may be in upper or lower
    /// case.
    pub fn from_path(path: &Path) -> Result<Self, FormatError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        match extension.as_deref() {
            Some("wav") => Ok(Self::Wav),
            Some("flac") => Ok(Self::Flac),
            Some("mid" | "midi") => Ok(Self::Midi),
            _ => Err(FormatError(path.display().to_string())),
        }
    }
}

/// Minimum number of frames that are passed to the writing thread at a time.
const PIECE_FRAMES: usize = 4096;
/// Maximum number of pieces that wait for the writing thread.
const QUEUE_PIECES: usize = 16;

/// A file of 24-bit stereo samples. A separate thread writes it.
///
/// The thread writes after every 4096 frames (85 ms at 48 kHz), and updates the header of a WAV
/// file. So the samples written so far can be played, even if the program is killed. The header of
/// an unfinished FLAC file lacks the length, and the last frame of the file may be incomplete.
pub struct SoundFile {
    pieces: SyncSender<Piece>,
    next: Piece,
    thread: JoinHandle<Result<(), FileError>>,
}

/// Samples of the left and of the right channel.
type Piece = [Vec<f32>; 2];

enum Writer {
    Wav(WavWriter),
    Flac(Box<FlacWriter>),
}

impl SoundFile {
    /// Starts the thread that writes to `file`, which must be empty. Returns `None` if the format
    /// contains notes instead of samples.
    pub fn start(file: File, format: Format, sample_rate_hz: u32) -> io::Result<Option<Self>> {
        let writer = match format {
            Format::Wav => Writer::Wav(WavWriter::new(file, sample_rate_hz)?),
            Format::Flac => Writer::Flac(Box::new(FlacWriter::new(file, sample_rate_hz)?)),
            Format::Midi => return Ok(None),
        };
        let (pieces, receiver) = mpsc::sync_channel(QUEUE_PIECES);
        let write = move || writer.write(&receiver);
        let thread = thread::Builder::new().name("khor-file".into()).spawn(write)?;
        Ok(Some(Self { pieces, next: Piece::default(), thread }))
    }

    /// Appends frames. If one slice is longer, its additional samples are ignored. Samples outside
    /// of -1..=1 are clipped. Returns `false` if writing has failed; [`Self::finish`] then returns
    /// the error.
    pub fn push(&mut self, left: &[f32], right: &[f32]) -> bool {
        let frames = left.len().min(right.len());
        let [next_left, next_right] = &mut self.next;
        next_left.extend_from_slice(&left[..frames]);
        next_right.extend_from_slice(&right[..frames]);
        next_left.len() < PIECE_FRAMES || self.send()
    }

    fn send(&mut self) -> bool {
        let empty = [(); 2].map(|()| Vec::with_capacity(PIECE_FRAMES + PIECE_FRAMES / 4));
        self.pieces.send(std::mem::replace(&mut self.next, empty)).is_ok()
    }

    /// Waits until everything is written, and completes the header. After [`FileError::Full`], the
    /// file is valid and contains the samples up to the limit.
    pub fn finish(mut self) -> Result<(), FileError> {
        self.send();
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Writer {
    fn write(mut self, pieces: &Receiver<Piece>) -> Result<(), FileError> {
        let mut written = Ok(());
        while written.is_ok()
            && let Ok([left, right]) = pieces.recv()
        {
            written = match &mut self {
                Self::Wav(writer) => writer.push(&left, &right),
                Self::Flac(writer) => writer.push(&left, &right).map_err(FileError::Io),
            };
            written = written.and_then(|()| Ok(self.flush_to_file()?));
        }
        match self {
            Self::Wav(writer) => writer.finish()?,
            Self::Flac(writer) => writer.finish()?,
        }
        written
    }

    /// Writes buffered data to the file, so that the file can be played up to the current position.
    fn flush_to_file(&mut self) -> io::Result<()> {
        match self {
            Self::Wav(writer) => writer.flush_to_file(),
            Self::Flac(writer) => writer.flush_to_file(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: [f32; 3] = [0.0, 0.5, 2.0];
    const RIGHT: [f32; 3] = [-1.0, 0.25, -2.0];
    const IN_24_BITS: [i32; 6] = [0, -8_388_607, 4_194_304, 2_097_152, 8_388_607, -8_388_607];

    fn begun(path: &Path) -> SoundFile {
        SoundFile::start(File::create(path).unwrap(), Format::from_path(path).unwrap(), 48_000)
            .unwrap()
            .unwrap()
    }

    fn written(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let mut file = begun(&path);
        assert!(file.push(&LEFT[..1], &RIGHT[..1]) && file.push(&LEFT[1..], &RIGHT[1..]));
        file.finish().unwrap();
        (dir, path)
    }

    #[test]
    fn wav_samples_read_back() {
        let (_dir, path) = written("x.WAV");
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.samples::<i32>().map(Result::unwrap).collect::<Vec<_>>(), IN_24_BITS);
    }

    #[test]
    fn flac_samples_read_back() {
        let (_dir, path) = written("x.flac");
        let mut reader = flac_codec::decode::FlacSampleReader::open(&path).unwrap();
        let mut samples = Vec::new();
        reader.read_to_end(&mut samples).unwrap();
        assert_eq!(samples, IN_24_BITS);
    }

    /// Waits until `is_long_enough` is true. Then returns a copy of the unfinished file, as `kill
    /// -9` would leave it.
    fn cut(name: &str, is_long_enough: impl Fn(&Path) -> bool) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (whole, cut) = (dir.path().join(name), dir.path().join(format!("cut-{name}")));
        let mut file = begun(&whole);
        for _ in 0..12 {
            let frames = 0..PIECE_FRAMES;
            let wave: Vec<f32> = frames.map(|frame| (frame as f32 * 0.05).sin() * 0.5).collect();
            assert!(file.push(&wave, &wave));
        }
        khor_e2e::wait_until("a file that plays", || {
            std::fs::copy(&whole, &cut).unwrap();
            is_long_enough(&cut)
        });
        file.finish().unwrap();
        (dir, cut)
    }

    #[test]
    fn an_unfinished_wav_file_plays() {
        let frames = 12 * PIECE_FRAMES as u32;
        let duration = |path: &Path| hound::WavReader::open(path).map_or(0, |reader| reader.duration());
        let (_dir, cut) = cut("x.wav", |path| duration(path) == frames);
        let samples: Vec<i32> =
            hound::WavReader::open(&cut).unwrap().samples().collect::<Result<_, _>>().unwrap();
        assert_eq!(samples.len(), 2 * frames as usize);
        assert!(samples.iter().any(|sample| *sample > 4_000_000));
    }

    #[test]
    fn a_truncated_flac_file_plays() {
        let readable = |path: &Path| {
            let Ok(mut reader) = flac_codec::decode::FlacSampleReader::open(path) else { return 0 };
            let mut samples = Vec::new();
            // If the last frame is incomplete, reading fails after the complete frames.
            let _ = reader.read_to_end(&mut samples);
            samples.len() / 2
        };
        let wanted = 11 * PIECE_FRAMES;
        let (_dir, path) = cut("x.flac", |path| readable(path) >= wanted);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(readable(&path) >= wanted - 2 * PIECE_FRAMES);
    }

    #[test]
    fn a_full_disk_is_reported() {
        let path = Path::new("/dev/full");
        let device = khor_system::files::Replacement::begin(path).unwrap().file().unwrap();
        let mut file = SoundFile::start(device, Format::Wav, 48_000);
        let error_kind = match &mut file {
            // hound writes the header immediately, so creating the file may already fail.
            Err(error) => error.kind(),
            Ok(file) => {
                let mut file = file.take().unwrap();
                let piece = [0.5; PIECE_FRAMES];
                assert!((0..1000).any(|_| !file.push(&piece, &piece)), "pushing samples fails");
                match file.finish().unwrap_err() {
                    FileError::Io(error) => error.kind(),
                    FileError::Full => panic!("expected an I/O error"),
                }
            }
        };
        assert_eq!(error_kind, io::ErrorKind::StorageFull);
    }

    #[test]
    fn the_extension_selects_the_format() {
        assert_eq!(Format::from_path(Path::new("a/b.mid")), Ok(Format::Midi));
        let error = Format::from_path(Path::new("x.mp3")).unwrap_err().to_string();
        assert!(error.starts_with("x.mp3:") && error.ends_with(".wav, .flac or .mid"), "{error}");
        assert!(Format::from_path(Path::new("wav")).is_err());
    }
}
