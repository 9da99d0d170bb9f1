//! `file:` of a destination: the settings of the encoder, free of contradictions.

use super::{Item, Resolver, one_ascii};
use crate::config;
use crate::file_format::{
    Compression, Dialect, Encoding, FileFormat, FormulaGuard, Layout, LineEnd, NonFinitePolicy,
    NulPolicy, Quoting, UnencodablePolicy, WhenEmpty,
};
use crate::tree::Node;

/// The longest text of a missing value or an empty string, in bytes.
const MARK_BYTES_MAX: usize = 64;
/// The settings that only text between delimiters has.
const OF_DELIMITED_TEXT: [&str; 11] = [
    "delimiter",
    "header",
    "quote",
    "quoting",
    "escape",
    "null",
    "empty",
    "line_end",
    "encoding",
    "unencodable",
    "formula_guard",
];
/// The settings that only text has.
const OF_TEXT: [&str; 2] = ["nul", "non_finite"];

impl Resolver<'_> {
    pub(super) fn file(
        &mut self,
        item: Option<Item<'_>>,
        file: Option<&config::File>,
    ) -> Option<FileFormat> {
        let Some((item, file)) = item.zip(file) else {
            return Some(FileFormat::new(Layout::Csv));
        };
        let layout = match file.format {
            Some(config::Format::Csv) | None => Layout::Csv,
            Some(config::Format::Tsv) => Layout::Tsv,
            Some(config::Format::Json) => Layout::Json,
            Some(config::Format::Parquet) => Layout::Parquet,
        };
        let mut format = FileFormat::new(layout);
        self.extension(item, file, &mut format);
        if layout.is_delimited() {
            self.signs(item, file, &mut format);
            self.marks(item, file, &mut format.dialect);
            cells(file, &mut format);
        } else {
            self.refuse(item, file, layout);
        }
        words(file, &mut format);
        Some(format)
    }

    /// Settings that would do nothing are refused rather than passed over.
    fn refuse(&mut self, item: Item<'_>, file: &config::File, layout: Layout) {
        let of_text: &[&str] = if layout == Layout::Parquet { &OF_TEXT } else { &[] };
        for key in OF_DELIMITED_TEXT.iter().chain(of_text) {
            if item.node.get(key).is_none() {
                continue;
            }
            let message = format!("`{key}` has no meaning for `format: {}`", layout.as_str());
            let hint = match OF_TEXT.contains(key) {
                true => "Remove it: Parquet keeps such values as they are.",
                false => "Remove it, or write `format: csv`.",
            };
            self.error("misplaced_key", item.key_place(key), message, hint);
        }
        let is_packed = !matches!(file.compression, None | Some(config::Compression::None));
        if layout == Layout::Parquet && is_packed {
            let message = "a Parquet file is compressed inside, and not once more as a whole";
            let hint = "Remove it: its columns are compressed with Zstandard.";
            self.error("misplaced_key", item.key_place("compression"), message, hint);
        }
    }

    fn extension(&mut self, item: Item<'_>, file: &config::File, format: &mut FileFormat) {
        let Some(extension) = &file.extension else { return };
        let plain =
            extension.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let dots =
            extension.starts_with('.') || extension.ends_with('.') || extension.contains("..");
        if extension.is_empty() || extension.len() > 16 || !plain || dots {
            let hint = "Write it without a dot in front, for example `csv`.";
            self.error("extension_form", item.span("extension"), "this is not an extension", hint);
            return;
        }
        format.extension.clone_from(extension);
    }

    /// Delimiter, quote and escape, each one character and all of them different.
    fn signs(&mut self, item: Item<'_>, file: &config::File, format: &mut FileFormat) {
        let dialect = &mut format.dialect;
        match (format.layout, &file.delimiter) {
            (_, None) => {}
            (Layout::Csv, Some(text)) => self.sign(item, "delimiter", text, &mut dialect.delimiter),
            (_, Some(text)) if text == "\t" => {}
            (_, Some(_)) => {
                let hint = "Remove it, or write `format: csv`.";
                let place = item.key_place("delimiter");
                self.error("misplaced_key", place, "the delimiter of tsv is a tab", hint);
            }
        }
        let no_quote = file.quote.as_deref() == Some("none");
        match file.quote.as_deref() {
            Some(text) if !no_quote => self.sign(item, "quote", text, &mut dialect.quote),
            _ => {}
        }
        dialect.quoting = self.quoting(item, file, no_quote);
        dialect.escape = dialect.quote;
        if let Some(text) = &file.escape {
            self.sign(item, "escape", text, &mut dialect.escape);
            if dialect.quoting == Quoting::None {
                let hint = "Remove it, or let cells be quoted.";
                let message = "nothing is quoted, so nothing is escaped";
                self.warn("unused_escape", item.key_place("escape"), message, hint);
            }
        }
        self.check_signs(item, &format.dialect);
    }

    fn quoting(&mut self, item: Item<'_>, file: &config::File, no_quote: bool) -> Quoting {
        match (file.quoting, no_quote) {
            (Some(config::Quoting::None) | None, true) | (Some(config::Quoting::None), false) => {
                Quoting::None
            }
            (Some(_), true) => {
                let hint = "Name a quote character, or write `quoting: none`.";
                let place = item.span("quoting");
                self.error("delimiter_conflict", place, "cells are quoted without a quote", hint);
                Quoting::None
            }
            (Some(config::Quoting::All), false) => Quoting::All,
            (Some(config::Quoting::Minimal) | None, false) => Quoting::Minimal,
        }
    }

    fn sign(&mut self, item: Item<'_>, key: &str, text: &str, sign: &mut u8) {
        match one_ascii(text) {
            Ok(byte) if byte.is_ascii_alphanumeric() || matches!(byte, 0 | b'\n' | b'\r') => {
                let message = format!("the {key} cannot be a letter, a digit, a line end or NUL");
                self.error("delimiter_form", item.span(key), message, "Choose a sign or a tab.");
            }
            Ok(byte) => *sign = byte,
            Err(hint) => {
                let message = format!("the {key} is not one character");
                self.error("delimiter_form", item.span(key), message, hint);
            }
        }
    }

    fn check_signs(&mut self, item: Item<'_>, dialect: &Dialect) {
        let hint = "Choose different characters.";
        if dialect.delimiter == dialect.quote {
            let key = if item.node.get("delimiter").is_some() { "delimiter" } else { "quote" };
            let message = "delimiter and quote are the same character";
            self.error("delimiter_conflict", item.span(key), message, hint);
        } else if dialect.delimiter == dialect.escape {
            let message = "delimiter and escape are the same character";
            self.error("delimiter_conflict", item.span("escape"), message, hint);
        }
    }

    /// The texts of missing values and empty strings are written as they are, so they must not
    /// break the row.
    fn marks(&mut self, item: Item<'_>, file: &config::File, dialect: &mut Dialect) {
        if file.empty.is_none() {
            // Without quotes, two quotes are no empty cell but a text of two characters, and so are two
            // of any other sign than the one that quotes.
            let quotes = if dialect.quoting == Quoting::None { 0 } else { 2 };
            dialect.empty = char::from(dialect.quote).to_string().repeat(quotes);
        }
        for (key, written) in [("null", &file.null), ("empty", &file.empty)] {
            if item.node.get(key).is_some_and(Node::is_null) {
                let hint = format!("Write `{key}: \"\"` for nothing, or the text in quotes.");
                let message = format!("`{key}` has no value");
                self.error("mark_form", item.key_place(key), message, &hint);
            }
            let Some(text) = written else { continue };
            let mark = if key == "null" { &mut dialect.null } else { &mut dialect.empty };
            mark.clone_from(text);
            if let Some(problem) = mark_problem(text, dialect) {
                let message = format!("the text for `{key}` {problem}");
                self.error(
                    "mark_form",
                    item.span(key),
                    message,
                    "Choose a short word, such as `NULL`.",
                );
            }
        }
        let chosen = file.null.is_some() || file.empty.is_some();
        if chosen && dialect.null == dialect.empty {
            let key = if file.null.is_some() { "null" } else { "empty" };
            let message = "missing values and empty strings look the same";
            let hint = "Choose different texts if the reader should tell them apart.";
            self.warn("null_equals_empty", item.span(key), message, hint);
        }
    }
}

