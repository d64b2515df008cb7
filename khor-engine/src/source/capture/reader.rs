//! Reads a capture piece by piece, and goes on after what is damaged.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use super::{
    CaptureError, HEADING, Origin, Recorded,
    block::{Blocks, Problem},
    bytes::Cursor,
    entry::{Context, Entry, is_source},
};
use crate::files;

/// Reads a capture. A damaged block is an error once, and what follows it can still be read; any other error is the
/// last thing it says.
pub struct CaptureReader<R = BufReader<File>> {
    blocks: Blocks<R>,
    block: Cursor,
    context: Context,
    /// Number of the source.
    source: Option<u64>,
    frames: u64,
    first_t_ns: Option<u64>,
    last_t_ns: u64,
    /// Nothing was read since an error.
    faltering: bool,
    ended: bool,
}

impl CaptureReader {
    /// Opens a capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::new(BufReader::new(files::open(path)?))
    }
}

impl<R: Read> CaptureReader<R> {
    /// Reads a capture from anywhere, a few bytes at a time.
    pub fn new(mut input: R) -> Result<Self, CaptureError> {
        let mut heading = Vec::new();
        (&mut input).take(HEADING.len() as u64).read_to_end(&mut heading)?;
        match heading.split_last() {
            _ if heading == HEADING => {}
            Some((version, name)) if *name == HEADING[..7] => return Err(CaptureError::Version(*version)),
            _ => return Err(CaptureError::Foreign(String::from_utf8_lossy(&heading).into_owned())),
        }
        Ok(Self {
            blocks: Blocks::new(input),
            block: Cursor::default(),
            context: Context::default(),
            source: None,
            frames: 0,
            first_t_ns: None,
            last_t_ns: 0,
            faltering: false,
            ended: false,
        })
    }

    fn piece(&mut self) -> Result<Option<Recorded>, CaptureError> {
        loop {
            match self.context.entry(&mut self.block) {
                Ok(Some(entry)) => match entry {
                    Entry::Source(origin) => return Ok(Some(Recorded::Start(origin))),
                    Entry::Frame(frame) => {
                        self.frames += 1;
                        self.first_t_ns.get_or_insert(frame.t_ns);
                        self.last_t_ns = frame.t_ns;
                        return Ok(Some(Recorded::Frame(frame)));
                    }
                    Entry::Cue(cue) => return Ok(Some(Recorded::Cue(cue))),
                    Entry::Lost(cues) => return Ok(Some(Recorded::Lost { cues })),
                    Entry::End => return Ok(None),
                    Entry::Unknown => {}
                },
                Ok(None) => match self.next_block()? {
                    Next::Entries => {}
                    Next::OtherSource => return Ok(Some(Recorded::Start(Origin::unknown()))),
                    Next::Over => return Ok(None),
                },
                Err(_) => {
                    self.block = Cursor::default();
                    return Err(self.damaged("a block makes no sense"));
                }
            }
        }
    }

    fn next_block(&mut self) -> Result<Next, CaptureError> {
        let raw = match self.blocks.next() {
            Ok(Some(raw)) => raw,
            // What is missing then has been told of.
            Ok(None) if self.faltering => return Ok(Next::Over),
            Ok(None) | Err(Problem::Cut) => return Err(self.truncated()),
            Err(Problem::Damaged(problem)) => return Err(self.damaged(problem)),
            Err(Problem::Io(error)) => {
                self.ended = true;
                return Err(error.into());
            }
        };
        self.context = Context::default();
        self.block = Cursor::new(raw);
        let Ok(source) = self.block.number() else {
            return Err(self.damaged("a block is empty"));
        };
        self.faltering = false;
        let changed = self.source.replace(source) != Some(source);
        let told = is_source(self.block.peek());
        Ok(if changed && !told { Next::OtherSource } else { Next::Entries })
    }

    fn seconds(&self) -> f64 {
        self.first_t_ns.map_or(0.0, |first| self.last_t_ns.saturating_sub(first) as f64 * 1e-9)
    }

    fn truncated(&mut self) -> CaptureError {
        self.ended = true;
        CaptureError::Truncated { frames: self.frames, seconds: self.seconds() }
    }

    fn damaged(&mut self, problem: &'static str) -> CaptureError {
        self.faltering = true;
        CaptureError::Damaged { frames: self.frames, seconds: self.seconds(), problem }
    }
}

/// What the next block is.
enum Next {
    /// It goes on, or begins with the description of its source.
    Entries,
    /// It is of another source, whose description was in a damaged block.
    OtherSource,
    /// There is none.
    Over,
}

impl<R: Read> Iterator for CaptureReader<R> {
    type Item = Result<Recorded, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.piece().transpose();
        self.ended |= next.is_none();
        next
    }
}
