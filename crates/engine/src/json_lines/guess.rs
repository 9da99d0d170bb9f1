//! The shape that lines turn out to have: the fields of a file, guessed from its first lines.
//!
//! A guess keeps every value as it is: numbers that neither a 64-bit integer nor a 64-bit float
//! holds with all their digits make the field a text, as values of different types do.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::scan::{Node, Refusal, Shape, Value};
use crate::digits;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Guess {
    nodes: Vec<Found>,
    /// The number of the line that is looked at.
    pub(super) line: u64,
}

/// What was found in one place of the lines.
#[derive(Debug, Default)]
struct Found {
    single: Single,
    element: Option<Node>,
    members: Vec<(String, Node)>,
    by_name: HashMap<String, Node>,
    /// The first value that is not null: what it was, and in which line.
    first: Option<(Form, u64)>,
}

/// What values of one field have to have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Single(&'static str),
    List,
    Object,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Single(name) => name,
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// The kinds of single values that were found.
#[derive(Debug, Default)]
struct Single {
    boolean: bool,
    whole: bool,
    /// A whole number of 64 bits that no float holds.
    long: bool,
    fraction: bool,
    text: bool,
}

impl Single {
    fn add(&mut self, value: Value<'_>) {
        match value {
            Value::Boolean(_) => self.boolean = true,
            Value::Number(number) if number.parse::<i64>().is_ok() => {
                self.whole = true;
                self.long |= !digits::survive_as_float(number);
            }
            Value::Number(number) if !number.contains(['.', 'e', 'E']) => self.text = true,
            Value::Number(number) if digits::survive_as_float(number) => self.fraction = true,
            Value::Number(_) | Value::Text(_) => self.text = true,
            Value::Null | Value::List | Value::Object => {}
        }
    }

    fn data_type(&self) -> DataType {
        let is_number = self.whole || self.fraction;
        let is_mixed = (self.boolean && is_number) || (self.fraction && self.long);
        match () {
            () if self.text || is_mixed => DataType::Utf8View,
            () if self.boolean => DataType::Boolean,
            () if self.fraction => DataType::Float64,
            () if self.whole => DataType::Int64,
            () => DataType::Null,
        }
    }
}

impl Guess {
    pub(super) fn new() -> Self {
        let root = Found { first: Some((Form::Object, 0)), ..Found::default() };
        Self { nodes: vec![root], line: 0 }
    }

    /// The fields, in the order in which they were first seen.
    pub(super) fn fields(&self) -> Fields {
        self.members(super::scan::ROOT)
    }

    fn members(&self, node: Node) -> Fields {
        let members = self.nodes[node].members.iter();
        members.map(|(name, node)| Field::new(name, self.data_type(*node), true)).collect()
    }

    fn data_type(&self, node: Node) -> DataType {
        let found = &self.nodes[node];
        match found.first {
            None => DataType::Null,
            Some((Form::Single(_), _)) => found.single.data_type(),
            Some((Form::Object, _)) => DataType::Struct(self.members(node)),
            Some((Form::List, _)) => {
                let element = found.element.map_or(DataType::Null, |it| self.data_type(it));
                DataType::List(Arc::new(Field::new_list_field(element, true)))
            }
        }
    }

    fn add(&mut self) -> Node {
        self.nodes.push(Found::default());
        self.nodes.len() - 1
    }
}

impl Shape for Guess {
    fn member(&mut self, object: Node, name: &str) -> Option<Node> {
        if let Some(known) = self.nodes[object].by_name.get(name) {
            return Some(*known);
        }
        let added = self.add();
        let object = &mut self.nodes[object];
        object.members.push((name.to_owned(), added));
        object.by_name.insert(name.to_owned(), added);
        Some(added)
    }

    fn element(&mut self, list: Node) -> Option<Node> {
        if self.nodes[list].element.is_none() {
            self.nodes[list].element = Some(self.add());
        }
        self.nodes[list].element
    }

    fn found(&mut self, node: Node, value: Value<'_>) -> Result<(), Refusal> {
        let form = match value {
            Value::Null => return Ok(()),
            Value::List => Form::List,
            Value::Object => Form::Object,
            Value::Boolean(_) | Value::Number(_) | Value::Text(_) => Form::Single(value.name()),
        };
        let line = self.line;
        let found = &mut self.nodes[node];
        let (first, first_line) = *found.first.get_or_insert((form, line));
        found.single.add(value);
        let is_same = matches!((first, form), (Form::Single(_), Form::Single(_))) || first == form;
        if is_same {
            return Ok(());
        }
        let there = match first_line == line {
            true => "before in this line".to_owned(),
            false => format!("in line {first_line}"),
        };
        let message = format!("the value is {} here, and {} {there}", form.name(), first.name());
        Err(Refusal::new(message)
            .with_hint("A field is a single value, a list or an object in all lines alike."))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn guessed(lines: &[&str]) -> String {
        let mut guess = Guess::new();
        for (number, line) in (1..).zip(lines) {
            guess.line = number;
            if let Err(fault) = scan(line, &mut guess) {
                return format!("line {number}, {}: {}", fault.field, fault.refusal.message);
            }
        }
        guess.fields().find("a").map_or("none".to_owned(), |(_, it)| it.data_type().to_string())
    }

    #[test]
    fn a_guess_holds_what_was_found() {
        let cases: [(&[&str], &str); 20] = [
            (&[r#"{"a":null}"#], "Null"),
            (&[r#"{"a":null}"#, r#"{"a":1}"#], "Int64"),
            (&[r#"{"a":9223372036854775807}"#], "Int64"),
            (&[r#"{"a":9223372036854775808}"#], "Utf8View"),
            (&[r#"{"a":123456789012345678901234567890}"#, r#"{"a":1}"#], "Utf8View"),
            (&[r#"{"a":1}"#, r#"{"a":2.5}"#], "Float64"),
            (&[r#"{"a":1.0}"#], "Float64"),
            (&[r#"{"a":9007199254740993}"#, r#"{"a":2.5}"#], "Utf8View"),
            (&[r#"{"a":0.1234567890123456789}"#], "Utf8View"),
            (&[r#"{"a":true}"#, r#"{"a":1}"#], "Utf8View"),
            (&[r#"{"a":true}"#], "Boolean"),
            (&[r#"{"a":1}"#, r#"{"a":"x"}"#], "Utf8View"),
            (&[r#"{"a":[]}"#, r#"{"a":[1]}"#], "List(Int64)"),
            (&[r#"{"a":[1,"x",null]}"#], "List(Utf8View)"),
            (&[r#"{"a":{"b":1}}"#, r#"{"a":{"c":[]}}"#], "Struct(\"b\": Int64, \"c\": List(Null))"),
            (&[r#"{"b":1}"#], "none"),
            (
                &[r#"{"a":1}"#, "{}", r#"{"a":[1]}"#],
                "line 3, a: the value is a list here, and a number in line 1",
            ),
            (
                &[r#"{"a":{}}"#, r#"{"a":"x"}"#],
                "line 2, a: the value is a text here, and an object in line 1",
            ),
            (
                &[r#"{"a":[{"b":1},{"b":{}}]}"#],
                "line 1, a.b: the value is an object here, and a number before in this line",
            ),
            (&[r#"{"a":null}"#, r#"{"a":{"b":null}}"#], "Struct(\"b\": Null)"),
        ];
        for (lines, expected) in cases {
            assert_eq!(guessed(lines), expected, "{lines:?}");
        }
    }
}