fn mark_problem(text: &str, dialect: &Dialect) -> Option<&'static str> {
    let quote = char::from(dialect.quote);
    let is_quotes = text.len() == 2 && text.chars().all(|c| c == quote);
    if text.len() > MARK_BYTES_MAX {
        Some("is longer than 64 bytes")
    } else if text.chars().any(char::is_control) {
        Some("holds a control character")
    } else if text.contains(char::from(dialect.delimiter)) {
        Some("holds the delimiter")
    } else if text.contains(quote) && !is_quotes && dialect.quoting != Quoting::None {
        Some("holds the quote character")
    } else {
        None
    }
}

/// The settings of cells that are plain choices.
fn cells(file: &config::File, format: &mut FileFormat) {
    let dialect = &mut format.dialect;
    dialect.header = file.header.unwrap_or(true);
    dialect.line_end = match file.line_end {
        Some(config::LineEnd::Crlf) => LineEnd::Crlf,
        Some(config::LineEnd::Lf) | None => LineEnd::Lf,
    };
    dialect.formula_guard = match file.formula_guard {
        Some(config::FormulaGuard::Prefix) => FormulaGuard::Prefix,
        Some(config::FormulaGuard::Reject) => FormulaGuard::Reject,
        Some(config::FormulaGuard::Off) | None => FormulaGuard::Off,
    };
    dialect.unencodable = match file.unencodable {
        Some(config::Unencodable::Replace) => UnencodablePolicy::Replace,
        Some(config::Unencodable::Reject) | None => UnencodablePolicy::Reject,
    };
    format.encoding = match file.encoding {
        Some(config::Encoding::Utf8) | None => Encoding::Utf8,
        Some(config::Encoding::Utf8Bom) => Encoding::Utf8Bom,
        Some(config::Encoding::Utf16Le) => Encoding::Utf16Le,
        Some(config::Encoding::Utf16Be) => Encoding::Utf16Be,
        Some(config::Encoding::Iso8859_1) => Encoding::Iso8859_1,
        Some(config::Encoding::Windows1252) => Encoding::Windows1252,
    };
}

