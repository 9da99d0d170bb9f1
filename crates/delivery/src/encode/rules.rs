//! The rules of cells: what is quoted, how, and what is refused.
//!
//! [`Rules::append_cell`] is the whole contract of one cell and every cell may take that way.
//! [`Rules::is_clear`] and [`Rules::never_quotes`] only tell, cheaply and on the safe side, which
//! cells it would write unchanged.

use std::borrow::Cow;

use memchr::memchr2_iter;
use plan::file_format::{
    CELL_BYTES_MAX, Dialect, FileFormat, FormulaGuard, Layout, NonFinitePolicy, NulPolicy, Quoting,
};

use super::error::{Error, Problem};
use super::lane::{SLOT_BYTES, Slot};

/// The byte order mark in UTF-8. At the start of a file a reader would eat it.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// PostgreSQL takes this for the end of the data when a line has nothing else.
const END_OF_DATA: &[u8] = b"\\.";

/// The class of bytes that put an unquoted cell at risk.
const AT_RISK: u8 = 1;
/// The class of bytes that are escaped inside quotes.
const ESCAPED: u8 = 2;
/// The class of the NUL character.
const NUL: u8 = 4;
/// The class of bytes that may begin a control character beyond ASCII.
const WIDE: u8 = 8;

/// What a cell is, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Words, which may begin like a formula.
    Text,
    /// Numbers, dates and the like, which the formula guard leaves alone.
    Value,
    /// JSON of a nested value: quoted even if no reader would need it.
    Nested,
}

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was written.
    Written,
    /// The formula guard wants the row left out; nothing was written.
    Rejected,
}

/// A dialect, prepared for looking at single bytes.
pub(super) struct Rules {
    dialect: Dialect,
    /// Whether a row is a JSON object rather than cells between delimiters.
    is_json: bool,
    /// What each byte asks for, wherever it stands: the bits below.
    classes: [u8; 256],
    /// First bytes that ask for the careful way.
    careful_first: [bool; 256],
    /// Last bytes that ask for the careful way: a space, and the end of wider white space.
    careful_last: [bool; 256],
}

impl Rules {
    /// Prepares the dialect of a format.
    ///
    /// # Errors
    /// [`Error::Dialect`] when a reader could not take rows of this dialect apart.
    pub(super) fn new(format: &FileFormat) -> Result<Self, Error> {
        let dialect = &format.dialect;
        check(dialect)?;
        let mut rules = Self {
            dialect: dialect.clone(),
            is_json: format.layout == Layout::Json,
            classes: [0; 256],
            careful_first: [false; 256],
            careful_last: [false; 256],
        };
        for byte in 0..=u8::MAX {
            let index = usize::from(byte);
            rules.classes[index] = class_of(byte, dialect);
            rules.careful_last[index] = byte == b' ' || byte == 0x80;
            rules.careful_first[index] = matches!(byte, b' ' | b'\\' | 0xe1 | 0xe3 | 0xef)
                || (dialect.formula_guard != FormulaGuard::Off && b"=+-@;,|".contains(&byte));
        }
        for token in [&dialect.null, &dialect.empty] {
            if let Some(&first) = token.as_bytes().first() {
                rules.careful_first[usize::from(first)] = true;
            }
        }
        Ok(rules)
    }

    /// The text of a missing value.
    pub(super) fn null(&self) -> &[u8] {
        self.dialect.null.as_bytes()
    }

    /// Whether a row is a JSON object.
    pub(super) fn is_json(&self) -> bool {
        self.is_json
    }

    /// What to do with NUL characters.
    pub(super) fn nul(&self) -> NulPolicy {
        self.dialect.nul
    }

    /// What to do with NaN and the infinities.
    pub(super) fn non_finite(&self) -> NonFinitePolicy {
        self.dialect.non_finite
    }

    /// What is behind a cell, and how many bytes of it count.
    pub(super) fn ending(&self, last_of_row: bool) -> ([u8; 2], u8) {
        match (last_of_row, self.dialect.line_end.as_str().as_bytes()) {
            (false, _) => ([self.dialect.delimiter, 0], 1),
            (true, _) if self.is_json => (*b"}\n", 2),
            (true, &[first, second]) => ([first, second], 2),
            (true, line_end) => ([line_end[0], 0], 1),
        }
    }

    /// Whether any text over `alphabet` is written as it is.
    pub(super) fn never_quotes(&self, alphabet: &[u8], kind: CellKind) -> bool {
        let guarded = kind == CellKind::Text && self.dialect.formula_guard != FormulaGuard::Off;
        let token =
            |token: &str| !token.is_empty() && token.bytes().all(|byte| alphabet.contains(&byte));
        self.dialect.quoting != Quoting::All
            && kind != CellKind::Nested
            && !guarded
            && self.classes_of(alphabet) & AT_RISK == 0
            && !token(&self.dialect.null)
            && !token(&self.dialect.empty)
    }

