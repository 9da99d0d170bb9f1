//! `${NAME}` and `${NAME:-default}` in the values of a project file, and `${file:PATH}` and
//! `${secret:NAME}` for secrets, which stand alone and only where a secret belongs.
//!
//! `$${` stands for a plain `${`. Keys are never touched, and a value is filled in once: a
//! variable whose value holds `${…}` is taken as it is. Messages name variables, never values.

use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, Span};
use crate::resolve::SECRET_KEYS;
use crate::tree::{Content, Node, Origin, Scalar};

/// The keys whose values may be secrets: nothing shows them.
const PLACES_OF_SECRETS: [&str; 2] = ["access_key_id", "pgp_sign"];
/// The longest name of a stored secret, in bytes.
pub const SECRET_NAME_BYTES_MAX: usize = 64;

/// Where values come from that are not in the file.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The value of a variable, for `${NAME}`.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a file by its path as written, or why it cannot be read (a lower-case fragment).
    pub files: &'a dyn Fn(&str) -> Result<String, String>,
    /// A stored secret by its name, or why there is none.
    pub secrets: &'a dyn Fn(&str) -> Result<Zeroizing<String>, SecretProblem>,
}

/// Why a stored secret cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretProblem {
    /// A lower-case fragment, as in "the secret `partner` … is not stored".
    pub message: String,
    /// The next step, as a sentence.
    pub hint: String,
}

/// Fills in every scalar below `node` and reports each variable that has no value.
pub(crate) fn interpolate(node: &mut Node, outside: Outside<'_>, out: &mut Vec<Diagnostic>) {
    fill_in(node, "", outside, out);
}

fn fill_in(node: &mut Node, key: &str, outside: Outside<'_>, out: &mut Vec<Diagnostic>) {
    let place = node.text_span();
    match &mut node.content {
        Content::Scalar(scalar) if scalar.text.contains("${") => {
            fill(scalar, key, place, outside, out)
        }
        Content::Scalar(_) => {}
        Content::Sequence(items) => {
            items.iter_mut().for_each(|item| fill_in(item, "", outside, out));
        }
        Content::Mapping(entries) => {
            entries
                .iter_mut()
                .for_each(|entry| fill_in(&mut entry.value, &entry.key, outside, out));
        }
    }
}

/// A stretch of a scalar.
enum Piece<'a> {
    Text(&'a str),
    Variable { name: &'a str, default: Option<&'a str> },
    File { path: &'a str },
    Secret { name: &'a str },
}

fn fill(
    scalar: &mut Scalar,
    key: &str,
    place: Span,
    outside: Outside<'_>,
    out: &mut Vec<Diagnostic>,
) {
    let (pieces, problems) = split(&scalar.text);
    let before = out.len();
    for (offset, problem) in problems {
        out.push(broken(at(scalar, place, offset, 2), problem));
    }
    let is_secret =
        pieces.iter().any(|(_, piece)| matches!(piece, Piece::File { .. } | Piece::Secret { .. }));
    if is_secret && !may_be_secret(key) {
        let message = "a secret stands where its value would be shown";
        let hint = "Use `${file:…}` and `${secret:…}` for credentials, and a variable here.";
        out.push(Diagnostic::error("misplaced_secret", place, message).with_hint(hint));
        scalar.unfilled = true;
        return;
    }
    if is_secret && pieces.len() > 1 {
        let message = "a secret stands beside other text";
        let hint = "Write the reference alone; the secret is used as it is.";
        out.push(Diagnostic::error("misplaced_secret", place, message).with_hint(hint));
        scalar.unfilled = true;
        return;
    }
    let mut text = String::new();
    let mut variables_seen = 0;
    for (offset, piece) in &pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Variable { name, default } => {
                variables_seen += 1;
                // As in a shell, `:-` also replaces an empty value.
                let value = (outside.variables)(name)
                    .filter(|value| !(value.is_empty() && default.is_some()))
                    .map(Zeroizing::new);
                match value.as_ref().map(|value| value.as_str()).or(*default) {
                    Some(value) => text.push_str(value),
                    None => out.push(unknown(at(scalar, place, *offset, name.len() + 3), name)),
                }
            }
            Piece::File { path } => match (outside.files)(path).map(Zeroizing::new) {
                Ok(value) => text.push_str(without_line_end(&value)),
                Err(reason) => out.push(unreadable(place, path, &reason)),
            },
            Piece::Secret { name } => match (outside.secrets)(name) {
                Ok(value) => text.push_str(&value),
                Err(problem) => out.push(not_stored(place, name, problem)),
            },
        }
    }
    scalar.origin = match pieces.as_slice() {
        [(_, Piece::Variable { default: None | Some(""), .. })] => Origin::Variable,
        [(_, Piece::File { .. } | Piece::Secret { .. })] => Origin::Secret,
        _ if variables_seen > 0 => Origin::Mixed,
        _ => Origin::Written,
    };
    scalar.written = Some(std::mem::replace(&mut scalar.text, text));
    scalar.verbatim = None;
    scalar.lines.clear();
    scalar.unfilled = out.len() > before;
}

