//! What is wrong with a body that is JSON and not what the route takes: which member, and what belongs
//! there.
//!
//! The library's own text may quote what was sent, and that may be a password. So of its text only names
//! of members and what was expected are told, never a value.

use serde_json::Error;
use serde_json::error::Category;

use super::problem::{Code, Pointed, Problem};

/// The longest name of a member that is repeated in an answer.
const NAME_CHARS_MAX: usize = 64;

/// The problem of a body that could not be taken.
pub(super) fn problem(body: &[u8], error: &Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    if error.classify() != Category::Data {
        return Problem::new(Code::MalformedRequest, format!("The body is not JSON ({place})."));
    }
    let pointer = pointer(body, offset(body, error.line(), error.column()));
    let text = error.to_string();
    let told =
        told(text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text), &pointer);
    let Told { code, detail, hint } = told.unwrap_or_else(|| Told {
        code: "invalid_value",
        detail: format!("The body does not have the form that the reference gives ({place})."),
        hint: None,
    });
    let hint = hint.unwrap_or_else(|| "GET /api/docs shows the form of every body.".to_owned());
    let pointed = Pointed {
        pointer: Some(pointer),
        place,
        code: code.to_owned(),
        detail: detail.clone(),
        hint: Some(hint.clone()),
    };
    Problem { errors: vec![pointed], ..Problem::new(Code::InvalidValue, detail).hint(hint) }
}

/// What is wrong, and what to do.
struct Told {
    code: &'static str,
    detail: String,
    hint: Option<String>,
}

/// Understands the library's text, or does not.
fn told(text: &str, pointer: &str) -> Option<Told> {
    let of = |code, detail| Some(Told { code, detail, hint: None });
    if let Some(rest) = text.strip_prefix("unknown field `") {
        let (name, known) = rest
            .rsplit_once("`, ")
            .filter(|(_, it)| it.starts_with("there are"))
            .or_else(|| rest.split_once("`, expected "))?;
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let hint = match known.as_slice() {
            [] => "It has no members.".to_owned(),
            known => format!("There are: {}.", known.join(", ")),
        };
        let detail = format!("There is no member `{}` here.", short(name));
        return Some(Told { code: "unknown_key", detail, hint: Some(hint) });
    }
    if let Some(name) = text.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`')) {
        return of("missing_key", format!("{} lacks `{name}`.", place(pointer)));
    }
    if let Some(name) = text.strip_prefix("duplicate field `").and_then(|it| it.strip_suffix('`')) {
        return of("duplicate_key", format!("`{name}` stands there twice."));
    }
    let (_, expected) = text.rsplit_once(", expected ")?;
    let kind = text.split(':').next().unwrap_or_default();
    let wanted = match kind {
        "invalid type" => kind_of(expected)?.to_owned(),
        "invalid value" => range_of(expected)?,
        _ if text.starts_with("unknown variant") => {
            let words: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            let detail = format!("{} is one of {}.", place(pointer), words.join(", "));
            return of("invalid_value", detail);
        }
        _ => return None,
    };
    let code = if kind == "invalid type" { "wrong_type" } else { "invalid_value" };
    of(code, format!("{} has to be {wanted}.", place(pointer)))
}

fn place(pointer: &str) -> String {
    match pointer {
        "" => "The body".to_owned(),
        // A single name is how people call it; what is deeper needs its place.
        pointer => match pointer[1..].contains('/') {
            false => format!("`{}`", short(&pointer[1..])),
            true => format!("`{}`", short(pointer)),
        },
    }
}

fn short(name: &str) -> String {
    let mut short: String = name.chars().take(NAME_CHARS_MAX).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

/// The library's word for what was expected, in the words of JSON.
fn kind_of(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "string" => "a text",
        "a sequence" => "a list",
        "a map" | "map" => "an object",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "an object",
        _ if range_of(expected).is_some() => "a whole number",
        _ => return None,
    })
}

fn range_of(expected: &str) -> Option<String> {
    let (least, most) = match expected {
        "u8" => (0, i128::from(u8::MAX)),
        "u16" => (0, i128::from(u16::MAX)),
        "u32" => (0, i128::from(u32::MAX)),
        "u64" | "usize" => (0, i128::from(u64::MAX)),
        "i32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "i64" | "isize" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => return None,
    };
    Some(format!("a whole number from {least} to {most}"))
}

/// How many bytes lie before a place, which counts lines and columns from 1.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).min(body.len())
}

/// What is open at a place in a text of JSON.
enum Open {
    Object(Option<String>),
    List(Option<usize>),
}

