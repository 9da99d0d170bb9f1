//! What the parser of expressions complains about, in the words of somebody who writes rules.

use super::ExpressionError;

/// Signs of other languages, and what is written here.
const FOREIGN_SIGNS: [(&str, &str); 5] =
    [("&&", "AND"), ("!", "NOT"), ("===", "="), ("=>", ">="), ("=<", "<=")];

/// The error of a complaint about `text`, in plain words, with what to do where that can be told.
pub(super) fn told(error: ExpressionError, complaint: &str, text: &str) -> ExpressionError {
    let (message, hint) = plain(complaint, text.get(error.offset..).unwrap_or_default());
    ExpressionError { message, hint, ..error }
}

/// A complaint in plain words; `rest` is the text from its place on.
fn plain(complaint: &str, rest: &str) -> (String, Option<String>) {
    let expected = complaint.strip_prefix("Expected: ").and_then(|it| it.rsplit_once(", found: "));
    let message = match expected {
        Some((wanted, "EOF")) => {
            format!("the expression ends where {} should follow", named(wanted))
        }
        Some((wanted, found)) => format!("`{found}` stands where {} should", named(wanted)),
        None if complaint.starts_with("No infix parser for token ") => {
            let sign = rest.split_whitespace().next().unwrap_or_default();
            format!("`{sign}` cannot stand between two values")
        }
        None => lower_first(complaint),
    };
    let hint = foreign_sign(rest).or_else(|| match expected {
        Some((")", "EOF")) => Some("Close every bracket that was opened.".to_owned()),
        None if complaint == "Unterminated string literal" => {
            Some("End the text with a single quote; one inside it is written twice.".to_owned())
        }
        Some(("an expression", "EOF")) => {
            Some("Complete the last condition, or take out the word before it.".to_owned())
        }
        _ => None,
    });
    (message, hint)
}

/// What to write where a text begins with a sign of another language.
pub(super) fn foreign_sign(text: &str) -> Option<String> {
    let is_first = |(sign, _): &&(&str, &str)| text.starts_with(sign) && !text.starts_with("!=");
    let (sign, ours) = FOREIGN_SIGNS.iter().find(is_first)?;
    Some(format!("Write `{ours}` instead of `{sign}`."))
}

/// What the parser wants next: words as they are, signs and keywords as they are written.
fn named(wanted: &str) -> String {
    match wanted {
        "an expression" => "a value".to_owned(),
        _ if wanted.contains(char::is_lowercase) => wanted.to_owned(),
        _ => format!("`{wanted}`"),
    }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let is_acronym = chars.clone().next().is_some_and(char::is_uppercase);
    if is_acronym { text.to_owned() } else { first.to_lowercase().chain(chars).collect() }
}
