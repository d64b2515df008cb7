//! Captures: a recorded stream of samples in a file.
//!
//! Layout: the eight bytes `khorcap\x01`, then the protocol's own frames (u32 little-endian length, bincode
//! body) of [`ServerMessage`]: one `Welcome` with the catalogue, then `Sample`s. A file that was cut short
//! is read up to the cut; what follows is an error that says where.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, ErrorKind, Read, Write},
    path::Path,
};

use bincode::Options;
use khor_proto::{Availability, ProtocolVersion, Sample, ServerMessage, Welcome};

use super::catalogue::{Catalogue, counter_infos};
use crate::signal::{Frame, PerCounter};

/// Name and version of the format.
const HEADING: [u8; 8] = *b"khorcap\x01";
/// No record is longer: the protocol's own limit.
const MAX_RECORD_BYTES: u32 = 64 * 1024;

/// Why a capture can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("not a khor capture (it begins with {0:?}, expected \"khorcap\\x01\")")]
    Foreign(String),
    /// It ends in the middle of a record.
    #[error("cut short after {frames} samples ({seconds:.1} s)")]
    Truncated {
        /// Samples before the cut.
        frames: u64,
        /// Time before the cut, seconds.
        seconds: f64,
    },
    /// A record makes no sense.
    #[error("damaged after {frames} samples ({seconds:.1} s): {problem}")]
    Damaged {
        /// Samples before the damage.
        frames: u64,
        /// Time before the damage, seconds.
        seconds: f64,
        /// What is wrong.
        problem: String,
    },
}

/// What a capture tells, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A source begins; its counters do not continue those before.
    Start,
    /// All counters at one instant.
    Frame(Frame),
}

/// Writes a capture.
pub struct CaptureWriter {
    file: BufWriter<File>,
    seq: u64,
}

impl CaptureWriter {
    /// Begins a capture at `path`; an existing file is replaced.
    pub fn create(path: &Path, availability: &PerCounter<Availability>) -> io::Result<Self> {
        let mut writer = Self { file: BufWriter::new(File::create(path)?), seq: 0 };
        writer.file.write_all(&HEADING)?;
        writer.source_changed(availability)?;
        Ok(writer)
    }

    /// Begins a new stretch: the counters that follow do not continue those before, and others may be known.
    pub fn source_changed(&mut self, availability: &PerCounter<Availability>) -> io::Result<()> {
        let uname = nix::sys::utsname::uname()?;
        self.record(&ServerMessage::Welcome(Welcome {
            version: ProtocolVersion::CURRENT,
            collector_version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel_release: uname.release().to_string_lossy().into_owned(),
            boot_id: String::new(),
            cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            counters: counter_infos(availability),
            cues: Vec::new(),
        }))
    }

    /// Appends one frame.
    pub fn push(&mut self, frame: &Frame) -> io::Result<()> {
        let counters = frame.counters.to_vec();
        self.record(&ServerMessage::Sample(Sample { seq: self.seq, t_ns: frame.t_ns, counters }))?;
        self.seq += 1;
        Ok(())
    }

    /// Writes out what is buffered.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn record(&mut self, message: &ServerMessage) -> io::Result<()> {
        let body = codec().serialize(message).map_err(io::Error::other)?;
        self.file.write_all(&(body.len() as u32).to_le_bytes())?;
        self.file.write_all(&body)
    }
}

/// Reads a capture, piece by piece. After the first error there is nothing more.
pub struct CaptureReader {
    file: BufReader<File>,
    catalogue: Option<Catalogue>,
    frames: u64,
    first_t_ns: Option<u64>,
    last_t_ns: u64,
    ended: bool,
}