/// The member that a text of JSON was at after so many bytes, as a JSON Pointer. Up to there it was read
/// without an error.
fn pointer(body: &[u8], through: usize) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < through {
        let byte = body[at];
        let opens_list = matches!(open.last(), Some(Open::List(None)));
        if opens_list && !byte.is_ascii_whitespace() && byte != b']' {
            open.pop();
            open.push(Open::List(Some(0)));
        }
        match byte {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::List(None)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Object(key)) => *key = None,
                Some(Open::List(index)) => *index = index.map(|it| it + 1),
                None => {}
            },
            b'"' => {
                let end = end_of_text(body, at);
                if let Some(Open::Object(key @ None)) = open.last_mut() {
                    *key = serde_json::from_slice(&body[at..end]).ok();
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    open.iter()
        .filter_map(|open| match open {
            Open::Object(key) => key.as_deref().map(escaped),
            Open::List(index) => index.map(|it| it.to_string()),
        })
        .map(|step| format!("/{step}"))
        .collect()
}

/// Behind the closing quote of the text that opens at a place.
fn end_of_text(body: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < body.len() && body[end] != b'"' {
        end += if body[end] == b'\\' { 2 } else { 1 };
    }
    (end + 1).min(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Asked {
        name: String,
        #[serde(default)]
        days: u16,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        is_new: bool,
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Part {
        weight: f64,
        tags: Vec<String>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Full,
        Changes,
    }

    fn said(body: &str) -> String {
        let error = serde_json::from_str::<Asked>(body).expect_err("a misfit");
        let problem = problem(body.as_bytes(), &error);
        let place = problem.errors.first();
        let pointer = place.and_then(|it| it.pointer.clone()).unwrap_or_default();
        let code = place.map_or("-", |it| it.code.as_str());
        let hint = problem.hint.filter(|it| !it.starts_with("GET")).unwrap_or_default();
        format!("{} {code} {pointer}: {} {hint}", problem.code.facts().1, problem.detail)
            .trim_end()
            .to_owned()
    }

    #[test]
    fn the_member_is_named_and_what_belongs_there() {
        let told: Vec<String> = [
            r#"{"nme": "canary"}"#,
            r#"{"days": 3}"#,
            r#"{"name": "a", "name": "canary"}"#,
            r#"{"name": 4711}"#,
            r#"{"name": ["canary"]}"#,
            r#"{"name": {"canary": 1}}"#,
            r#"{"name": null}"#,
            r#"{"name": "a", "days": "canary, expected 3"}"#,
            r#"{"name": "a", "days": 100000}"#,
            r#"{"name": "a", "days": -1}"#,
            r#"{"name": "a", "is_new": "yes"}"#,
            r#"{"name": "a", "parts": {"0": 1}}"#,
            r#"{"name": "a", "parts": [{"weight": 1, "tags": []}, {"weight": "heavy", "tags": []}]}"#,
            r#"{"name": "a", "parts": [{"weight": 1, "tags": ["canary", 2]}]}"#,
            r#"{"name": "a", "parts": [{"weight": 1}]}"#,
            r#"{"name": "a/b\"~", "a/b~\"c": 1}"#,
            r#"{"name": "a", "kind": "canary"}"#,
            "{\n  \"name\": \"a\",\n  \"days\": true\n}",
            r#"["a"]"#,
            r#""canary""#,
            r#"{"name": "#,
            "nothing",
        ]
        .into_iter()
        .map(said)
        .collect();
        let told = told.join("\n");
        assert!(!told.contains("canary"), "{told}");
        insta::assert_snapshot!(told, @r#"
        invalid_value unknown_key /nme: There is no member `nme` here. There are: name, days, parts, is_new, kind.
        invalid_value missing_key : The body lacks `name`.
        invalid_value duplicate_key /name: `name` stands there twice.
        invalid_value wrong_type /name: `name` has to be a text.
        invalid_value wrong_type /name: `name` has to be a text.
        invalid_value wrong_type /name: `name` has to be a text.
        invalid_value wrong_type /name: `name` has to be a text.
        invalid_value wrong_type /days: `days` has to be a whole number.
        invalid_value invalid_value /days: `days` has to be a whole number from 0 to 65535.
        invalid_value invalid_value /days: `days` has to be a whole number from 0 to 65535.
        invalid_value wrong_type /is_new: `is_new` has to be true or false.
        invalid_value wrong_type /parts: `parts` has to be a list.
        invalid_value wrong_type /parts/1/weight: `/parts/1/weight` has to be a number.
        invalid_value wrong_type /parts/0/tags/1: `/parts/0/tags/1` has to be a text.
        invalid_value missing_key /parts/0: `/parts/0` lacks `tags`.
        invalid_value unknown_key /a~1b~0"c: There is no member `a/b~"c` here. There are: name, days, parts, is_new, kind.
        invalid_value invalid_value /kind: `kind` is one of full, changes.
        invalid_value wrong_type /days: `days` has to be a whole number.
        invalid_value invalid_value : The body does not have the form that the reference gives (line 1, column 5).
        invalid_value wrong_type : The body has to be an object.
        malformed_request - : The body is not JSON (line 1, column 9).
        malformed_request - : The body is not JSON (line 1, column 2).
        "#);
    }

    #[test]
    fn long_names_are_cut() {
        let said = said(&format!(r#"{{"{}": 1}}"#, "x".repeat(500)));
        assert!(said.contains(&format!("`{}…`", "x".repeat(NAME_CHARS_MAX))), "{said}");
    }
}
