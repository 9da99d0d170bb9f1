//! The encoding of a text file, told by its byte order mark.
//!
//! Without a mark it is UTF-8, which whoever reads the text checks. Spreadsheets and databases on
//! Windows write UTF-16, and mark it.

use bytes::Bytes;
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF_16LE_MARK: &[u8] = &[0xff, 0xfe];
const UTF_16BE_MARK: &[u8] = &[0xfe, 0xff];

/// Turns the bytes of a file into UTF-8.
pub(crate) enum Characters {
    /// UTF-8, or what is to be found out not to be; `at_mark` until its mark has been passed over.
    Utf8 { at_mark: bool },
    /// UTF-16, whose mark the decoder passes over.
    Utf16(Decoder),
    /// UTF-16 as it seems, without a mark that says in which order.
    Unmarked,
}

impl std::fmt::Debug for Characters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 { .. } => "Utf8",
            Self::Utf16(_) => "Utf16",
            Self::Unmarked => "Unmarked",
        })
    }
}

impl Characters {
    /// Looks at the first bytes of a file.
    pub(crate) fn of(head: &[u8]) -> Self {
        if head.starts_with(UTF_16LE_MARK) {
            Self::Utf16(UTF_16LE.new_decoder_with_bom_removal())
        } else if head.starts_with(UTF_16BE_MARK) {
            Self::Utf16(UTF_16BE.new_decoder_with_bom_removal())
        } else if matches!(head, [0, 1..=u8::MAX, ..] | [1..=u8::MAX, 0, ..]) {
            Self::Unmarked
        } else {
            Self::Utf8 { at_mark: head.starts_with(UTF_8_MARK) }
        }
    }

    /// Turns a block into text, and those behind it as long as there is none yet; an empty block is
    /// the end of the file, and so is an empty text. Nothing if the bytes are no characters.
    pub(crate) fn take<E>(
        &mut self,
        mut block: Bytes,
        mut next: impl FnMut() -> Result<Bytes, E>,
    ) -> Result<Option<Bytes>, E> {
        loop {
            let is_end = block.is_empty();
            let text = match self {
                Self::Utf8 { at_mark } => match std::mem::take(at_mark) {
                    true => block.slice(UTF_8_MARK.len()..),
                    false => block,
                },
                Self::Utf16(decoder) => {
                    let Some(text) = decode(decoder, &block, is_end) else { return Ok(None) };
                    text.into()
                }
                Self::Unmarked => return Ok(None),
            };
            if is_end {
                // A decoder is of no use behind its end, which may be asked for again.
                *self = Self::Utf8 { at_mark: false };
            }
            if is_end || !text.is_empty() {
                return Ok(Some(text));
            }
            block = next()?;
        }
    }
}

fn decode(decoder: &mut Decoder, bytes: &[u8], is_end: bool) -> Option<String> {
    let mut text =
        String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, is_end);
    (result == DecoderResult::InputEmpty && read == bytes.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads bytes that come in pieces of a size.
    fn read(bytes: &[u8], size: usize) -> Option<String> {
        let mut blocks = bytes.chunks(size).map(Bytes::copy_from_slice);
        let mut next = || Ok::<_, ()>(blocks.next().unwrap_or_default());
        let mut text = Vec::new();
        let mut characters = None;
        loop {
            let block = next().expect("there is no error");
            let characters = characters.get_or_insert_with(|| Characters::of(&block));
            match characters.take(block, &mut next).expect("there is no error")? {
                block if block.is_empty() => return String::from_utf8(text).ok(),
                block => text.extend_from_slice(&block),
            }
        }
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(to_bytes).collect()
    }

    #[test]
    fn marked_files_are_read_in_pieces_of_any_size() {
        let text = "é,1\n\u{1f600},\u{feff}2\n";
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ] {
            for size in [4, 5, 7, 100] {
                assert_eq!(read(&bytes, size).as_deref(), Some(text), "{bytes:?} by {size}");
            }
        }
        assert_eq!(read(b"", 4).as_deref(), Some(""));
        assert_eq!(read(&utf16("", u16::to_le_bytes), 4).as_deref(), Some(""));
    }

    #[test]
    fn the_end_may_be_asked_for_again() {
        let mut characters = Characters::of(&utf16("", u16::to_le_bytes));
        for _ in 0..3 {
            let text = characters.take(Bytes::new(), || Ok::<_, ()>(Bytes::new()));
            assert_eq!(text, Ok(Some(Bytes::new())));
        }
    }

    #[test]
    fn what_is_marked_and_no_utf_16_is_told() {
        let half = [0xff, 0xfe, b'a', 0, b'b'];
        let lone = [0xff, 0xfe, 0x00, 0xd8, b'a', 0];
        for bytes in [&half[..], &lone[..], b"a\0b\0", b"\0a\0b"] {
            assert_eq!(read(bytes, 100), None, "{bytes:?}");
        }
    }
}
