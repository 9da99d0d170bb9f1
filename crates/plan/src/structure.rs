//! The structure check: the tree against the JSON Schema of the file.
//!
//! The schema is generated from the types in `config`, so that there is one description of what a
//! project file may hold. The check understands the part of JSON Schema that these types produce.
//! It reports every unknown key, wrong type, unknown word and missing key at once, and gives back
//! the values that are right, so that they can be decoded and checked for meaning.

use serde_json::{Map, Number, Value};

use crate::diagnostic::{Diagnostic, Span};
use crate::nearest::nearest;
use crate::tree::{Content, Entry, Node, Origin, Resolved, Scalar};

/// The most known names that a hint lists.
const NAMES_LISTED_MAX: usize = 24;

/// Checks `root` against `schema` and returns what is right of it as a JSON value.
pub(crate) fn check(root: &Node, schema: &Value, out: &mut Vec<Diagnostic>) -> Value {
    let mut check = Check { definitions: &schema["$defs"], out };
    let start = Span { start: 0, end: 0, line: 1, column: 1 };
    check.value(root, schema, start).unwrap_or(Value::Null)
}

struct Check<'a> {
    definitions: &'a Value,
    out: &'a mut Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    /// Checks one value; `place` is where something that is missing in it is reported.
    fn value(&mut self, node: &Node, schema: &'a Value, place: Span) -> Option<Value> {
        if node.scalar().is_some_and(|scalar| scalar.unfilled) {
            return None;
        }
        let mut alternatives = Vec::new();
        self.alternatives(schema, &mut alternatives);
        let words: Vec<&str> = alternatives.iter().filter_map(|s| s["const"].as_str()).collect();
        let kinds: Vec<&str> = alternatives
            .iter()
            .filter(|schema| schema.get("const").is_none())
            .flat_map(|schema| kinds(schema))
            .collect();
        if node.is_null() && kinds.contains(&"null") {
            return Some(Value::Null);
        }
        let fitting = |kind: &str| {
            alternatives.iter().find(|s| s.get("const").is_none() && kinds_of(s, kind)).copied()
        };
        match &node.content {
            Content::Mapping(entries) => match fitting("object") {
                Some(schema) => Some(self.mapping(entries, schema, place)),
                None => self.wrong(node, &kinds, &words),
            },
            Content::Sequence(items) => match fitting("array") {
                Some(schema) => self.sequence(items, schema),
                None => self.wrong(node, &kinds, &words),
            },
            Content::Scalar(scalar) => {
                let text = if words.is_empty() { None } else { scalar_text(scalar) };
                match (text, scalar_value(scalar, &kinds)) {
                    (Some(text), _) if words.contains(&text) => Some(Value::from(text)),
                    (_, Some(value)) => self.in_range(node, value, &alternatives),
                    (Some(_), None) => self.unknown_word(node, scalar, &words),
                    (None, None) => self.wrong(node, &kinds, &words),
                }
            }
        }
    }

    /// Follows references and choices down to schemas that name a type or a word.
    fn alternatives(&self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.alternatives(&self.definitions[name], found);
        }
        let choices = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
        match choices {
            Some(choices) => choices.iter().for_each(|choice| self.alternatives(choice, found)),
            None => found.push(schema),
        }
    }

    fn mapping(&mut self, entries: &[Entry], schema: &'a Value, place: Span) -> Value {
        let mut values = Map::new();
        for entry in entries {
            let known = schema["properties"].get(&entry.key);
            let Some(known) = known.or_else(|| {
                schema["additionalProperties"].as_object().map(|_| &schema["additionalProperties"])
            }) else {
                self.unknown_key(entry, schema);
                continue;
            };
            if let Some(value) = self.value(&entry.value, known, entry.key_span) {
                values.insert(entry.key.clone(), value);
            }
        }
        let required =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for key in required {
            if !entries.iter().any(|entry| entry.key == key) {
                let about = schema["properties"][key]["description"].as_str();
                let problem =
                    Diagnostic::error("missing_key", place, format!("the key `{key}` is missing"));
                self.out.push(match about {
                    Some(about) => problem.with_hint(format!("`{key}`: {}", one_line(about))),
                    None => problem,
                });
            }
        }
        Value::Object(values)
    }

    /// A list with a hole is no list: whoever reads it pairs items with nodes by position.
    fn sequence(&mut self, items: &[Node], schema: &'a Value) -> Option<Value> {
        let values: Vec<Option<Value>> = items
            .iter()
            .map(|item| {
                let place = Span { end: item.span.start, ..item.span };
                self.value(item, &schema["items"], place)
            })
            .collect();
        values.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn in_range(&mut self, node: &Node, value: Value, schemas: &[&Value]) -> Option<Value> {
        let Some(number) = value.as_i64().or_else(|| value.as_u64().map(|_| i64::MAX)) else {
            return Some(value);
        };
        let bound = |name: &str| schemas.iter().find_map(|schema| schema[name].as_i64());
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return Some(value);
        }
        let expected = match (least, most) {
            (Some(least), Some(most)) if least == most => format!("{least}"),
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("{least} or more"),
            (None, Some(most)) => format!("{most} or less"),
            (None, None) => return Some(value),
        };
        self.out.push(Diagnostic::error("out_of_range", node.span, format!("expected {expected}")));
        None
    }

    fn unknown_key(&mut self, entry: &Entry, schema: &Value) {
        let properties = schema["properties"].as_object();
        let known: Vec<&str> =
            properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let hint = match nearest(&entry.key, known.iter().copied()) {
            _ if entry.key == "<<" => "Merge keys are not supported; repeat the keys.".to_owned(),
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => format!("Known here: {}.", list(&known)),
        };
        let message = format!("unknown key `{}`", entry.key);
        self.out.push(Diagnostic::error("unknown_key", entry.key_span, message).with_hint(hint));
    }

    fn unknown_word(&mut self, node: &Node, scalar: &Scalar, words: &[&str]) -> Option<Value> {
        let hint = match nearest(&scalar.text, words.iter().copied()) {
            Some(nearest) => format!("Did you mean `{nearest}`? Known: {}.", list(words)),
            None => format!("Known: {}.", list(words)),
        };
        // What a variable holds is not shown: it may not be what it should.
        let message = match scalar.origin {
            Origin::Written => format!("unknown value `{}`", scalar.text),
            Origin::Mixed | Origin::Variable | Origin::Secret => {
                "the variable holds an unknown value".to_owned()
            }
        };
        self.out.push(Diagnostic::error("unknown_value", node.span, message).with_hint(hint));
        None
    }

    fn wrong(&mut self, node: &Node, kinds: &[&str], words: &[&str]) -> Option<Value> {
        let mut expected: Vec<&str> =
            kinds.iter().filter(|kind| **kind != "null").map(|kind| kind_name(kind)).collect();
        if !words.is_empty() {
            expected.push("one of the known words");
        }
        let too_large = kinds.contains(&"integer") && found(node) == "a whole number";
        let found = if too_large { "one that is too large" } else { found(node) };
        let message = format!("expected {}, found {found}", expected.join(" or "));
        let problem = Diagnostic::error("wrong_type", node.span, message);
        let is_scalar = matches!(node.content, Content::Scalar(_)) && !node.is_null();
        self.out.push(if !words.is_empty() {
            problem.with_hint(format!("Known: {}.", list(words)))
        } else if kinds.contains(&"string") && is_scalar {
            problem.with_hint("Put the value in quotes.")
        } else {
            problem
        });
        None
    }
}

fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kinds_of(schema: &Value, wanted: &str) -> bool {
    kinds(schema).contains(&wanted)
}

/// The text of a scalar, unless it is an unquoted number, boolean or null.
fn scalar_text(scalar: &Scalar) -> Option<&str> {
    match scalar.resolve() {
        Resolved::Text(text) => Some(text),
        _ if scalar.origin != Origin::Written => Some(&scalar.text),
        Resolved::Null | Resolved::Boolean(_) | Resolved::Integer(_) | Resolved::Float(_) => None,
    }
}

/// The value of a scalar as one of the kinds. What comes from a variable is text where text is
/// wanted, so that a key of digits alone needs no quotes, and a number where a number is wanted,
/// because quotes around `${…}` are often needed.
fn scalar_value(scalar: &Scalar, kinds: &[&str]) -> Option<Value> {
    if kinds.contains(&"string")
        && let Some(text) = scalar_text(scalar)
    {
        return Some(Value::from(text));
    }
    let resolved = match scalar.origin {
        Origin::Written => scalar.resolve(),
        Origin::Mixed | Origin::Variable | Origin::Secret => scalar.resolve_plain(),
    };
    match resolved {
        Resolved::Boolean(value) if kinds.contains(&"boolean") => Some(Value::from(value)),
        Resolved::Integer(value) if kinds.contains(&"integer") => {
            Some(Value::Number(Number::from_i128(value)?))
        }
        Resolved::Integer(_)
        | Resolved::Float(_)
        | Resolved::Boolean(_)
        | Resolved::Null
        | Resolved::Text(_) => None,
    }
}

fn kind_name(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

fn found(node: &Node) -> &'static str {
    match &node.content {
        Content::Mapping(_) => "a mapping",
        Content::Sequence(_) => "a list",
        Content::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => "nothing",
            Resolved::Boolean(_) => "true or false",
            Resolved::Integer(_) => "a whole number",
            Resolved::Float(_) => "a number",
            Resolved::Text(_) => "text",
        },
    }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<String> =
        names.iter().take(NAMES_LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMES_LISTED_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn one_line(description: &str) -> String {
    description.split_whitespace().collect::<Vec<_>>().join(" ")
}