/// The place of `length` bytes at `offset` of the scalar's text, or of all of it when the text is
/// not in the file as it is.
fn at(scalar: &Scalar, place: Span, offset: usize, length: usize) -> Span {
    if scalar.verbatim.is_none() {
        return place;
    }
    let before = scalar.text[..offset].chars().count();
    let start = place.start + offset;
    Span {
        start,
        end: start + length,
        line: place.line,
        column: place.column + u32::try_from(before).unwrap_or(0),
    }
}

/// Splits a text into pieces with their offsets, and says where `${` is not followed by a name
/// and `}`.
#[expect(clippy::type_complexity, reason = "two lists with offsets, used once")]
fn split(text: &str) -> (Vec<(usize, Piece<'_>)>, Vec<(usize, &'static str)>) {
    let (mut pieces, mut problems) = (Vec::new(), Vec::new());
    let mut offset = 0;
    while let Some(found) = text[offset..].find("${") {
        let open = offset + found;
        if text[offset..open].ends_with('$') {
            pieces.push((offset, Piece::Text(&text[offset..open - 1])));
            pieces.push((open, Piece::Text("${")));
            offset = open + 2;
            continue;
        }
        if open > offset {
            pieces.push((offset, Piece::Text(&text[offset..open])));
        }
        let Some(length) = text[open..].find('}') else {
            problems.push((open, "`${` has no `}`"));
            return (pieces, problems);
        };
        match variable(&text[open + 2..open + length]) {
            Some(variable) => pieces.push((open, variable)),
            None => problems.push((open, "`${…}` holds no name of a variable")),
        }
        offset = open + length + 1;
    }
    if offset < text.len() {
        pieces.push((offset, Piece::Text(&text[offset..])));
    }
    (pieces, problems)
}

/// What a text refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    Variable(&'a str),
    File,
    Secret,
}

/// What the `${…}` of a text refer to, in order.
pub(crate) fn references(text: &str) -> Vec<Reference<'_>> {
    split(text)
        .0
        .into_iter()
        .filter_map(|(_, piece)| match piece {
            Piece::Text(_) => None,
            Piece::Variable { name, .. } => Some(Reference::Variable(name)),
            Piece::File { .. } => Some(Reference::File),
            Piece::Secret { .. } => Some(Reference::Secret),
        })
        .collect()
}

/// Whether a text is one reference and nothing else, not even a value to fall back to.
pub(crate) fn is_reference(text: &str) -> bool {
    matches!(
        split(text).0.as_slice(),
        [(_, Piece::Variable { default: None, .. } | Piece::File { .. } | Piece::Secret { .. })]
    )
}

/// Whether the value of a key may be a secret: nothing shows it.
pub(crate) fn may_be_secret(key: &str) -> bool {
    SECRET_KEYS.contains(&key) || PLACES_OF_SECRETS.contains(&key)
}

/// Whether a text can name a stored secret: it is also the name of a file.
pub fn is_secret_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=SECRET_NAME_BYTES_MAX).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(plain)
}

/// Files of secrets end with a line end, whoever wrote them.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn variable(inside: &str) -> Option<Piece<'_>> {
    if let Some(path) = inside.strip_prefix("file:") {
        return (!path.is_empty()).then_some(Piece::File { path });
    }
    if let Some(name) = inside.strip_prefix("secret:") {
        return is_secret_name(name).then_some(Piece::Secret { name });
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    valid.then_some(Piece::Variable { name, default })
}

fn broken(place: Span, problem: &str) -> Diagnostic {
    Diagnostic::error("broken_variable", place, problem)
        .with_hint("Write `${NAME}`, `${NAME:-default}`, `${file:PATH}` or `${secret:NAME}`; `$${` stands for a plain `${`.")
}

fn unreadable(place: Span, path: &str, reason: &str) -> Diagnostic {
    let message = format!("the secret in {path} cannot be read: {reason}");
    Diagnostic::error("unknown_secret", place, message)
        .with_hint("The path is relative to the project file, or absolute.")
}

