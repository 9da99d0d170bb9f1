//! Every encoding by hand, and back.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;

use super::*;

fn bytes(encoding: Encoding, pieces: &[&str]) -> Result<Vec<u8>, Error> {
    let mut transcoder = Transcoder::new(encoding, UnencodablePolicy::Reject);
    let mut out = Vec::new();
    for piece in pieces {
        transcoder.write(piece.as_bytes(), &mut out)?;
    }
    Ok(out)
}

#[test]
fn encodings_by_hand() {
    let check = |encoding, pieces: &[&str], expected: &[u8]| {
        assert_eq!(bytes(encoding, pieces).unwrap(), expected, "{encoding:?}");
    };
    check(Encoding::Utf8, &["é", "€"], "é€".as_bytes());
    check(Encoding::Utf8Bom, &["é", "€"], "\u{feff}é€".as_bytes());
    check(Encoding::Utf16Le, &["é", "😀"], b"\xff\xfe\xe9\0\x3d\xd8\0\xde");
    check(Encoding::Utf16Be, &["é", "😀"], b"\xfe\xff\0\xe9\xd8\x3d\xde\0");
    check(Encoding::Iso8859_1, &["é\u{80}", "ÿ"], b"\xe9\x80\xff");
    check(Encoding::Windows1252, &["é€", "ÿ"], b"\xe9\x80\xff");
}

#[test]
fn a_file_without_text_has_no_byte_order_mark() {
    for encoding in [Encoding::Utf8Bom, Encoding::Utf16Le, Encoding::Utf16Be] {
        assert_eq!(bytes(encoding, &["", ""]).unwrap(), b"");
        assert!(!bytes(encoding, &["", "a"]).unwrap().is_empty());
    }
}

#[test]
fn characters_that_are_missing() {
    let error = bytes(Encoding::Iso8859_1, &["abc", "é€"]).unwrap_err();
    assert_eq!(error.to_string(), "the character U+20AC at byte 5 cannot be written in ISO-8859-1");
    assert_eq!(error.code(), "unencodable");
    assert!(error.hint().is_some());
    let error = bytes(Encoding::Windows1252, &["€", "a😀b"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the character U+1F600 at byte 4 cannot be written in windows-1252"
    );
}

#[test]
fn characters_that_are_missing_become_question_marks_on_request() {
    for (encoding, pieces, expected, replaced) in [
        (Encoding::Iso8859_1, ["a€€é", "😀"], &b"a??\xe9?"[..], 3),
        (Encoding::Windows1252, ["a€Łé", "😀z"], &b"a\x80?\xe9?z"[..], 2),
        (Encoding::Windows1252, ["", "\u{301}"], &b"?"[..], 1),
        (Encoding::Utf16Le, ["€", ""], &b"\xff\xfe\xac\x20"[..], 0),
    ] {
        let mut transcoder = Transcoder::new(encoding, UnencodablePolicy::Replace);
        let mut out = Vec::new();
        for piece in pieces {
            transcoder.write(piece.as_bytes(), &mut out).unwrap();
        }
        assert_eq!(out, expected, "{encoding:?} {pieces:?}");
        assert_eq!(transcoder.replaced(), replaced, "{encoding:?} {pieces:?}");
    }
}

#[test]
fn text_that_is_cut_within_a_character() {
    let mut out = Vec::new();
    let error = Transcoder::new(Encoding::Utf16Le, UnencodablePolicy::Reject)
        .write(b"ab\xc3", &mut out)
        .unwrap_err();
    assert_eq!(error.to_string(), "the text at byte 2 is no valid UTF-8");
}

proptest! {
    #[test]
    fn unicode_reads_back(pieces in prop::collection::vec(any::<String>(), 0..5)) {
        let text = pieces.concat();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let little = bytes(Encoding::Utf16Le, &pieces).unwrap();
        prop_assert_eq!(UTF_16LE.decode_with_bom_removal(&little).0, text.as_str());
        let big = bytes(Encoding::Utf16Be, &pieces).unwrap();
        prop_assert_eq!(UTF_16BE.decode_with_bom_removal(&big).0, text.as_str());
        prop_assert_eq!(bytes(Encoding::Utf8, &pieces).unwrap(), text.into_bytes());
    }

    #[test]
    fn latin_reads_back(text in "[\u{0}-\u{ff}]{0,40}") {
        let read: String =
            bytes(Encoding::Iso8859_1, &[&text]).unwrap().into_iter().map(char::from).collect();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn windows_reads_back(text in "[ -~\u{a0}-\u{ff}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{0,40}") {
        let written = bytes(Encoding::Windows1252, &[&text]).unwrap();
        prop_assert_eq!(WINDOWS_1252.decode_without_bom_handling(&written).0, text);
    }
}
