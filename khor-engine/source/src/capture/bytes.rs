//! Reads and writes numbers and strings. Numbers are encoded in LEB128, signed numbers after zigzag
//! encoding. A string is stored as its length and its UTF-8 bytes.

use khor_proto::inert;

/// The bytes end too early, or have invalid values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Maximum length of a text, bytes.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// Appends a number as LEB128: seven bits in each byte, the lowest first. The eighth bit is set in
/// all bytes except the last.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a signed number with zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …
pub(super) fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put_number(bytes, ((number << 1) ^ (number >> 63)) as u64);
}

/// Appends a text: its length, then its bytes. Cuts the text to [`MAX_TEXT_BYTES`].
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// Reads values one after the other from a block.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    bytes: Vec<u8>,
    at: usize,
}

impl Cursor {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The bytes that have not been read yet.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = self.peek().ok_or(Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(Malformed);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    pub(super) fn small(&mut self) -> Result<u32, Malformed> {
        self.number()?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Reads a text. Removes unsafe characters, because the capture may come from an attacker.
    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let length = self.number()? as usize;
        let text = self.rest().get(..length).filter(|text| text.len() <= MAX_TEXT_BYTES).ok_or(Malformed)?;
        let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
        let text = inert::line(text).into_owned();
        self.at += length;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            put_signed(&mut bytes, number as i64);
            put_signed(&mut bytes, (number as i64).wrapping_neg());
            let mut cursor = Cursor::new(bytes);
            assert_eq!(cursor.number(), Ok(number));
            assert_eq!(cursor.signed(), Ok(number as i64));
            assert_eq!(cursor.signed(), Ok((number as i64).wrapping_neg()));
            assert_eq!(cursor.byte(), Err(Malformed));
        }
    }

    #[test]
    fn invalid_numbers_and_texts_are_rejected() {
        for bytes in [&[0x80][..], &[0xff; 11], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
            assert_eq!(Cursor::new(bytes.into()).number(), Err(Malformed), "{bytes:?}");
        }
        for bytes in [&[3, b'a'][..], &[1, 0xff], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]]
        {
            assert_eq!(Cursor::new(bytes.into()).text(), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn texts_are_inert() {
        let mut bytes = Vec::new();
        put_text(&mut bytes, "a\u{1b}]52;c;\u{202e}b");
        put_number(&mut bytes, 7);
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.text().unwrap(), "a\u{fffd}]52;c;\u{fffd}b");
        assert_eq!(cursor.number(), Ok(7));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut bytes = Vec::new();
        put_text(&mut bytes, &"ä".repeat(600));
        put_text(&mut bytes, &format!("x{}", "ä".repeat(600)));
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.text().unwrap().len(), 1024);
        assert_eq!(cursor.text().unwrap().len(), 1023);
    }
}