impl CaptureReader {
    /// Opens a capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let mut file = BufReader::new(File::open(path)?);
        let mut heading = Vec::new();
        (&mut file).take(HEADING.len() as u64).read_to_end(&mut heading)?;
        if heading != HEADING {
            return Err(CaptureError::Foreign(String::from_utf8_lossy(&heading).into_owned()));
        }
        let reader = Self { file, catalogue: None, frames: 0, first_t_ns: None, last_t_ns: 0, ended: false };
        Ok(reader)
    }

    fn piece(&mut self) -> Result<Option<Recorded>, CaptureError> {
        loop {
            match (self.record()?, &self.catalogue) {
                (None, Some(_)) => return Ok(None),
                (None, None) => return Err(self.truncated()),
                (Some(ServerMessage::Welcome(welcome)), _) => {
                    self.catalogue = Some(Catalogue::new(&welcome.counters));
                    return Ok(Some(Recorded::Start));
                }
                (Some(ServerMessage::Sample(sample)), Some(catalogue)) => {
                    let frame = catalogue.frame(&sample);
                    self.frames += 1;
                    self.first_t_ns.get_or_insert(sample.t_ns);
                    self.last_t_ns = sample.t_ns;
                    return Ok(Some(Recorded::Frame(frame)));
                }
                (Some(ServerMessage::Sample(_)), None) => {
                    return Err(self.damaged("the catalogue is missing"));
                }
                // Nothing that was counted.
                (Some(_), _) => {}
            }
        }
    }

    fn record(&mut self) -> Result<Option<ServerMessage>, CaptureError> {
        let mut length = Vec::with_capacity(4);
        (&mut self.file).take(4).read_to_end(&mut length)?;
        let Ok(length) = <[u8; 4]>::try_from(length.as_slice()) else {
            return if length.is_empty() { Ok(None) } else { Err(self.truncated()) };
        };
        let length = u32::from_le_bytes(length);
        if length > MAX_RECORD_BYTES {
            return Err(self.damaged(&format!("a record of {length} bytes")));
        }
        let mut body = vec![0; length as usize];
        match self.file.read_exact(&mut body) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(self.truncated()),
            other => other?,
        }
        codec().deserialize(&body).map(Some).map_err(|error| self.damaged(&error.to_string()))
    }

    fn seconds(&self) -> f64 {
        self.first_t_ns.map_or(0.0, |first| self.last_t_ns.saturating_sub(first) as f64 * 1e-9)
    }

    fn truncated(&self) -> CaptureError {
        CaptureError::Truncated { frames: self.frames, seconds: self.seconds() }
    }

    fn damaged(&self, problem: &str) -> CaptureError {
        CaptureError::Damaged { frames: self.frames, seconds: self.seconds(), problem: problem.to_owned() }
    }
}

impl Iterator for CaptureReader {
    type Item = Result<Recorded, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.piece().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn codec() -> impl Options {
    bincode::DefaultOptions::new().with_limit(u64::from(MAX_RECORD_BYTES))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::source::DemoSource;

    fn recorded(frames: usize) -> (tempfile::TempDir, std::path::PathBuf, Vec<Frame>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        let mut writer = CaptureWriter::create(&path, &DemoSource::availability()).unwrap();
        let mut demo = DemoSource::new(1);
        let frames: Vec<Frame> = (0..frames).map(|_| demo.advance(20_000_000)).collect();
        for frame in &frames {
            writer.push(frame).unwrap();
        }
        writer.finish().unwrap();
        (dir, path, frames)
    }

    fn pieces(frames: &[Frame]) -> Vec<Recorded> {
        std::iter::once(Recorded::Start).chain(frames.iter().copied().map(Recorded::Frame)).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let (_dir, path, frames) = recorded(100);
        let read: Result<Vec<Recorded>, _> = CaptureReader::open(&path).unwrap().collect();
        assert_eq!(read.unwrap(), pieces(&frames));
    }

    #[test]
    fn a_cut_file_is_read_up_to_the_cut() {
        let (_dir, path, frames) = recorded(100);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let mut read: Vec<_> = CaptureReader::open(&path).unwrap().collect();
        let error = read.pop().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "cut short after 99 samples (2.0 s)");
        assert_eq!(read.into_iter().map(Result::unwrap).collect::<Vec<_>>(), pieces(&frames[..99]));
    }

    #[test]
    fn something_else_is_named_as_such() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "RIFFxxxxWAVE").unwrap();
        let error = CaptureReader::open(&path).err().unwrap().to_string();
        assert!(error.starts_with("not a khor capture"), "{error}");
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_an_error_and_never_a_panic() {
        let (_dir, path, _) = recorded(20);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            fs::write(&path, &whole[..at]).unwrap();
            if let Ok(reader) = CaptureReader::open(&path) {
                assert!(reader.count() <= 22);
            }
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            fs::write(&path, &flipped).unwrap();
            if let Ok(reader) = CaptureReader::open(&path) {
                assert!(reader.count() <= 22);
            }
        }
    }
}
