//! From text to tokens.

use std::ops::Range;

use super::{Error, TEXT_BYTES_MAX, TOKENS_MAX};

/// A word or sign and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A bare word: a name, or a word of the language.
    Word(String),
    /// A name between back quotes, which is never a word of the language.
    Quoted(String),
    /// A text between double quotes, without them.
    Text(String),
    Integer(i64),
    /// A number with a fraction, as written.
    Decimal(String),
    /// `$1`: a parameter of the query.
    Parameter(u32),
    Sign(&'static str),
    End,
}

/// Longer signs before those that they begin with.
const SIGNS: [&str; 27] = [
    "&&", "||", "!=", "<>", ">=", "<=", "=>", "==", "(", ")", "[", "]", "{", "}", ",", ".", ":",
    "=", ">", "<", "+", "-", "*", "/", "%", "!", "@",
];

/// Splits a text into tokens; the last is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the rule is longer than {TEXT_BYTES_MAX} bytes");
        return Err(Error::new(0..text.len(), "too_long", message));
    }
    let mut tokens = Vec::new();
    let mut offset = 0;
    loop {
        let rest = &text[offset..];
        offset += rest.len() - rest.trim_start().len();
        if tokens.len() > TOKENS_MAX {
            let message = format!("the rule has more than {TOKENS_MAX} words and signs");
            return Err(Error::new(offset..offset, "too_long", message));
        }
        let token = token(text, offset)?;
        offset = token.place.end;
        let is_end = token.kind == Kind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

/// The token that begins at `offset`, where there is no white space.
fn token(text: &str, offset: usize) -> Result<Token, Error> {
    let rest = &text[offset..];
    let Some(first) = rest.chars().next() else {
        return Ok(Token { kind: Kind::End, place: offset..offset });
    };
    let (kind, length) = match first {
        '"' => text_literal(rest, offset)?,
        '`' => quoted_name(rest, offset)?,
        '$' => parameter(rest, offset)?,
        '\'' => {
            let error = Error::new(offset..offset + 1, "syntax_error", "`'` begins nothing in PQL");
            return Err(error.with_hint("Put texts between double quotes."));
        }
        _ if first.is_ascii_digit() => number(rest, offset)?,
        _ if is_name_start(first) => {
            let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
            (Kind::Word(rest[..length].to_owned()), length)
        }
        _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => (Kind::Sign(sign), sign.len()),
            None => {
                let place = offset..offset + first.len_utf8();
                let message = format!("`{}` begins nothing in PQL", first.escape_debug());
                return Err(Error::new(place, "syntax_error", message));
            }
        },
    };
    Ok(Token { kind, place: offset..offset + length })
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A text between double quotes. A backslash stands for itself, as in Adobe's `"@(\w+)"`, but
/// before a quote or another backslash.
fn text_literal(rest: &str, offset: usize) -> Result<(Kind, usize), Error> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((position, c)) = chars.next() {
        match c {
            '"' => return Ok((Kind::Text(value), position + 1)),
            '\\' if matches!(chars.peek(), Some((_, '"' | '\\'))) => {
                value.extend(chars.next().map(|(_, escaped)| escaped));
            }
            c if c.is_control() && !matches!(c, '\n' | '\r' | '\t') => {
                let place = offset + position..offset + position + c.len_utf8();
                let message = "the text holds a control character";
                return Err(Error::new(place, "syntax_error", message));
            }
            c => value.push(c),
        }
    }
    let message = "the text has no closing quote";
    Err(Error::new(offset..offset + 1, "syntax_error", message))
}

fn quoted_name(rest: &str, offset: usize) -> Result<(Kind, usize), Error> {
    let Some(end) = rest[1..].find('`') else {
        let message = "the name has no closing back quote";
        return Err(Error::new(offset..offset + 1, "syntax_error", message));
    };
    let name = &rest[1..=end];
    if name.is_empty() || name.chars().any(char::is_control) {
        let message = "a name between back quotes is empty or holds a control character";
        return Err(Error::new(offset..offset + end + 2, "syntax_error", message));
    }
    Ok((Kind::Quoted(name.to_owned()), end + 2))
}

fn parameter(rest: &str, offset: usize) -> Result<(Kind, usize), Error> {
    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
    let place = offset..offset + 1 + digits;
    match rest[1..=digits].parse() {
        Ok(number) => Ok((Kind::Parameter(number), 1 + digits)),
        Err(_) => {
            let error = Error::new(place, "syntax_error", "`$` is not followed by a number");
            Err(error.with_hint("`$1` is the profile."))
        }
    }
}

fn number(rest: &str, offset: usize) -> Result<(Kind, usize), Error> {
    let whole = digits(rest);
    let behind = &rest[whole..];
    let fraction = behind.strip_prefix('.').map_or(0, digits);
    let length = if fraction > 0 { whole + 1 + fraction } else { whole };
    if let Some(next) = rest[length..].chars().next().filter(|c| is_name_start(*c)) {
        let place = offset..offset + length + next.len_utf8();
        let message = "a number is followed by a letter";
        return Err(Error::new(place, "syntax_error", message));
    }
    let written = &rest[..length];
    if fraction > 0 {
        return Ok((Kind::Decimal(written.to_owned()), length));
    }
    match written.parse() {
        Ok(number) => Ok((Kind::Integer(number), length)),
        Err(_) => {
            let message = "the number is too large";
            Err(Error::new(offset..offset + length, "number_too_large", message))
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
