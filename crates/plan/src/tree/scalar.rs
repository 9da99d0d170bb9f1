//! Scalars and what they mean: the core schema of YAML 1.2 (§10.3.2), nothing older, so that `off`
//! and `no` are text.

use zeroize::Zeroize as _;

use crate::diagnostic::Span;
use crate::project::BlockLine;

/// A scalar as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    /// The text, unescaped, with variables filled in.
    pub text: String,
    /// Whether it was written without quotes, so that `12` is a number.
    pub plain: bool,
    /// Where the text stands, when every character of it is in the file as it is.
    pub verbatim: Option<Span>,
    /// Where its lines stand, when it is a block of lines that are in the file as they are, or the runs
    /// of its characters, where lines are folded or quotes escaped.
    pub lines: Vec<BlockLine>,
    /// Whether variables were filled in.
    pub origin: Origin,
    /// The text before variables were filled in, where any were.
    pub written: Option<String>,
    /// Whether a variable had no value; then the text is not what was meant.
    pub unfilled: bool,
}

/// Where the text of a scalar comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is in the file.
    Written,
    /// Parts are in the file, parts are values of variables.
    Mixed,
    /// It is the value of one variable and nothing else.
    Variable,
    /// It is a secret, from a file or from the store of secrets, and nothing else.
    Secret,
}

impl Origin {
    /// Whether nothing of the text is in the file.
    pub(crate) fn is_elsewhere(self) -> bool {
        matches!(self, Self::Variable | Self::Secret)
    }
}

/// What came from outside may be a secret: its memory is wiped.
impl Drop for Scalar {
    fn drop(&mut self) {
        if self.origin != Origin::Written {
            self.text.zeroize();
        }
    }
}

/// What a scalar is, as a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved<'a> {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    /// Resolves the scalar by the core schema.
    pub(crate) fn resolve(&self) -> Resolved<'_> {
        if self.plain { self.resolve_plain() } else { Resolved::Text(&self.text) }
    }

    /// Resolves the scalar as if it had been written without quotes.
    pub(crate) fn resolve_plain(&self) -> Resolved<'_> {
        resolve_plain(&self.text)
    }
}

/// What a text is that is written without quotes.
pub(crate) fn resolve_plain(text: &str) -> Resolved<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Boolean(true),
        "false" | "False" | "FALSE" => Resolved::Boolean(false),
        text => integer(text)
            .map(Resolved::Integer)
            .or_else(|| float(text).map(Resolved::Float))
            .unwrap_or(Resolved::Text(text)),
    }
}

fn integer(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return unsigned(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return unsigned(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value = unsigned(digits, 10)?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// Refuses signs, which the standard parser accepts.
fn unsigned(digits: &str, radix: u32) -> Option<i128> {
    let valid = digits.chars().all(|digit| digit.is_digit(radix));
    if valid { i128::from_str_radix(digits, radix).ok() } else { None }
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => return Some(f64::NEG_INFINITY),
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let numeric = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if numeric { text.parse().ok() } else { None }
}
