//! Reads encoded rows again.

use plan::file_format::{Dialect, Quoting};

/// Rows of cells; a missing value is `None`.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// Reads `text` and tells missing and empty values apart as far as the dialect does. Where the
/// dialect has one text for both, a missing value comes back.
pub(super) fn read(text: &[u8], dialect: &Dialect) -> Rows {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = raw_cell_end(rest, dialect);
        row.push(value(&rest[..end], dialect));
        let line_end = dialect.line_end.as_str().as_bytes();
        if rest[end..].starts_with(line_end) {
            rest = &rest[end + line_end.len()..];
            rows.push(std::mem::take(&mut row));
        } else {
            assert_eq!(rest.get(end), Some(&dialect.delimiter), "a cell ends with a delimiter");
            rest = &rest[end + 1..];
        }
    }
    assert!(row.is_empty(), "the last row has a line end");
    rows
}

fn raw_cell_end(text: &[u8], dialect: &Dialect) -> usize {
    let mut at = 0;
    if dialect.quoting != Quoting::None && text.first() == Some(&dialect.quote) {
        at = 1;
        loop {
            let byte = text[at];
            let escapes = byte == dialect.escape
                && (dialect.escape != dialect.quote || text.get(at + 1) == Some(&dialect.quote));
            match byte {
                _ if escapes => at += 2,
                _ if byte == dialect.quote => return at + 1,
                _ => at += 1,
            }
        }
    }
    while text[at] != dialect.delimiter && text[at] != b'\n' && text[at] != b'\r' {
        at += 1;
    }
    at
}

fn value(raw: &[u8], dialect: &Dialect) -> Option<String> {
    let raw = std::str::from_utf8(raw).unwrap();
    if raw == dialect.null {
        return None;
    }
    if raw == dialect.empty {
        return Some(String::new());
    }
    let quote = char::from(dialect.quote);
    match raw.strip_prefix(quote) {
        Some(rest) if dialect.quoting != Quoting::None => {
            let mut text = String::new();
            let mut characters = rest.strip_suffix(quote).unwrap().chars();
            while let Some(character) = characters.next() {
                let escaped = character == char::from(dialect.escape);
                text.push(if escaped { characters.next().unwrap() } else { character });
            }
            Some(text)
        }
        _ => Some(raw.to_owned()),
    }
}

/// Reads `text` with the `csv` crate, which does not tell quoted cells from others.
pub(super) fn read_with_csv_crate(text: &[u8], dialect: &Dialect) -> Vec<Vec<String>> {
    let doubles = dialect.escape == dialect.quote;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .quoting(dialect.quoting != Quoting::None)
        .double_quote(doubles)
        .escape(if doubles { None } else { Some(dialect.escape) })
        .from_reader(text);
    let rows = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// What the `csv` crate makes of the text of a missing or empty value.
fn token_as_read(token: &str, dialect: &Dialect) -> String {
    let quotes = String::from_utf8(vec![dialect.quote; 2]).unwrap();
    if token == quotes && dialect.quoting != Quoting::None {
        String::new()
    } else {
        token.to_owned()
    }
}

/// Compares what both readers make of `text` with the rows that were written.
pub(super) fn assert_reads_as(text: &[u8], dialect: &Dialect, rows: &Rows) {
    let same_token = dialect.null == dialect.empty;
    let expected: Rows = rows
        .iter()
        .map(|row| {
            let cell = |cell: &Option<String>| {
                cell.clone().filter(|cell| !(same_token && cell.is_empty()))
            };
            row.iter().map(cell).collect()
        })
        .collect();
    assert_eq!(read(text, dialect), expected);

    let null = token_as_read(&dialect.null, dialect);
    let empty = token_as_read(&dialect.empty, dialect);
    let expected: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |cell: &Option<String>| match cell.as_deref() {
                None => null.clone(),
                Some("") => empty.clone(),
                Some(text) => text.to_owned(),
            };
            row.iter().map(cell).collect()
        })
        .collect();
    assert_eq!(read_with_csv_crate(text, dialect), expected);
}
