//! The parts of a rule, at their places in what a person wrote.

use std::ops::Range;

use ::plan::Span;
use ::plan::project::{RuleOrigin, Segment};
use engine::{Join, Judged, Outcome, Value};
use serde_json::json;

use super::Case;
use crate::cli::table;

/// The most characters of a part or a value in a table; JSON has all.
const CHARS_MAX: usize = 80;

/// A table of the parts, the deciding ones marked.
pub(super) fn text(case: &Case<'_>, rule: &Judged) -> String {
    let mut rows = Vec::new();
    add(case, case.segment, rule, 0, &mut rows);
    let table = table::table(&["", "is", "part of the rule", "values", "where"], &[], rows);
    match &rule.outcome {
        Outcome::Failed(message) => format!("{table}\n\nThe rule cannot be computed: {message}."),
        _ => table,
    }
}

fn add(
    case: &Case<'_>,
    segment: &Segment,
    part: &Judged,
    depth: usize,
    rows: &mut Vec<Vec<String>>,
) {
    let segment = rule_of(case, segment, part);
    let written = Written::of(case, segment, &part.range);
    let what = match part.join {
        Join::All => "all of:".to_owned(),
        Join::Any => "one of:".to_owned(),
        Join::Not => "not:".to_owned(),
        Join::Known => "true, and not unknown:".to_owned(),
        Join::Condition => short(&written.text),
    };
    let what = match &part.segment {
        Some(key) => format!("`{key}`: {what}"),
        None => what,
    };
    let fields = part.fields.iter().map(|it| shown(case, &it.of, it));
    let calculated = part.calculated.iter().map(|it| {
        let side = Written::of(case, segment, &it.of).text;
        shown(case, &short(&side), it)
    });
    rows.push(vec![
        if part.decides { "→".to_owned() } else { String::new() },
        word(&part.outcome).to_owned(),
        format!("{}{what}", "  ".repeat(depth)),
        fields.chain(calculated).collect::<Vec<_>>().join("; "),
        written.place.unwrap_or_default(),
    ]);
    part.parts.iter().for_each(|inner| add(case, segment, inner, depth + 1, rows));
}

/// The segment in whose rule a part stands: its own, if it is a rule, or that of what is around it.
fn rule_of<'a>(case: &'a Case<'_>, around: &'a Segment, part: &Judged) -> &'a Segment {
    let own = part.segment.as_ref().and_then(|key| case.workspace.project.segment(key));
    own.unwrap_or(around)
}

fn shown<N>(case: &Case<'_>, name: &str, value: &Value<N>) -> String {
    match &value.value {
        Some(value) => format!("{name} = {}", short(&case.shown(value))),
        None => format!("{name} is missing"),
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::True => "true",
        Outcome::False => "false",
        Outcome::Unknown => "unknown",
        Outcome::Failed(_) => "failed",
    }
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

pub(super) fn as_json(case: &Case<'_>, rule: &Judged) -> serde_json::Value {
    part_as_json(case, case.segment, rule)
}

fn part_as_json(case: &Case<'_>, segment: &Segment, part: &Judged) -> serde_json::Value {
    let segment = rule_of(case, segment, part);
    let written = Written::of(case, segment, &part.range);
    let join = match part.join {
        Join::All => "all",
        Join::Any => "any",
        Join::Not => "not",
        Join::Known => "known",
        Join::Condition => "condition",
    };
    let value = |value: &Option<String>| value.as_ref().map(|value| case.shown(value));
    let fields = part.fields.iter();
    let fields = fields.map(|it| json!({ "field": it.of, "value": value(&it.value) }));
    let calculated = part.calculated.iter().map(
        |it| json!({ "text": Written::of(case, segment, &it.of).text, "value": value(&it.value) }),
    );
    let mut json = json!({
        "join": join,
        "outcome": word(&part.outcome),
        "decides": part.decides,
        "text": written.text,
        "place": written.place,
        "fields": fields.collect::<Vec<_>>(),
        "calculated": calculated.collect::<Vec<_>>(),
        "parts": part.parts.iter().map(|part| part_as_json(case, segment, part)).collect::<Vec<_>>(),
    });
    if let Some(key) = &part.segment {
        json["segment"] = key.as_str().into();
    }
    if let Outcome::Failed(message) = &part.outcome {
        json["error"] = message.as_str().into();
    }
    json
}

/// A part of a rule as somebody wrote it, in SQL or PQL.
struct Written {
    text: String,
    /// File, line and column, where they can be told.
    place: Option<String>,
}

impl Written {
    fn of(case: &Case<'_>, segment: &Segment, range: &Range<usize>) -> Self {
        let rule = &segment.rule;
        let (origin, offset, length) = rule.origin.written(range.start, range.len());
        let as_sql = || rule.text.get(range.clone()).unwrap_or_default().to_owned();
        let found = match origin {
            RuleOrigin::File { path, .. } => {
                let text = match &rule.origin {
                    RuleOrigin::File { .. } => Some(rule.text.clone()),
                    _ => std::fs::read_to_string(case.workspace.folder.join(path)).ok(),
                };
                text.map(|text| (path.clone(), text, offset..offset + length))
            }
            _ => origin.place(offset, length).map(|span| {
                let place = case.workspace.source.place(span);
                (place.name, place.text.to_owned(), place.span.start..place.span.end)
            }),
        };
        let Some((path, text, range)) = found.filter(|(_, _, range)| !range.is_empty()) else {
            return Self { text: as_sql(), place: None };
        };
        let at = Span::of(&text, range.clone());
        let place = Some(format!("{path}:{}:{}", at.line, at.column));
        Self { text: text.get(range).map_or_else(as_sql, str::to_owned), place }
    }
}