/// The settings of every layout that are plain choices.
fn words(file: &config::File, format: &mut FileFormat) {
    format.dialect.nul = match file.nul {
        Some(config::Nul::Strip) => NulPolicy::Strip,
        Some(config::Nul::Keep) => NulPolicy::Keep,
        Some(config::Nul::Reject) | None => NulPolicy::Reject,
    };
    format.dialect.non_finite = match file.non_finite {
        Some(config::NonFinite::Null) => NonFinitePolicy::Null,
        Some(config::NonFinite::Reject) => NonFinitePolicy::Reject,
        Some(config::NonFinite::Text) | None => NonFinitePolicy::Text,
    };
    format.when_empty = match file.when_empty {
        Some(config::WhenEmpty::Skip) => WhenEmpty::Skip,
        Some(config::WhenEmpty::HeaderOnly) | None => WhenEmpty::HeaderOnly,
    };
    format.compression = match file.compression {
        Some(config::Compression::None) | None => Compression::None,
        Some(config::Compression::Gzip) => Compression::Gzip,
        Some(config::Compression::Zstd) => Compression::Zstd,
        Some(config::Compression::Zip) => Compression::Zip,
    };
    if let Some(rows) = file.rows_per_file {
        format.rows_per_file = rows;
    }
    format.bytes_per_file = file.bytes_per_file;
}