    /// Whether cells of text may be written without quotes at all.
    pub(super) fn has_bare_text(&self) -> bool {
        self.dialect.quoting != Quoting::All
    }

    /// Whether the first `length` bytes of `window` (not 0) are surely a cell of text that is
    /// written as it is. The loop has no branch, so that it becomes a few wide instructions.
    #[inline(always)]
    pub(super) fn is_clear(&self, window: &Slot, length: usize) -> bool {
        let mut found = 0;
        for (&byte, &counts) in window.iter().zip(&WINDOW_MASKS[length]) {
            found |= self.is_doubtful(byte) & counts;
        }
        found == 0
            && !self.careful_first[usize::from(window[0])]
            && !self.careful_last[usize::from(window[length - 1])]
    }

    /// As [`Rules::is_clear`], for a text that is larger than a slot.
    pub(super) fn is_clear_text(&self, text: &[u8]) -> bool {
        let Some(end) = text.last_chunk::<SLOT_BYTES>() else { return false };
        let (blocks, _) = text.as_chunks::<SLOT_BYTES>();
        text.len() <= CELL_BYTES_MAX
            && blocks.iter().all(|block| !self.holds_doubtful(block))
            && !self.holds_doubtful(end)
            && !self.careful_first[usize::from(text[0])]
            && !self.careful_last[usize::from(end[SLOT_BYTES - 1])]
    }

    #[inline(always)]
    fn holds_doubtful(&self, block: &Slot) -> bool {
        block.map(|byte| self.is_doubtful(byte)) != [0; SLOT_BYTES]
    }

    /// 0xff for a byte that asks for the careful way, else 0. C2 and E2 begin, among many harmless
    /// characters, the C1 controls and the line separators.
    #[inline(always)]
    fn is_doubtful(&self, byte: u8) -> u8 {
        let Dialect { delimiter, quote, escape, .. } = self.dialect;
        let doubtful = (byte < b' ')
            | (byte == delimiter)
            | (byte == quote)
            | (byte == escape)
            | (byte == 0x7f)
            | (byte | 0x20 == 0xe2);
        u8::from(doubtful).wrapping_neg()
    }

    /// Writes one cell without what ends it. `leads` says that it is in the first column.
    ///
    /// `text` is valid UTF-8.
    pub(super) fn append_cell(
        &self,
        text: &[u8],
        kind: CellKind,
        leads: bool,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Problem> {
        if text.len() > CELL_BYTES_MAX {
            return Err(Problem::CellTooLarge);
        }
        let mut classes = self.classes_of(text);
        let mut text = Cow::Borrowed(text);
        if classes & NUL != 0 {
            text = self.judge_nul(text)?;
            classes = self.classes_of(&text);
        }
        if text.is_empty() {
            out.extend_from_slice(self.dialect.empty.as_bytes());
            return Ok(Outcome::Written);
        }
        let guarded = match self.dialect.formula_guard {
            FormulaGuard::Off => false,
            _ => kind == CellKind::Text && begins_like_formula(&text),
        };
        if guarded && self.dialect.formula_guard == FormulaGuard::Reject {
            return Ok(Outcome::Rejected);
        }
        let at_risk = classes & AT_RISK != 0 || self.needs_quotes(&text, classes, leads);
        match self.dialect.quoting {
            Quoting::None if at_risk => return Err(Problem::NeedsQuotes),
            Quoting::Minimal if !at_risk && !guarded && kind != CellKind::Nested => {
                out.extend_from_slice(&text);
            }
            Quoting::None => {
                out.extend_from_slice(if guarded { b"'" } else { b"" });
                out.extend_from_slice(&text);
            }
            Quoting::Minimal | Quoting::All => self.append_quoted(&text, classes, guarded, out),
        }
        Ok(Outcome::Written)
    }

    /// All classes that occur in a text.
    fn classes_of(&self, text: &[u8]) -> u8 {
        text.iter().fold(0, |classes, &byte| classes | self.classes[usize::from(byte)])
    }

    /// Treats NUL characters as the settings say; nested values have none left.
    fn judge_nul<'t>(&self, text: Cow<'t, [u8]>) -> Result<Cow<'t, [u8]>, Problem> {
        match self.dialect.nul {
            NulPolicy::Reject => Err(Problem::Nul),
            NulPolicy::Strip => {
                Ok(Cow::Owned(text.iter().copied().filter(|&byte| byte != 0).collect()))
            }
            NulPolicy::Keep => Ok(text),
        }
    }

    /// Whether a reader could take an unquoted cell for something else, even though no byte of it
    /// is at risk wherever it stands.
    fn needs_quotes(&self, text: &[u8], classes: u8, leads: bool) -> bool {
        (classes & WIDE != 0 && holds_wide_control(text))
            || begins_or_ends_with_space(text)
            || (leads && text.starts_with(BYTE_ORDER_MARK))
            || text == self.dialect.null.as_bytes()
            || text == self.dialect.empty.as_bytes()
            || text == END_OF_DATA
    }

    fn append_quoted(&self, text: &[u8], classes: u8, guarded: bool, out: &mut Vec<u8>) {
        let Dialect { quote, escape, .. } = self.dialect;
        out.push(quote);
        if guarded {
            // A quote of `'` makes the guard itself a character to escape.
            out.extend(Some(escape).filter(|_| quote == b'\'' || escape == b'\''));
            out.push(b'\'');
        }
        let mut written = 0;
        let signs = if classes & ESCAPED == 0 { &[] } else { text };
        for at in memchr2_iter(quote, escape, signs) {
            out.extend_from_slice(&text[written..at]);
            out.push(escape);
            written = at;
        }
        out.extend_from_slice(&text[written..]);
        out.push(quote);
    }
}

