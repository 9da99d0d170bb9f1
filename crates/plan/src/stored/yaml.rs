//! Values as YAML, for people: in block style, with lines of text as lines.

use std::fmt::Write as _;

use serde_json::Value;

use crate::tree::{Resolved, resolve_plain};

/// How deep each level stands.
const INDENT: usize = 2;

/// Writes a value as YAML that reads back as the same value.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(entries) if !entries.is_empty() => block(value, 0, &mut text),
        Value::Array(items) if !items.is_empty() => block(value, 0, &mut text),
        scalar => {
            flat(scalar, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

/// A mapping or a list that is not empty, each entry on a line of its own.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(entries) => {
            for (position, (key, value)) in entries.iter().enumerate() {
                // The first one stands behind what was written on the line already.
                if position > 0 || out.is_empty() || out.ends_with('\n') {
                    pad(indent, out);
                }
                out.push_str(&key_text(key));
                out.push(':');
                below(value, indent, out);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 || out.is_empty() || out.ends_with('\n') {
                    pad(indent, out);
                }
                out.push('-');
                match item {
                    Value::Object(entries) if !entries.is_empty() => {
                        out.push(' ');
                        block(item, indent + INDENT, out);
                    }
                    Value::Array(items) if !items.is_empty() => {
                        out.push(' ');
                        block(item, indent + INDENT, out);
                    }
                    scalar => {
                        out.push(' ');
                        flat(scalar, indent, out);
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
}

/// What stands behind a key.
fn below(value: &Value, indent: usize, out: &mut String) {
    let is_block = match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        block(value, indent + INDENT, out);
    } else {
        out.push(' ');
        flat(value, indent, out);
        out.push('\n');
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// What fits on one line, or a block of lines.
fn flat(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) if is_lines(text) => lines(text, indent, out),
        Value::String(text) if is_plain(text) => out.push_str(text),
        Value::String(text) => out.push_str(&quoted(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn key_text(key: &str) -> String {
    if is_plain(key) && !key.contains(' ') { key.to_owned() } else { quoted(key) }
}

/// Whether a text can stand without quotes: it begins harmlessly, has harmless characters only, and is
/// no number, boolean or null.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "_/".contains(c));
    let harmless = |c: char| c.is_ascii_alphanumeric() || " _./@%+=<>()'*$-".contains(c);
    begins
        && text.chars().all(harmless)
        && !text.ends_with(' ')
        && matches!(resolve_plain(text), Resolved::Text(_))
}

/// Whether a text can stand as a block of lines.
fn is_lines(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_line = |line: &str| {
        line.is_empty()
            || (!line.trim().is_empty()
                && line.chars().all(|c| !c.is_control() && !is_unprintable(c)))
    };
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && body.split('\n').all(is_line)
}

fn lines(text: &str, indent: usize, out: &mut String) {
    let body = text.strip_suffix('\n');
    out.push_str(if body.is_some() { "|" } else { "|-" });
    for line in body.unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent + INDENT, out);
            out.push_str(line);
        }
    }
}

/// In double quotes: JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that a YAML text may not hold, or that end a line in it, and that JSON does not escape.
fn is_unprintable(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}
