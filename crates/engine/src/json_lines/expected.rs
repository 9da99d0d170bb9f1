//! The shape that lines have to have: that of the fields which are read.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Fields};

use super::scan::{Node, Refusal, Shape, Value};
use crate::{digits, fields};

/// What to do about a value of another type than its field.
const OTHER_TYPE: &str = "Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first lines.";
/// What to do about a value of another shape than its field.
const OTHER_SHAPE: &str = "A field is a single value, a list or an object in all lines alike.";

/// Fields, as nodes.
///
/// What a decoder refuses by itself is left to it, since it is fast; only what it would change
/// without a word is looked at in every line. The thorough one asks the decoder value by value, to
/// find the one that it refused.
#[derive(Debug)]
pub(super) struct Expected {
    nodes: Vec<Kind>,
    is_thorough: bool,
}

#[derive(Debug)]
enum Kind {
    Object(HashMap<String, Node>),
    Map(Node),
    List(Node),
    Single(DataType),
}

impl Expected {
    pub(super) fn new(fields: &Fields) -> Self {
        let mut expected = Self { nodes: Vec::new(), is_thorough: false };
        expected.add(&DataType::Struct(fields.clone()));
        expected
    }

    pub(super) fn thorough(self) -> Self {
        Self { is_thorough: true, ..self }
    }

    fn add(&mut self, data_type: &DataType) -> Node {
        let node = self.nodes.len();
        self.nodes.push(Kind::Single(data_type.clone()));
        let kind = match data_type {
            DataType::Struct(fields) => Kind::Object(
                fields
                    .iter()
                    .map(|field| (field.name().clone(), self.add(field.data_type())))
                    .collect(),
            ),
            DataType::List(element) => Kind::List(self.add(element.data_type())),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    Kind::Map(self.add(fields[1].data_type()))
                }
                _ => return node,
            },
            _ => return node,
        };
        self.nodes[node] = kind;
        node
    }
}

impl Shape for Expected {
    fn member(&mut self, object: Node, name: &str) -> Option<Node> {
        match &self.nodes[object] {
            Kind::Object(members) => members.get(name).copied(),
            Kind::Map(value) => Some(*value),
            Kind::List(_) | Kind::Single(_) => None,
        }
    }

    fn element(&mut self, list: Node) -> Option<Node> {
        match &self.nodes[list] {
            Kind::List(element) => Some(*element),
            Kind::Object(_) | Kind::Map(_) | Kind::Single(_) => None,
        }
    }

    fn found(&mut self, node: Node, value: Value<'_>) -> Result<(), Refusal> {
        let other = |wanted: &str| {
            let message = format!("the value is {}, where the field is {wanted}", value.name());
            Err(Refusal::new(message).with_hint(OTHER_SHAPE))
        };
        match (&self.nodes[node], value) {
            (_, Value::Null) => Ok(()),
            (Kind::Object(_) | Kind::Map(_), Value::Object) | (Kind::List(_), Value::List) => {
                Ok(())
            }
            (Kind::Object(_) | Kind::Map(_), _) => other("an object"),
            (Kind::List(_), _) => other("a list"),
            (Kind::Single(_), Value::Object | Value::List) => other("a single value"),
            (Kind::Single(data_type), value) => {
                single(data_type, value)?;
                if self.is_thorough && !decodes(data_type, value) {
                    return Err(not_of_type(data_type));
                }
                Ok(())
            }
        }
    }
}

fn not_of_type(data_type: &DataType) -> Refusal {
    let kind = fields::kind_of(data_type);
    Refusal::new(format!("a value is not of type {}", kind.name())).with_hint(OTHER_TYPE)
}

/// Refuses a single value that a decoder would change.
fn single(data_type: &DataType, value: Value<'_>) -> Result<(), Refusal> {
    let written = match value {
        Value::Number(number) => number,
        Value::Text(text) => return kept(data_type, text.trim_matches('"')),
        _ => return Ok(()),
    };
    match data_type {
        // A fraction would be cut off, and a large number be rounded on its way.
        DataType::Int64 if written.parse::<i64>().is_err() && !is_whole(written) => {
            let is_large = !written.contains(['.', 'e', 'E']);
            Err(if is_large { beyond_64_bits() } else { not_of_type(data_type) })
        }
        // It would be taken for a number of days or of microseconds, whatever it counts.
        DataType::Date32 | DataType::Timestamp(..) => {
            let kind = fields::kind_of(data_type);
            let message = format!("the value is a number, where the field is a {}", kind.name());
            Err(Refusal::new(message).with_hint(
                "Leave its type out of `types:`, and turn it into a time where it is used: `to_timestamp(field)` for seconds.",
            ))
        }
        _ => kept(data_type, written),
    }
}

/// Whether a number with a dot or an exponent is a whole one all the same, such as `1.0` and `2e3`.
fn is_whole(written: &str) -> bool {
    /// Every whole number up to this is a 64-bit float.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    written.contains(['.', 'e', 'E'])
        && digits::survive_as_float(written)
        && written.parse::<f64>().is_ok_and(|it| it.fract() == 0.0 && it.abs() <= EXACT_MAX)
}

fn beyond_64_bits() -> Refusal {
    Refusal::new("a whole number is beyond 64 bits")
        .with_hint("Declare the field as `string` under `types:`, which keeps every digit.")
}

fn kept(data_type: &DataType, written: &str) -> Result<(), Refusal> {
    if digits::survive(written, data_type) {
        return Ok(());
    }
    let message =
        format!("a number has more digits than type {} holds", fields::kind_of(data_type).name());
    Err(Refusal::new(message)
        .with_hint("Declare the field as `string` under `types:`, which keeps every digit."))
}

/// Whether the decoder takes a single value.
fn decodes(data_type: &DataType, value: Value<'_>) -> bool {
    let written = match value {
        Value::Boolean(written) | Value::Number(written) | Value::Text(written) => written,
        Value::Null | Value::List | Value::Object => return true,
    };
    let field = arrow::datatypes::Field::new("v", data_type.clone(), true);
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(vec![field]));
    super::decode(&schema, &format!("{{\"v\":{written}}}\n"), 1).is_some()
}