fn not_stored(place: Span, name: &str, problem: SecretProblem) -> Diagnostic {
    let message = format!("the secret `{name}` {}", problem.message);
    Diagnostic::error("unknown_secret", place, message).with_hint(problem.hint)
}

fn unknown(place: Span, name: &str) -> Diagnostic {
    let message = format!("the variable `{name}` is not set");
    Diagnostic::error("unknown_variable", place, message)
        .with_hint(format!("Set `{name}` in the environment, or write `${{{name}:-default}}`."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    /// Fills in `value` (a plain YAML scalar) and shows its text, origin and problems.
    fn check(value: &str) -> String {
        check_at("bucket", value)
    }

    /// The same with the key that the value stands under.
    fn check_at(key: &str, value: &str) -> String {
        let variables = |name: &str| match name {
            "A" => Some("alpha".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}".to_owned()),
            _ => None,
        };
        let (root, problems) = tree::parse(value);
        assert_eq!(problems, []);
        let mut root = root.expect("the text is YAML");
        let mut problems = Vec::new();
        let files = |path: &str| match path {
            "id.txt" => Ok("from a file\n".to_owned()),
            _ => Err("no such file".to_owned()),
        };
        let secrets = |name: &str| match name {
            "partner" => Ok(Zeroizing::new("from the store".to_owned())),
            _ => Err(SecretProblem { message: "is not stored".into(), hint: String::new() }),
        };
        let outside = Outside { variables: &variables, files: &files, secrets: &secrets };
        fill_in(&mut root, key, outside, &mut problems);
        let scalar = root.scalar().expect("the text is a scalar");
        let mut shown = format!("{:?} {:?}", scalar.text, scalar.origin);
        for problem in problems {
            let span = problem.span.expect("it has a place");
            shown += &format!(" | {}:{} {}", span.line, span.column, problem.message);
        }
        shown
    }

    #[test]
    fn variables_are_filled_in_once() {
        let cases = [
            ("plain", "\"plain\" Written"),
            ("${A}", "\"alpha\" Variable"),
            ("'${A}'", "\"alpha\" Variable"),
            ("x-${A}-y", "\"x-alpha-y\" Mixed"),
            ("${B:-beta}", "\"beta\" Mixed"),
            ("${EMPTY:-beta}", "\"beta\" Mixed"),
            ("${EMPTY}", "\"\" Variable"),
            ("${NESTED}", "\"${A}\" Variable"),
            ("$${A}", "\"${A}\" Written"),
            ("$A 5$", "\"$A 5$\" Written"),
            ("é ${B} x", "\"é  x\" Mixed | 1:3 the variable `B` is not set"),
            (
                "${B}${C}",
                "\"\" Mixed | 1:1 the variable `B` is not set | 1:5 the variable `C` is not set",
            ),
            ("${A", "\"\" Written | 1:1 `${` has no `}`"),
            ("'${}'", "\"\" Written | 1:2 `${…}` holds no name of a variable"),
            ("'${A B}'", "\"\" Written | 1:2 `${…}` holds no name of a variable"),
        ];
        for (value, expected) in cases {
            assert_eq!(check(value), expected, "{value}");
        }
    }

    #[test]
    fn secrets_stand_alone_and_where_nothing_shows_them() {
        let cases = [
            ("secret_access_key", "${file:id.txt}", "\"from a file\" Secret"),
            ("access_key_id", "${secret:partner}", "\"from the store\" Secret"),
            ("session_token", "$${secret:partner}", "\"${secret:partner}\" Written"),
            (
                "secret_access_key",
                "${file:gone}",
                "\"\" Secret | 1:1 the secret in gone cannot be read: no such file",
            ),
            (
                "secret_access_key",
                "${secret:other}",
                "\"\" Secret | 1:1 the secret `other` is not stored",
            ),
            (
                "secret_access_key",
                "x${secret:partner}",
                "\"x${secret:partner}\" Written | 1:1 a secret stands beside other text",
            ),
            (
                "bucket",
                "${secret:partner}",
                "\"${secret:partner}\" Written | 1:1 a secret stands where its value would be shown",
            ),
            ("bucket", "'${secret:../x}'", "\"\" Written | 1:2 `${…}` holds no name of a variable"),
        ];
        for (key, value, expected) in cases {
            assert_eq!(check_at(key, value), expected, "{value}");
        }
    }
}
