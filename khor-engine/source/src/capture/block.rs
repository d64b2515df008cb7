//! Reads and writes the blocks of a capture: compressed data with a checksum. Finds the next block
//! after a damaged one.

use std::io::{self, Read};

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};

use super::HEADING;

/// The first bytes of every block. A reader searches for them after damage.
const MARKER: [u8; 4] = *b"\xf5khr";
/// Length of a block's head, bytes. The head consists of the marker, two lengths and a checksum.
const HEAD_BYTES: usize = 12;
/// Length of a capture's heading, bytes, not counting the version.
const NAME_BYTES: usize = HEADING.len() - 1;
/// Maximum length of a block, bytes. It applies to the compressed and to the decompressed block.
pub(super) const MAX_BYTES: usize = u16::MAX as usize;
/// Compression level of deflate, 0..=10. Level 10 would be many times slower.
const EFFORT: u8 = 9;
/// When the buffer contains more consumed bytes than this limit, the consumed bytes are removed.
const KEPT_BYTES: usize = 4 * MAX_BYTES;

/// Compresses `raw` into a block. `raw` must be a little shorter than [`MAX_BYTES`], because
/// deflate adds five bytes to each 32 KiB of incompressible data.
pub(super) fn pack(raw: &[u8]) -> Vec<u8> {
    let packed = compress_to_vec(raw, EFFORT);
    let lengths = [packed.len(), raw.len()].map(|length| (length as u16).to_le_bytes()).concat();
    let sum = checksum(&lengths, &packed).to_le_bytes();
    [&MARKER, lengths.as_slice(), &sum, &packed].concat()
}

fn checksum(lengths: &[u8], packed: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(lengths);
    sum.update(packed);
    sum.finalize()
}

/// Why the next item cannot be read.
#[derive(Debug)]
pub(super) enum Problem {
    Io(io::Error),
    /// The file ends within a block.
    Cut,
    /// A block is damaged. The next call reads the item after the damage.
    Damaged(&'static str),
    /// Another capture follows, but this khor does not know the version of its format. Contains
    /// this version.
    Version(u8),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An item that was read from a file.
pub(super) enum Found {
    /// A decompressed block.
    Block(Vec<u8>),
    /// The heading of another capture, which was appended to the previous one.
    Heading,
    /// The end of the file.
    Nothing,
}

/// The item at the current position.
enum Here {
    Block {
        packed_bytes: usize,
        raw_bytes: usize,
    },
    /// The heading of a capture, with the version of its format.
    Heading(u8),
    /// The end of the file.
    Nothing,
    /// The file ends before the end of this block: within its head, or within its data.
    Short,
    /// The item is not a valid block. The text is the reason.
    Bad(&'static str),
}

/// Reads the blocks of a file one by one, in bounded memory.
pub(super) struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), at: 0 }
    }

    /// Reads the next item. After [`Problem::Damaged`], reads the item after the damage.
    pub(super) fn next(&mut self) -> Result<Found, Problem> {
        match self.here()? {
            Here::Nothing => Ok(Found::Nothing),
            Here::Heading(version) => {
                self.at += HEADING.len();
                if version == HEADING[NAME_BYTES] {
                    Ok(Found::Heading)
                } else {
                    Err(Problem::Version(version))
                }
            }
            Here::Block { packed_bytes, raw_bytes } => {
                let start = self.at + HEAD_BYTES;
                self.at = start + packed_bytes;
                let packed = &self.buffer[start..self.at];
                let raw = decompress_to_vec_with_limit(packed, raw_bytes).unwrap_or_default();
                let whole = raw.len() == raw_bytes;
                if whole {
                    Ok(Found::Block(raw))
                } else {
                    Err(Problem::Damaged("a block cannot be decompressed"))
                }
            }
            // A wrong length looks like the end of a truncated file. But if another block follows,
            // the length is damaged.
            Here::Short if self.seek()? => Err(Problem::Damaged("the length of a block is wrong")),
            Here::Short => Err(Problem::Cut),
            Here::Bad(what) => {
                self.seek()?;
                Err(Problem::Damaged(what))
            }
        }
    }

    /// Moves to the next complete block or heading. Returns whether there is one.
    fn seek(&mut self) -> io::Result<bool> {
        loop {
            self.at += 1;
            match self.here()? {
                Here::Block { .. } | Here::Heading(_) => return Ok(true),
                Here::Nothing => return Ok(false),
                Here::Short | Here::Bad(_) => {}
            }
        }
    }

    fn here(&mut self) -> io::Result<Here> {
        let head = self.filled(HEAD_BYTES)?;
        if head.is_empty() {
            return Ok(Here::Nothing);
        }
        // An appended capture may be as short as its heading, which is shorter than a block's head.
        if let Some([version, ..]) = head.strip_prefix(&HEADING[..NAME_BYTES]) {
            return Ok(Here::Heading(*version));
        }
        let Ok(head) = <[u8; HEAD_BYTES]>::try_from(head) else { return Ok(Here::Short) };
        let [m0, m1, m2, m3, p0, p1, r0, r1, sum @ ..] = head;
        if [m0, m1, m2, m3] != MARKER {
            return Ok(Here::Bad("a block does not begin with its marker"));
        }
        let lengths = [p0, p1, r0, r1];
        let packed_bytes = usize::from(u16::from_le_bytes([p0, p1]));
        let raw_bytes = usize::from(u16::from_le_bytes([r0, r1]));
        let whole = self.filled(HEAD_BYTES + packed_bytes)?;
        let Some(packed) = whole.get(HEAD_BYTES..HEAD_BYTES + packed_bytes) else { return Ok(Here::Short) };
        if checksum(&lengths, packed) != u32::from_le_bytes(sum) {
            return Ok(Here::Bad("the checksum of a block is wrong"));
        }
        Ok(Here::Block { packed_bytes, raw_bytes })
    }

    /// Returns the next `wanted` bytes, or fewer at the end of the file.
    fn filled(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.at > KEPT_BYTES {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let missing = (self.at + wanted).saturating_sub(self.buffer.len());
        (&mut self.input).take(missing as u64).read_to_end(&mut self.buffer)?;
        let start = self.at.min(self.buffer.len());
        let end = (start + wanted).min(self.buffer.len());
        Ok(&self.buffer[start..end])
    }
}
