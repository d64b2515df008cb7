//! Reads the events of a capture one by one, and continues after a damaged part.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use khor_proto::Cue;
use khor_signal::{Catalogue, Frame};
use khor_system::files;

use super::{
    CaptureError, HEADING, Origin, Recorded,
    block::{Blocks, Found, Problem},
    bytes::{Cursor, Malformed},
    entry::{Context, Entry, is_source},
    lanes,
};
use crate::edge;

/// Reads a capture, and further captures that were appended to it, for example with `cat`. Each
/// capture begins with [`Recorded::Start`]. The times of an appended capture are shifted, so that
/// there is no gap to the previous capture.
///
/// A damaged block or a truncated capture is reported as one error, and reading continues after it.
/// Any other error ends the reading.
pub struct CaptureReader<R = BufReader<File>> {
    blocks: Blocks<R>,
    block: Cursor,
    context: Context,
    /// Number of the current source within the capture.
    source: Option<u64>,
    frames: u64,
    first_t_ns: Option<u64>,
    last_t_ns: u64,
    /// A number that is added to the times of the current capture, modulo 2⁶⁴. `None` until the
    /// capture's first time is known.
    shift_ns: Option<u64>,
    /// Time between two frames of the last source, nanoseconds.
    step_ns: u64,
    /// Whether the last source was recorded before khor had edge counters. `None` if the source's
    /// description is damaged.
    lacks_edge: Option<bool>,
    /// The lanes of the current source.
    catalogue: Catalogue,
    /// Whether the catalogue has lanes that the reader has not returned yet.
    has_new_lanes: bool,
    /// Whether the reader has read the end of the current capture.
    whole: bool,
    /// Whether the last block was damaged. If it was, the reader has already reported the damage,
    /// and does not report a missing end as another error.
    after_damage: bool,
    ended: bool,
}

impl CaptureReader {
    /// Opens a capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::new(BufReader::new(files::open(path)?))
    }
}

