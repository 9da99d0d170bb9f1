//! Text to pieces, with a place for every problem.

use super::date_pattern::{DatePattern, LETTERS};
use super::{MACROS, Macro, Part, Piece, TemplateError, is_safe, is_tolerated, safe_in_file_name};
use crate::nearest::nearest;

pub(super) fn parse(text: &str, part: Part) -> Result<Vec<Piece>, Vec<TemplateError>> {
    let (mut pieces, mut errors) = (Vec::new(), Vec::new());
    let mut offset = 0;
    while offset < text.len() {
        let literal_end = text[offset..].find('%').map_or(text.len(), |found| offset + found);
        if literal_end > offset {
            let literal = &text[offset..literal_end];
            check_literal(literal, offset, part, &mut errors);
            pieces.push(Piece::Literal(match part {
                Part::Folder => literal.to_owned(),
                Part::FileName => safe_in_file_name(literal),
            }));
            offset = literal_end;
            continue;
        }
        let Some(length) = macro_length(&text[offset..]) else {
            errors.push(unclosed(text, offset));
            break;
        };
        match parse_macro(&text[offset + 1..offset + length - 1], offset) {
            Ok(found) => pieces.push(Piece::Macro(found)),
            Err(error) => errors.push(error),
        }
        offset += length;
    }
    check_whole(text, part, &pieces, &mut errors);
    if errors.is_empty() { Ok(pieces) } else { Err(errors) }
}

/// The length of the macro that `rest` begins with, both percent signs included.
fn macro_length(rest: &str) -> Option<usize> {
    rest[1..].find('%').map(|end| end + 2)
}

fn parse_macro(inside: &str, offset: usize) -> Result<Macro, TemplateError> {
    let (name, argument) = match inside.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (inside, None),
    };
    let found = match name {
        "DESTINATION_NAME" => Macro::DestinationName,
        "DESTINATION_ID" => Macro::DestinationId,
        "SEGMENT_NAME" => Macro::SegmentName,
        "SEGMENT_ID" => Macro::SegmentId,
        "ACTIVATION_NAME" => Macro::ActivationName,
        "ACTIVATION_ID" => Macro::ActivationId,
        "RUN_ID" => Macro::RunId,
        "TIMESTAMP" => Macro::Timestamp,
        "DATETIME" => return date_time(inside, argument, offset),
        _ => return Err(unknown_macro(inside, name, offset)),
    };
    if inside.contains('(') {
        let message = format!("the macro `%{name}%` takes no argument");
        return Err(error("macro_argument", offset, inside.len() + 2, message)
            .with_hint(format!("Write `%{name}%`.")));
    }
    Ok(found)
}

fn date_time(inside: &str, argument: Option<&str>, offset: usize) -> Result<Macro, TemplateError> {
    let example = "Write for example `%DATETIME(yyyyMMdd_HHmmss)%`.";
    let Some(pattern) = argument else {
        let message = "the macro `%DATETIME(…)%` needs a pattern";
        return Err(error("macro_argument", offset, inside.len() + 2, message).with_hint(example));
    };
    DatePattern::parse(pattern).map(Macro::DateTime).map_err(|problem| {
        let message = format!("the date pattern does not know `{}`", problem.found);
        let place = offset + "%DATETIME(".len() + problem.offset;
        let hint = match LETTERS.iter().find(|l| l.eq_ignore_ascii_case(problem.found)) {
            Some(meant) => format!("Did you mean `{meant}`? {}", letters_known()),
            None => letters_known(),
        };
        error("date_pattern", place, problem.found.len(), message).with_hint(hint)
    })
}

fn letters_known() -> String {
    "Known are yyyy MM dd HH mm ss SSS, the signs - _ . : T Z, and 'text' in single quotes."
        .to_owned()
}

fn unknown_macro(inside: &str, name: &str, offset: usize) -> TemplateError {
    let known = MACROS.map(|name| match name {
        "DATETIME" => "`%DATETIME(pattern)%`".to_owned(),
        name => format!("`%{name}%`"),
    });
    let hint = match nearest(name, MACROS) {
        Some(nearest) => format!("Did you mean `%{nearest}%`? Known: {}.", known.join(", ")),
        None => format!("Known: {}.", known.join(", ")),
    };
    let message = format!("unknown macro `%{inside}%`");
    error("unknown_macro", offset, inside.len() + 2, message).with_hint(hint)
}