/// What a byte asks for wherever it stands.
fn class_of(byte: u8, dialect: &Dialect) -> u8 {
    let Dialect { delimiter, quote, escape, .. } = *dialect;
    match byte {
        0 => AT_RISK | NUL,
        _ if byte == quote || byte == escape => AT_RISK | ESCAPED,
        _ if byte == delimiter || byte < b' ' || byte == 0x7f => AT_RISK,
        0xc2 | 0xe2 => WIDE,
        _ => 0,
    }
}

/// Masks for the first n bytes of a window.
const WINDOW_MASKS: [Slot; SLOT_BYTES + 1] = {
    let mut masks = [[0; SLOT_BYTES]; SLOT_BYTES + 1];
    let mut length = 0;
    while length <= SLOT_BYTES {
        let mut at = 0;
        while at < length {
            masks[length][at] = 0xff;
            at += 1;
        }
        length += 1;
    }
    masks
};

/// Refuses dialects whose rows could not be taken apart again. The project file is checked before;
/// this is the last line, for callers that build a dialect themselves.
fn check(dialect: &Dialect) -> Result<(), Error> {
    let fault = |reason| Err(Error::Dialect { reason });
    let Dialect { delimiter, quote, escape, .. } = *dialect;
    let is_sign = |byte: u8| byte.is_ascii() && !matches!(byte, b'\0' | b'\r' | b'\n');
    if !is_sign(delimiter) || delimiter.is_ascii_alphanumeric() {
        return fault("the delimiter has to be an ASCII sign");
    }
    if !is_sign(quote) || quote.is_ascii_alphanumeric() || quote == delimiter {
        return fault("the quote has to be an ASCII sign other than the delimiter");
    }
    if !is_sign(escape) || escape.is_ascii_alphanumeric() || escape == delimiter {
        return fault("the escape has to be an ASCII sign other than the delimiter");
    }
    for token in [&dialect.null, &dialect.empty] {
        let is_quotes = token.as_bytes() == [quote, quote];
        let breaks =
            |byte: u8| !is_sign(byte) && byte.is_ascii() || [delimiter, quote].contains(&byte);
        if !is_quotes && token.bytes().any(breaks) {
            return fault(
                "the texts of missing and empty values cannot hold a delimiter, a quote or a line end",
            );
        }
    }
    Ok(())
}

/// Whether there is a C1 control (U+0080 to U+009F, which includes NEL) or U+2028 or U+2029.
fn holds_wide_control(text: &[u8]) -> bool {
    memchr2_iter(0xc2, 0xe2, text).any(|at| match text[at..] {
        [0xc2, next, ..] => next <= 0x9f,
        [0xe2, 0x80, last, ..] => matches!(last, 0xa8 | 0xa9),
        _ => false,
    })
}

fn begins_or_ends_with_space(text: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (text.first(), text.last()) else { return false };
    if first.is_ascii() && last.is_ascii() {
        return first == b' ' || last == b' ';
    }
    // Beyond ASCII, what Unicode calls white space: the no-break space and its kind.
    let Ok(text) = str::from_utf8(text) else { return true };
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}

/// Whether a spreadsheet could take the text for a formula: one of `= + - @`, a tab, a line break,
/// or a fullwidth form of the signs, at the start or behind spaces and the separators that other
/// locales split at.
fn begins_like_formula(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return true };
    let rest = text.trim_start_matches([' ', '\u{a0}', ';', ',', '|']);
    rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}
