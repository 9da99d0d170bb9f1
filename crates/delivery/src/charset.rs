//! Characters become bytes: UTF-8 text in the encoding of the file.
//!
//! A character that the encoding lacks is an error that names it; on request it becomes a question
//! mark and is counted. The two UTF-16 forms begin with a byte order mark, UTF-8 does on request; a file without text has none.
//!
//! ISO-8859-1 is the true one, the first 256 code points. On the web that name stands for
//! windows-1252, which is an encoding of its own here.

use encoding_rs::{EncoderResult, WINDOWS_1252};
use plan::file_format::{Encoding, UnencodablePolicy};

use crate::encode::Error;

/// Turns the text of one file into bytes.
#[derive(Debug)]
pub struct Transcoder {
    encoding: Encoding,
    unencodable: UnencodablePolicy,
    /// Bytes of UTF-8 taken so far.
    offset: u64,
    /// Characters that became [`REPLACEMENT`].
    replaced: u64,
}

/// What stands for a character that the encoding lacks, in every encoding that lacks any.
const REPLACEMENT: u8 = b'?';

impl Transcoder {
    /// Returns a transcoder for one file.
    pub fn new(encoding: Encoding, unencodable: UnencodablePolicy) -> Self {
        Self { encoding, unencodable, offset: 0, replaced: 0 }
    }

    /// Whether the bytes of the file are those of its text. The encoder vouches for its text.
    pub fn changes_nothing(&self) -> bool {
        self.encoding == Encoding::Utf8
    }

    /// How many characters became question marks so far.
    pub fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Appends the bytes of `text`, which is UTF-8 and ends at the end of a character.
    ///
    /// # Errors
    /// [`Error::Unencodable`] with the first character that the encoding lacks, unless such are
    /// replaced, and [`Error::InvalidText`] if `text` is no UTF-8.
    pub fn write(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        if self.offset == 0 {
            out.extend_from_slice(byte_order_mark(self.encoding));
        }
        match self.encoding {
            // The encoder vouches for its text; there is no need to look at it.
            Encoding::Utf8 | Encoding::Utf8Bom => out.extend_from_slice(text),
            Encoding::Utf16Le => append_utf16(self.characters(text)?, u16::to_le_bytes, out),
            Encoding::Utf16Be => append_utf16(self.characters(text)?, u16::to_be_bytes, out),
            Encoding::Iso8859_1 => self.append_narrow(text, "ISO-8859-1", append_latin1, out)?,
            Encoding::Windows1252 => {
                self.append_narrow(text, "windows-1252", append_windows_1252, out)?;
            }
        }
        self.offset += text.len() as u64;
        Ok(())
    }

    /// Appends text in an encoding that lacks characters.
    fn append_narrow(
        &mut self,
        text: &[u8],
        encoding: &'static str,
        append: fn(&str, &mut Vec<u8>) -> Result<(), Missing>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut rest = self.characters(text)?;
        while let Err(Missing { character, at }) = append(rest, out) {
            if self.unencodable == UnencodablePolicy::Reject {
                let offset = self.offset + (text.len() - rest.len() + at) as u64;
                return Err(Error::Unencodable { character, encoding, offset });
            }
            out.push(REPLACEMENT);
            self.replaced += 1;
            rest = &rest[at + character.len_utf8()..];
        }
        Ok(())
    }

    fn characters<'t>(&self, text: &'t [u8]) -> Result<&'t str, Error> {
        str::from_utf8(text).map_err(|error| Error::InvalidText {
            offset: self.offset + error.valid_up_to() as u64,
        })
    }
}

/// A character that an encoding lacks, and its byte in the text at hand. What stands before it has
/// been written.
struct Missing {
    character: char,
    at: usize,
}

fn byte_order_mark(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::Utf8Bom => b"\xef\xbb\xbf",
        Encoding::Utf16Le => b"\xff\xfe",
        Encoding::Utf16Be => b"\xfe\xff",
        Encoding::Utf8 | Encoding::Iso8859_1 | Encoding::Windows1252 => b"",
    }
}

fn append_utf16(text: &str, to_bytes: fn(u16) -> [u8; 2], out: &mut Vec<u8>) {
    out.reserve(2 * text.len());
    out.extend(text.encode_utf16().flat_map(to_bytes));
}

fn append_latin1(text: &str, out: &mut Vec<u8>) -> Result<(), Missing> {
    out.reserve(text.len());
    for (at, character) in text.char_indices() {
        let byte = u8::try_from(character).map_err(|_| Missing { character, at })?;
        out.push(byte);
    }
    Ok(())
}

fn append_windows_1252(text: &str, out: &mut Vec<u8>) -> Result<(), Missing> {
    let mut encoder = WINDOWS_1252.new_encoder();
    // One byte per character at most, so the text's own length is room enough.
    let start = out.len();
    out.resize(start + text.len(), 0);
    let (result, read, written) =
        encoder.encode_from_utf8_without_replacement(text, &mut out[start..], true);
    out.truncate(start + written);
    match result {
        EncoderResult::InputEmpty => Ok(()),
        EncoderResult::Unmappable(character) => {
            Err(Missing { character, at: read - character.len_utf8() })
        }
        EncoderResult::OutputFull => unreachable!("a character takes one byte at most"),
    }
}

#[cfg(test)]
mod tests;
