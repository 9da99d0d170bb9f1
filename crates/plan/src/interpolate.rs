//! `${NAME}` and `${NAME:-default}` in the values of a project file.
//!
//! `$${` stands for a plain `${`. Keys are never touched, and a value is filled in once: a
//! variable whose value holds `${…}` is taken as it is. Messages name variables, never values.

use crate::diagnostic::{Diagnostic, Span};
use crate::tree::{Content, Node, Origin, Scalar};

/// Finds the value of a variable.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Fills in every scalar below `node` and reports each variable that has no value.
pub(crate) fn interpolate(node: &mut Node, variables: Variables<'_>, out: &mut Vec<Diagnostic>) {
    let place = node.text_span();
    match &mut node.content {
        Content::Scalar(scalar) if scalar.text.contains("${") => {
            fill(scalar, place, variables, out)
        }
        Content::Scalar(_) => {}
        Content::Sequence(items) => {
            items.iter_mut().for_each(|item| interpolate(item, variables, out));
        }
        Content::Mapping(entries) => {
            entries.iter_mut().for_each(|entry| interpolate(&mut entry.value, variables, out));
        }
    }
}

/// A stretch of a scalar.
enum Piece<'a> {
    Text(&'a str),
    Variable { name: &'a str, default: Option<&'a str> },
}

fn fill(scalar: &mut Scalar, place: Span, variables: Variables<'_>, out: &mut Vec<Diagnostic>) {
    let (pieces, problems) = split(&scalar.text);
    let before = out.len();
    for (offset, problem) in problems {
        out.push(broken(at(scalar, place, offset, 2), problem));
    }
    let mut text = String::new();
    let mut variables_seen = 0;
    for (offset, piece) in &pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Variable { name, default } => {
                variables_seen += 1;
                // As in a shell, `:-` also replaces an empty value.
                let value =
                    variables(name).filter(|value| !(value.is_empty() && default.is_some()));
                match value.as_deref().or(*default) {
                    Some(value) => text.push_str(value),
                    None => out.push(unknown(at(scalar, place, *offset, name.len() + 3), name)),
                }
            }
        }
    }
    scalar.origin = match pieces.as_slice() {
        [(_, Piece::Variable { default: None | Some(""), .. })] => Origin::Variable,
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

fn variable(inside: &str) -> Option<Piece<'_>> {
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
        .with_hint("Write `${NAME}` or `${NAME:-default}`; `$${` stands for a plain `${`.")
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
        interpolate(&mut root, &variables, &mut problems);
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
}