fn unclosed(text: &str, offset: usize) -> TemplateError {
    error("unclosed_macro", offset, text.len() - offset, "a macro has no closing `%`").with_hint(
        "Put `%` behind the macro's name; a plain percent sign is not possible in a name.",
    )
}

fn check_literal(literal: &str, offset: usize, part: Part, errors: &mut Vec<TemplateError>) {
    for (position, c) in literal.char_indices() {
        let problem = match (part, c) {
            (_, '{' | '}') => {
                Some(("unknown_macro", "macros are not written in braces".to_owned()))
            }
            (_, c) if c.is_control() => Some(("key_character", "a control character".to_owned())),
            (_, '\\') => Some(("key_character", "a backslash".to_owned())),
            (Part::FileName, '/') => Some(("file_name_slash", "a slash in a file name".to_owned())),
            (Part::Folder, c) if c != '/' && !is_safe(c) && !is_tolerated(c) && !is_mark(c) => {
                Some(("key_character", format!("the character `{c}` is unsafe in a folder")))
            }
            _ => None,
        };
        if let Some((code, message)) = problem {
            let problem = error(code, offset + position, c.len_utf8(), message);
            errors.push(problem.with_hint(character_hint(part, c)));
        }
    }
}

/// A mark that combines with the letter before it; the expanded text is composed (NFC).
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn character_hint(part: Part, c: char) -> &'static str {
    match (part, c) {
        (_, '{' | '}') => "Write macros between percent signs: `%SEGMENT_NAME%`.",
        (Part::FileName, '/') => "Put folders into `folder:` of the destination.",
        (_, '\\') => "Separate folders with `/`.",
        _ => "Use letters, digits, and ! _ . * ' ( ) = -",
    }
}

/// Checks what only the whole text shows.
fn check_whole(text: &str, part: Part, pieces: &[Piece], errors: &mut Vec<TemplateError>) {
    let has = |wanted: fn(&Macro) -> bool| {
        pieces.iter().any(|piece| matches!(piece, Piece::Macro(found) if wanted(found)))
    };
    if has(|found| matches!(found, Macro::DateTime(_))) && has(|found| *found == Macro::Timestamp) {
        let message = "both `%DATETIME(…)%` and `%TIMESTAMP%`";
        let hint = "Keep one of the two; both tell the slot's time.";
        errors.push(error("datetime_and_timestamp", 0, text.len(), message).with_hint(hint));
    }
    match part {
        Part::Folder => check_steps(text, errors),
        Part::FileName if text.trim().is_empty() => {
            let hint = "Leave the key out for the default name.";
            errors.push(
                error("empty_file_name", 0, text.len(), "the file name is empty").with_hint(hint),
            );
        }
        Part::FileName => {}
    }
}

/// Empty, `.` and `..` steps would be kept literally by S3 and resolved by tools that take keys
/// for paths, so that one export could land on another's key.
fn check_steps(text: &str, errors: &mut Vec<TemplateError>) {
    if text.is_empty() {
        return;
    }
    let message = if text.starts_with('/') {
        "the folder begins with a slash"
    } else if text.ends_with('/') {
        "the folder ends with a slash"
    } else if text.contains("//") {
        "the folder has an empty step (`//`)"
    } else if text.split('/').any(|step| matches!(step, "." | "..")) {
        "the folder has a `.` or `..` step"
    } else if text.split('/').any(|step| step != step.trim()) {
        "a step of the folder begins or ends with a space"
    } else {
        return;
    };
    let steps = text.split(['/', '\\']).map(str::trim);
    let steps: Vec<&str> = steps.filter(|step| !matches!(*step, "" | "." | "..")).collect();
    let hint = match steps.as_slice() {
        [] => "Leave the key out for the root of the bucket.".to_owned(),
        steps => format!("Write `{}`.", steps.join("/")),
    };
    errors.push(error("folder_form", 0, text.len(), message).with_hint(hint));
}

fn error(
    code: &'static str,
    offset: usize,
    length: usize,
    message: impl Into<String>,
) -> TemplateError {
    TemplateError { offset, length, code, message: message.into(), hint: None }
}

impl TemplateError {
    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
