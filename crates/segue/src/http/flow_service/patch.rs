//! JSON Patch (RFC 6902) as scripts for the Flow Service send it: `add`, `replace`, `remove` and `test`,
//! in either case of letters. Operations are done one after the other, so that an index counts what the
//! operations before it left.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::misfit;
use crate::http::problem::Problem;

/// The most operations of one request.
const OPERATIONS_MAX: usize = 1_000;

/// One operation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// add, replace, remove or test
    op: String,
    /// Where, as a JSON Pointer
    path: String,
    /// What is put there; `remove` needs none
    #[serde(default)]
    value: Value,
}

/// Does all operations, or none.
pub(super) fn patch(document: &mut Value, operations: &[Operation]) -> Result<(), Problem> {
    if operations.len() > OPERATIONS_MAX {
        let detail = format!("There are more than {OPERATIONS_MAX} operations.");
        return Err(misfit("", detail, "Send them in several requests."));
    }
    let mut next = document.clone();
    for (index, operation) in operations.iter().enumerate() {
        perform(&mut next, operation).map_err(|detail| {
            let hint = "GET the flow to see its members; indices count from 0, after the operations before.";
            misfit(&format!("/{index}"), format!("`{}`: {detail}.", operation.path), hint)
        })?;
    }
    *document = next;
    Ok(())
}

fn perform(document: &mut Value, operation: &Operation) -> Result<(), &'static str> {
    let value = || operation.value.clone();
    match operation.op.to_ascii_lowercase().as_str() {
        "add" => {
            let (parent, last) = parent(document, &operation.path)?;
            match parent {
                Value::Object(members) => {
                    members.insert(last, value());
                }
                Value::Array(items) => {
                    let at = if last == "-" { items.len() } else { index(&last)? };
                    if at > items.len() {
                        return Err("the list is not so long");
                    }
                    items.insert(at, value());
                }
                _ => return Err("there is nothing to add to"),
            }
        }
        "replace" => *found(document, &operation.path)? = value(),
        "remove" => {
            let (parent, last) = parent(document, &operation.path)?;
            match parent {
                Value::Object(members) => {
                    members.remove(&last).ok_or("there is no such member")?;
                }
                Value::Array(items) => {
                    let at = index(&last)?;
                    if at >= items.len() {
                        return Err("the list is not so long");
                    }
                    items.remove(at);
                }
                _ => return Err("there is no such member"),
            }
        }
        "test" => {
            if *found(document, &operation.path)? != operation.value {
                return Err("it has another value");
            }
        }
        _ => return Err("the operation is none of add, replace, remove and test"),
    }
    Ok(())
}

fn found<'a>(document: &'a mut Value, path: &str) -> Result<&'a mut Value, &'static str> {
    document.pointer_mut(path).ok_or("there is no such member")
}

/// What holds the last part of a path, and that part.
fn parent<'a>(
    document: &'a mut Value,
    path: &str,
) -> Result<(&'a mut Value, String), &'static str> {
    let (before, last) = path.rsplit_once('/').ok_or("a path begins with `/`")?;
    let last = last.replace("~1", "/").replace("~0", "~");
    Ok((found(document, before)?, last))
}

fn index(text: &str) -> Result<usize, &'static str> {
    let is_plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain).ok_or("an index is a whole number")
}
