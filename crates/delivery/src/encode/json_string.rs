//! Text as a JSON string (RFC 8259, section 7).
//!
//! Beside what JSON asks for, the three characters beyond ASCII that some readers take for the end
//! of a line (NEL, U+2028, U+2029) are escaped, so that no such reader cuts a row in two.

use plan::file_format::NulPolicy;

use super::error::Problem;

/// Appends a JSON string. `text` is valid UTF-8.
///
/// # Errors
/// [`Problem::Nul`] for a NUL character when the settings refuse it.
pub(super) fn append(text: &[u8], nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Problem> {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| DOUBTFUL[usize::from(byte)]) {
        out.extend_from_slice(&rest[..at]);
        rest = append_doubtful(&rest[at..], nul, out)?;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
    Ok(())
}

/// Whether a byte asks for a closer look: C2 and E2 begin, among many harmless characters, the
/// separators.
pub(super) const fn is_doubtful(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\' | 0xc2 | 0xe2)
}

const DOUBTFUL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_doubtful(byte as u8);
        byte += 1;
    }
    table
};

/// Writes the first character or byte of `text` and returns what is behind it.
fn append_doubtful<'t>(
    text: &'t [u8],
    nul: NulPolicy,
    out: &mut Vec<u8>,
) -> Result<&'t [u8], Problem> {
    let (escape, length): (&[u8], usize) = match text {
        [0, ..] => match nul {
            NulPolicy::Reject => return Err(Problem::Nul),
            NulPolicy::Strip => (b"", 1),
            NulPolicy::Keep => (b"\\u0000", 1),
        },
        [b'"', ..] => (b"\\\"", 1),
        [b'\\', ..] => (b"\\\\", 1),
        [b'\n', ..] => (b"\\n", 1),
        [b'\r', ..] => (b"\\r", 1),
        [b'\t', ..] => (b"\\t", 1),
        [0xc2, 0x85, ..] => (b"\\u0085", 2),
        [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
        [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
        &[byte @ ..b' ', ..] => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            (b"", 1)
        }
        _ => (&text[..1], 1),
    };
    out.extend_from_slice(escape);
    Ok(&text[length..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str, nul: NulPolicy) -> Result<String, Problem> {
        let mut out = Vec::new();
        append(text.as_bytes(), nul, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_escaped_and_what_is_not() {
        for (text, expected) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("say \"hi\"", r#""say \"hi\"""#),
            ("a\\b/c", r#""a\\b/c""#),
            ("\n\r\t", r#""\n\r\t""#),
            ("\u{1}\u{b}\u{c}\u{1f}", r#""\u0001\u000b\u000c\u001f""#),
            ("\u{85}\u{2028}\u{2029}", r#""\u0085\u2028\u2029""#),
            ("é «€» \u{7f}\u{feff}😀", "\"é «€» \u{7f}\u{feff}😀\""),
        ] {
            assert_eq!(json(text, NulPolicy::Reject).unwrap(), expected);
        }
    }

    #[test]
    fn nul_by_policy() {
        assert_eq!(json("a\0b", NulPolicy::Reject), Err(Problem::Nul));
        assert_eq!(json("a\0b", NulPolicy::Strip).unwrap(), r#""ab""#);
        assert_eq!(json("a\0b", NulPolicy::Keep).unwrap(), r#""a\u0000b""#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text: String) {
            let json = json(&text, NulPolicy::Keep).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            prop_assert!(json.bytes().all(|byte| byte >= b' '));
        }
    }
}
