//! Templates of folders and file names, and the object keys they expand to.
//!
//! A template is text with macros between percent signs. Everything in it comes from the project
//! and from the slot's time, never from a clock, so the same slot has the same names.
//!
//! An expanded name never climbs: values cannot bring a slash, a backslash, a control character
//! or a `..` of their own. In file names every character that is unsafe in a key becomes `_`; in
//! folders the spaces of names stay (behaviour reference §2.4).

mod date_pattern;
mod parse;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::Offset;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use date_pattern::DatePattern;

/// The longest object key, in bytes of UTF-8 (Amazon S3 user guide, "naming objects").
pub const KEY_BYTES_MAX: usize = 1_024;
/// The longest file name with its extension, in characters (behaviour reference §4.5).
pub const FILE_NAME_CHARS_MAX: usize = 255;
/// What is kept free in names for the number of a further file.
pub const PART_SUFFIX_LONGEST: &str = "_99999";
/// The file name of a segment that has none in the project file.
pub const FILE_NAME_DEFAULT: &str =
    "%DESTINATION_NAME%_segment%SEGMENT_ID%_%DATETIME(yyyyMMddHHmmss)%";

/// The macros, as they are written between percent signs.
pub const MACROS: [&str; 9] = [
    "DESTINATION_NAME",
    "DESTINATION_ID",
    "SEGMENT_NAME",
    "SEGMENT_ID",
    "ACTIVATION_NAME",
    "ACTIVATION_ID",
    "RUN_ID",
    "DATETIME",
    "TIMESTAMP",
];

/// What a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The folder inside the bucket, without a slash at either end; empty for the root.
    Folder,
    /// The file name without extension.
    FileName,
}

/// A text with macros, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    part: Part,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    Macro(Macro),
}

#[derive(Debug, Clone, PartialEq)]
enum Macro {
    DestinationName,
    DestinationId,
    SegmentName,
    SegmentId,
    ActivationName,
    ActivationId,
    RunId,
    DateTime(DatePattern),
    Timestamp,
}

/// What the macros stand for in one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values<'a> {
    /// `%DESTINATION_NAME%`
    pub destination_name: &'a str,
    /// `%DESTINATION_ID%`
    pub destination_id: Uuid,
    /// `%SEGMENT_NAME%`
    pub segment_name: &'a str,
    /// `%SEGMENT_ID%`
    pub segment_id: Uuid,
    /// `%ACTIVATION_NAME%`: the name of the activation.
    pub activation_name: &'a str,
    /// `%ACTIVATION_ID%`
    pub activation_id: Uuid,
    /// `%RUN_ID%`
    pub run_id: Uuid,
    /// `%DATETIME(…)%` and `%TIMESTAMP%`, in UTC.
    pub slot: Timestamp,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Where the problem begins in the text, in bytes.
    pub offset: usize,
    /// How many bytes it takes.
    pub length: usize,
    /// A stable word for machines.
    pub code: &'static str,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do next: a sentence.
    pub hint: Option<String>,
}

impl Template {
    /// Parses the text of a folder or a file name.
    ///
    /// # Errors
    /// All problems of the text: unknown or unclosed macros, and whatever would make a key that
    /// is not plain (for folders: slashes at the ends, empty, `.` and `..` steps, characters that
    /// S3 advises against; for file names: slashes, backslashes and control characters).
    pub fn parse(text: &str, part: Part) -> Result<Self, Vec<TemplateError>> {
        let pieces = parse::parse(text, part)?;
        Ok(Self { text: text.to_owned(), part, pieces })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text holds a macro for the slot's time.
    pub fn has_time(&self) -> bool {
        self.times() > 0
    }

    /// How many macros for the slot's time the text holds.
    pub(crate) fn times(&self) -> usize {
        let is_time = |piece: &&Piece| matches!(piece, Piece::Macro(name) if name.is_time());
        self.pieces.iter().filter(is_time).count()
    }

    /// Whether every run gets the same text: it holds neither a time nor the id of the run.
    pub fn is_static(&self) -> bool {
        !self.has_time() && !self.has_run_id()
    }

    /// Whether the text holds the id of the run.
    pub(crate) fn has_run_id(&self) -> bool {
        self.pieces.contains(&Piece::Macro(Macro::RunId))
    }

    /// The text before the first macro: what every expansion begins with.
    pub fn literal_start(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(literal)) => literal,
            Some(Piece::Macro(_)) | None => "",
        }
    }

    /// Whether the text holds a macro at all.
    pub fn has_macro(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Macro(_)))
    }

    /// Fills in the macros. The result is in Unicode's form NFC.
    pub fn expand(&self, values: &Values<'_>) -> String {
        self.expanded(values, false)
    }

    /// The same with the macros for the slot's time as they are written: what stands for every slot.
    pub(crate) fn expand_but_times(&self, values: &Values<'_>) -> String {
        self.expanded(values, true)
    }

    fn expanded(&self, values: &Values<'_>, are_times_kept: bool) -> String {
        let mut text = String::new();
        // Between two signs, as no literal holds one.
        let mut written = self.text.split('%').skip(1).step_by(2);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Macro(name) => match written.next() {
                    Some(written) if are_times_kept && name.is_time() => {
                        text.push_str(&format!("%{written}%"));
                    }
                    _ => text.push_str(&self.safe(&name.value(values))),
                },
            }
        }
        if text.is_ascii() {
            // It has one form only.
            return text;
        }
        text.nfc().collect()
    }

    fn safe(&self, value: &str) -> String {
        match self.part {
            Part::Folder => safe_in_folder(value),
            Part::FileName => safe_in_file_name(value),
        }
    }
}

impl Macro {
    fn is_time(&self) -> bool {
        matches!(self, Self::DateTime(_) | Self::Timestamp)
    }

    fn value(&self, values: &Values<'_>) -> String {
        match self {
            Self::DestinationName => values.destination_name.to_owned(),
            Self::DestinationId => values.destination_id.to_string(),
            Self::SegmentName => values.segment_name.to_owned(),
            Self::SegmentId => values.segment_id.to_string(),
            Self::ActivationName => values.activation_name.to_owned(),
            Self::ActivationId => values.activation_id.to_string(),
            Self::RunId => values.run_id.to_string(),
            Self::DateTime(pattern) => pattern.format(Offset::UTC.to_datetime(values.slot)),
            Self::Timestamp => values.slot.as_second().to_string(),
        }
    }
}

/// Puts a folder and a name together.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Characters that S3 calls safe in keys, and letters and digits of any language.
fn is_safe(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '!' | '_' | '.' | '*' | '\'' | '(' | ')' | '=' | '-')
}

/// Characters that are allowed in folders besides the safe ones, though some tools must encode
/// them.
fn is_tolerated(c: char) -> bool {
    matches!(c, ' ' | '&' | '$' | '@' | ';' | ':' | '+' | ',')
}

fn safe_in_file_name(value: &str) -> String {
    let safe = |c: char| if is_safe(c) { c } else { '_' };
    if value.is_ascii() {
        value.chars().map(safe).collect()
    } else {
        value.nfc().map(safe).collect()
    }
}

/// A value of dots alone would be a step upwards, or part of one.
fn safe_in_folder(value: &str) -> String {
    let only_dots = value.chars().all(|c| c == '.');
    let keep = |c: char| is_safe(c) || is_tolerated(c);
    value.trim().nfc().map(|c| if keep(c) && !only_dots { c } else { '_' }).collect()
}
