//! What functions take, for whoever gave them something else. The engine speaks of signatures.

use arrow::datatypes::DataType;
use plan::schema::FieldType;
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::compile::Planner;
use crate::fields;

/// Functions, what they take, and what to do about anything else.
const TAKES: [(&[&str], &str, &str); 14] = [
    (
        &["map_keys", "map_values", "map_entries"],
        "a map",
        "An object of `to_object` is none; `str_to_object` and `arrays_to_object` make maps.",
    ),
    (&["map_extract", "element_at"], "a map and a key", "Of an object write `x['name']`."),
    (&["map"], "a list of keys and a list of values", "Write `arrays_to_object(['a'], [x])`."),
    (&["cardinality"], "a list or a map", "The length of a text is `length(x)`."),
    (
        &["array_to_string"],
        "a list of single values, a separator, and perhaps a text for what is missing",
        "Of an object take its values: `concat_ws(',', x.a, x.b)`.",
    ),
    (
        &["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "crc32"],
        "one text",
        "Convert other values with `CAST(x AS VARCHAR)`.",
    ),
    (&["hash_email"], "one text", "Convert other values with `CAST(x AS VARCHAR)`."),
    (
        &["hash_phone", "normalize_phone"],
        "a text, and perhaps the two letters of a country",
        "Write `hash_phone(phone, 'FR')`. Of a number, `CAST(phone AS VARCHAR)` is a text; zeros that it began with are lost, unless the field is declared as a string under `types:`.",
    ),
    (
        &["str_to_object"],
        "a text, what stands between pairs, and what stands in a pair",
        "Write `str_to_object(x, '&', '=')`.",
    ),
    (&["json_value"], "a text and a path", "Write `json_value(x, 'items[0].sku')`."),
    (
        &["get_url_protocol", "get_url_host", "get_url_port", "get_url_path", "get_url_query_str"],
        "a text that is an address of the web",
        "Convert other values with `CAST(x AS VARCHAR)`.",
    ),
    (
        &["named_struct"],
        "names in single quotes, each followed by its value",
        "Write `to_object('amount', x, 'currency', 'EUR')`.",
    ),
    (
        &["array_element", "array_concat", "array_has", "array_length", "array_max", "array_min"],
        "a list first",
        "A list of values is written `[a, b]`.",
    ),
    (&["flatten"], "a list of lists", "A list of values is written `[a, b]`."),
];

/// What is wrong with the arguments of a call that does not compile though each of them does, and
/// what to do, where that is known; `written` is what the function is called in the text.
pub(super) fn wrong_arguments(
    planner: &Planner,
    call: &Function,
    written: &str,
) -> Option<(String, Option<&'static str>)> {
    let found = types(planner, call)?.join(" and ");
    let found = match arguments(call).len() {
        0 => "there is nothing".to_owned(),
        1 => format!("this is {found}"),
        _ => format!("these are {found}"),
    };
    let name = call.name.to_string();
    let (_, takes, hint) = TAKES.iter().find(|(names, ..)| names.contains(&name.as_str()))?;
    Some((format!("`{written}` takes {takes}; {found}"), Some(*hint)))
}

/// The types of the arguments, in words.
fn types(planner: &Planner, call: &Function) -> Option<Vec<String>> {
    let word = |argument: &Expr| {
        let data_type = planner.compile(argument).ok()?.data_type;
        Some(match data_type {
            DataType::Null => "NULL".to_owned(),
            other => article(&fields::kind_of(&other)),
        })
    };
    arguments(call).into_iter().map(word).collect()
}

fn arguments(call: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &call.args else { return Vec::new() };
    let mut plain = Vec::with_capacity(list.args.len());
    for argument in &list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument {
            plain.push(expr);
        }
    }
    plain
}

fn article(found: &FieldType) -> String {
    let name = found.name();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The type of the elements of a list that cannot be put into a text.
pub(super) fn unwritable_elements(list: &DataType) -> Option<FieldType> {
    match list {
        DataType::List(element) | DataType::LargeList(element) => {
            unwritable_elements(element.data_type())
        }
        DataType::FixedSizeList(element, _) => unwritable_elements(element.data_type()),
        DataType::Struct(_) | DataType::Map(..) => Some(fields::kind_of(list)),
        _ => None,
    }
}
