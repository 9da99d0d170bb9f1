//! One value out of a text that is JSON.

use plan::field::{FieldPath, Step};
use serde_json::Value;

use super::Texts;

pub(super) const ALL: [Texts; 1] =
    [Texts { name: "json_value", least: 2, most: 2, apply: json_value }];

/// `json_value(text, 'items[0].sku')`: the value at a path, counted from 0 as in mappings. A text
/// is given as it is, an object or list as JSON; nothing for null, and for what is not there.
fn json_value(texts: &[&str]) -> Option<String> {
    let path = FieldPath::parse(texts[1]).ok()?;
    let mut value: Value = serde_json::from_str(texts[0]).ok()?;
    for step in path.steps() {
        value = match (step, value) {
            (Step::Field(name) | Step::Key(name), Value::Object(mut fields)) => {
                fields.remove(name)?
            }
            (Step::Index(index), Value::Array(mut items)) => {
                let index = usize::try_from(*index).ok().filter(|index| *index < items.len())?;
                items.swap_remove(index)
            }
            _ => return None,
        };
    }
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
