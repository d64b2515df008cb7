//! Writes a capture block by block. If the program is killed, only about the last second of the
//! capture is lost.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use khor_proto::Cue;
use khor_signal::{Catalogue, Frame};
use khor_system::files::Replacement;

use super::{
    HEADING, Origin,
    block::{MAX_BYTES, pack},
    bytes::put_number,
    entry::{Context, put_end, put_lost, put_origin},
    lanes::put_definitions,
};

/// Length of one block, nanoseconds.
const BLOCK_NS: u64 = 1_000_000_000;
/// A block is written when it has this many bytes. The bytes that remain until the maximum length
/// of a block are enough for the longest entry: a source with a reason for each missing counter.
const FULL_BYTES: usize = MAX_BYTES / 2;

/// Writes a capture to a file.
pub struct CaptureWriter {
    file: File,
    /// `None` after [`Self::finish`].
    replacement: Option<Replacement>,
    path: PathBuf,
    redact: bool,
    /// Number of the current source, from 1.
    source: u64,
    /// The catalogue of the current source. Each block begins with the definitions of its added
    /// lanes.
    catalogue: Catalogue,
    block: Vec<u8>,
    /// Time of the first frame in the block.
    begun_ns: Option<u64>,
    context: Context,
    bytes: u64,
}

impl CaptureWriter {
    /// Starts a capture that [`Self::finish`] moves to `path`, where it replaces an existing file.
    /// Until then, the capture is a temporary file at [`Self::path`]. With `redact`, the capture
    /// contains neither the processes and cgroups of cues nor the machine's boot id.
    pub fn create(path: &Path, origin: &Origin, redact: bool) -> io::Result<Self> {
        let mut replacement = Replacement::begin_recording(path)?;
        let (mut file, path) = (replacement.file()?, replacement.path().to_owned());
        file.write_all(&HEADING)?;
        replacement.keep_unfinished();
        let mut writer = Self {
            file,
            replacement: Some(replacement),
            path,
            redact,
            source: 0,
            catalogue: Catalogue::kernel(),
            block: Vec::new(),
            begun_ns: None,
            context: Context::default(),
            bytes: HEADING.len() as u64,
        };
        writer.source_changed(origin)?;
        Ok(writer)
    }

    /// Starts another source. Its counters do not continue from those of the previous source, and
    /// other counters may be available.
    pub fn source_changed(&mut self, origin: &Origin) -> io::Result<()> {
        self.flush()?;
        self.source += 1;
        self.catalogue = Catalogue::kernel();
        let mut origin = origin.clone();
        if let Some(machine) = origin.machine.as_mut().filter(|_| self.redact) {
            machine.boot_id.clear();
        }
        put_origin(self.open(), &origin);
        Ok(())
    }

    /// Sets the catalogue of the frames that follow. It must extend the source's previous
    /// catalogue.
    pub fn lanes(&mut self, catalogue: &Catalogue) -> io::Result<()> {
        if *catalogue != self.catalogue {
            self.flush()?;
            self.catalogue = catalogue.clone();
            self.open();
        }
        Ok(())
    }

    /// Appends one frame. Readers drop values of lanes that are not in the catalogue.
    pub fn push(&mut self, frame: &Frame) -> io::Result<()> {
        if self.begun_ns.is_some_and(|begun_ns| frame.t_ns.wrapping_sub(begun_ns) >= BLOCK_NS) {
            self.flush()?;
        }
        self.begun_ns.get_or_insert(frame.t_ns);
        self.open();
        self.context.put_frame(&mut self.block, frame);
        self.flush_if_full()
    }

    /// Appends a cue.
    pub fn cue(&mut self, cue: &Cue) -> io::Result<()> {
        let mut cue = cue.clone();
        if self.redact {
            (cue.pid, cue.comm, cue.cgroup_id) = (None, None, None);
        }
        self.open();
        self.context.put_cue(&mut self.block, &cue);
        self.flush_if_full()
    }

    /// Records the number of cues that were lost.
    pub fn lost(&mut self, cues: u64) -> io::Result<()> {
        put_lost(self.open(), cues);
        self.flush_if_full()
    }

    /// Writes the current block to the file, even if it is not full.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = pack(&self.block);
        self.file.write_all(&packed)?;
        self.bytes += packed.len() as u64;
        self.block.clear();
        self.begun_ns = None;
        self.context = Context::default();
        Ok(())
    }

    /// Number of bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The path of the temporary file. The file remains if the capture is never finished.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the capture and moves it to its final path. Returns its length in bytes. Do not write
    /// anything after this call.
    pub fn finish(&mut self) -> io::Result<u64> {
        put_end(self.open());
        self.flush()?;
        if let Some(replacement) = self.replacement.take() {
            replacement.finish()?;
        }
        Ok(self.bytes)
    }

    /// Returns the current block. If the block is empty, first appends its beginning: the number of
    /// the source, and the definitions of the added lanes.
    fn open(&mut self) -> &mut Vec<u8> {
        if self.block.is_empty() {
            put_number(&mut self.block, self.source);
            put_definitions(&mut self.block, &self.catalogue);
        }
        &mut self.block
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.block.len() >= FULL_BYTES { self.flush() } else { Ok(()) }
    }
}