impl<R: Read> CaptureReader<R> {
    /// Reads a capture from any input.
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
            shift_ns: Some(0),
            step_ns: 0,
            lacks_edge: None,
            catalogue: Catalogue::kernel(),
            has_new_lanes: false,
            whole: false,
            after_damage: false,
            ended: false,
        })
    }

    fn piece(&mut self) -> Result<Option<Recorded>, CaptureError> {
        loop {
            let recorded = match self.context.entry(&mut self.block) {
                Ok(Some(entry)) => self.recorded(entry),
                Ok(None) => match self.next_block()? {
                    Next::Entries | Next::Appended => continue,
                    Next::OtherSource => return Ok(Some(self.start(Origin::unknown()))),
                    Next::Over => return Ok(None),
                },
                Err(malformed) => Err(malformed),
            };
            match recorded {
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) => {}
                Err(Malformed) => {
                    self.block = Cursor::default();
                    return Err(self.damaged("a block has invalid content"));
                }
            }
        }
    }

    /// Returns the event for an entry. Returns `None` if the entry has no event of its own.
    fn recorded(&mut self, entry: Entry) -> Result<Option<Recorded>, Malformed> {
        Ok(match entry {
            Entry::Source { origin, lacks_edge } => {
                self.lacks_edge = Some(lacks_edge);
                self.step_ns = u64::from(origin.interval_ms) * 1_000_000;
                Some(self.start(origin))
            }
            Entry::Frame(frame) => Some(Recorded::Frame(self.frame(frame))),
            Entry::Cue(cue) => Some(Recorded::Cue(Cue { t_ns: self.shifted(cue.t_ns), ..cue })),
            Entry::Lost(cues) => Some(Recorded::Lost { cues }),
            Entry::Lane { number, definition } => {
                self.has_new_lanes |= lanes::define(&mut self.catalogue, number, definition)?;
                let is_last = !lanes::is_definition(&self.block);
                let is_due = is_last && std::mem::take(&mut self.has_new_lanes);
                is_due.then(|| Recorded::Lanes(self.catalogue.clone()))
            }
            Entry::End => {
                self.whole = true;
                self.block = Cursor::default();
                None
            }
            Entry::Nothing => None,
        })
    }

    /// Begins a new source: discards the lanes of the previous source, and returns
    /// [`Recorded::Start`].
    fn start(&mut self, origin: Origin) -> Recorded {
        (self.catalogue, self.has_new_lanes) = (Catalogue::kernel(), false);
        Recorded::Start(origin)
    }

    fn frame(&mut self, mut frame: Frame) -> Frame {
        frame.t_ns = self.shifted(frame.t_ns);
        if self.lacks_edge.unwrap_or_else(|| edge::is_missing(&frame)) {
            edge::fill(&mut frame);
        }
        if frame.added.len() > self.catalogue.added().len() {
            // Drop values of lanes without a definition.
            frame.added.resize(self.catalogue.added().len());
        }
        self.frames += 1;
        self.first_t_ns.get_or_insert(frame.t_ns);
        self.last_t_ns = frame.t_ns;
        frame
    }

    fn next_block(&mut self) -> Result<Next, CaptureError> {
        let raw = match self.blocks.next() {
            Ok(Found::Block(raw)) => raw,
            Ok(Found::Heading) => return self.appended(),
            // After damage, a missing end is not reported as another error.
            Ok(Found::Nothing) if self.whole || self.after_damage => return Ok(Next::Over),
            Err(Problem::Cut | Problem::Damaged(_)) if self.whole => {
                return Err(self.damaged("the data after the end of the capture is not a capture"));
            }
            Ok(Found::Nothing) | Err(Problem::Cut) => {
                self.ended = true;
                return Err(self.truncated());
            }
            Err(Problem::Damaged(problem)) => return Err(self.damaged(problem)),
            Err(Problem::Version(version)) => {
                self.ended = true;
                return Err(CaptureError::Version(version));
            }
            Err(Problem::Io(error)) => {
                self.ended = true;
                return Err(error.into());
            }
        };
        self.whole = false;
        self.context = Context::default();
        self.block = Cursor::new(raw);
        let Ok(source) = self.block.number() else {
            return Err(self.damaged("a block is empty"));
        };
        self.after_damage = false;
        let changed = self.source.replace(source) != Some(source);
        let has_description = is_source(self.block.peek());
        Ok(if changed && !has_description { Next::OtherSource } else { Next::Entries })
    }

    /// Starts the next capture. Returns an error if the end of the previous capture is missing,
    /// unless damage was already reported.
    fn appended(&mut self) -> Result<Next, CaptureError> {
        let is_cut = !self.whole && !self.after_damage;
        (self.whole, self.after_damage, self.source, self.shift_ns) = (false, false, None, None);
        self.lacks_edge = None;
        if is_cut { Err(self.truncated()) } else { Ok(Next::Appended) }
    }

    /// Converts a time in the current capture to the time that the caller receives. The two differ
    /// in an appended capture, so that it follows the previous one without a gap.
    fn shifted(&mut self, t_ns: u64) -> u64 {
        let next_ns = self.last_t_ns.wrapping_add(self.step_ns);
        t_ns.wrapping_add(*self.shift_ns.get_or_insert(next_ns.wrapping_sub(t_ns)))
    }

    fn seconds(&self) -> f64 {
        self.first_t_ns.map_or(0.0, |first| self.last_t_ns.saturating_sub(first) as f64 * 1e-9)
    }

    fn truncated(&self) -> CaptureError {
        CaptureError::Truncated { frames: self.frames, seconds: self.seconds() }
    }

    fn damaged(&mut self, problem: &'static str) -> CaptureError {
        self.after_damage = true;
        CaptureError::Damaged { frames: self.frames, seconds: self.seconds(), problem }
    }
}

/// The kind of the next block.
enum Next {
    /// The current source continues, or the block itself begins with the description of another
    /// source.
    Entries,
    /// The block belongs to another source, but the description of that source was in a damaged
    /// block.
    OtherSource,
    /// Another capture follows.
    Appended,
    /// The file has no further block.
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
