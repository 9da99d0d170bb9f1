//! Profile selectors and mappings: which attributes a flow sends. They are the `mapping` of an
//! activation; mandatory fields and primary fields are marks of its columns.

use plan::project::{Column, ColumnSource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{misfit, put};
use crate::http::problem::Problem;

/// Where the selectors are.
pub(super) const AT: &str = "/transformations/0/params/profileSelectors/selectors";
const MANDATORY_AT: &str = "/transformations/0/params/profileSelectors/mandatoryFields";
const PRIMARY_AT: &str = "/transformations/0/params/profileSelectors/primaryFields";
/// What every selector of a field is, and that of an expression.
const FIELD: &str = "JSON_PATH";
const EXPRESSION: &str = "EXPRESSION";

/// A selector as scripts send it. What a mapping says besides source and destination means nothing
/// here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    r#type: String,
    value: Selected,
}

/// The field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selected {
    path: Option<String>,
    /// Segue's own.
    expression: Option<String>,
    #[expect(dead_code, reason = "every column is there or missing")]
    operator: Option<String>,
    identity: Option<Namespace>,
    mapping: Option<Target>,
}

#[derive(Deserialize)]
struct Namespace {
    namespace: String,
}

#[derive(Deserialize)]
struct Target {
    destination: Option<String>,
}

/// An entry of a mapping set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MappedColumn")]
pub(crate) struct Mapping {
    /// The header of the column
    destination: String,
    /// The field
    source: String,
    /// ATTRIBUTE, or EXPRESSION for a SQL expression of Segue's
    source_type: String,
}

/// The marks of columns, in the words of the Flow Service.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Marks {
    pub(super) mandatory: Vec<Value>,
    pub(super) primary: Vec<Value>,
}

/// A primary field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Primary {
    field_type: String,
    attribute_path: Option<String>,
    identity_namespace: Option<String>,
}

/// The selector of a column.
pub(super) fn of(column: &Column) -> Value {
    let selected = |path: String, more: Value| {
        let mut value = json!({
            "path": path, "operator": "EXISTS",
            "mapping": { "sourceType": "text/x.schema-path", "source": path, "destination": column.header },
        });
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        json!({ "type": FIELD, "value": value })
    };
    match &column.source {
        ColumnSource::Identity(namespace) => {
            selected(namespace.clone(), json!({ "identity": { "namespace": namespace } }))
        }
        ColumnSource::Expression { text, .. } => json!({
            "type": EXPRESSION,
            "value": { "expression": text, "mapping": { "destination": column.header } },
        }),
        source => selected(path_of(source), Value::Null),
    }
}

/// The entry of a mapping set for a column.
pub(super) fn mapping_of(column: &Column) -> Mapping {
    let (source, source_type) = match &column.source {
        ColumnSource::Expression { text, .. } => (text.clone(), EXPRESSION),
        source => (path_of(source), "ATTRIBUTE"),
    };
    Mapping { destination: column.header.clone(), source, source_type: source_type.to_owned() }
}

fn path_of(source: &ColumnSource) -> String {
    match source {
        ColumnSource::Field(path) => path.to_string(),
        ColumnSource::Identity(namespace) => format!("identityMap.{namespace}"),
        ColumnSource::Expression { text, .. } => text.clone(),
        ColumnSource::MembershipStatus => "segmentMembership.status".to_owned(),
        ColumnSource::MembershipOperation => "segmentMembership.operation".to_owned(),
        ColumnSource::LastQualificationTime => "segmentMembership.lastQualificationTime".to_owned(),
    }
}

/// The marks of an activation's columns.
pub(super) fn marks_of(columns: &[Column]) -> Marks {
    let name = |column: &Column| match &column.source {
        ColumnSource::Identity(namespace) => namespace.clone(),
        ColumnSource::Expression { .. } => column.header.clone(),
        source => path_of(source),
    };
    let primary = |column: &Column| match &column.source {
        ColumnSource::Identity(namespace) => {
            json!({ "fieldType": "IDENTITY", "identityNamespace": namespace })
        }
        _ => json!({ "fieldType": "ATTRIBUTE", "attributePath": name(column) }),
    };
    let is_marked =
        |column: &&Column, mark: bool| mark || matches!(column.source, ColumnSource::Identity(_));
    let mandatory = columns.iter().filter(|it| is_marked(it, it.mandatory));
    let keys = columns.iter().filter(|it| is_marked(it, it.deduplicate));
    Marks {
        mandatory: mandatory.map(|it| name(it).into()).collect(),
        primary: keys.map(primary).collect(),
    }
}

/// What the selector at `index` is in the project file.
pub(super) fn meaning(index: usize, selector: &Value) -> Result<Value, Problem> {
    let at = format!("{AT}/{index}");
    let hint = "Send `type` \"JSON_PATH\" and `value` with `path`.";
    let Selector { r#type, value } = serde_json::from_value(selector.clone()).map_err(|error| {
        misfit(&at, format!("The selector does not have its form: {error}."), hint)
    })?;
    let header = value.mapping.and_then(|it| it.destination);
    match (r#type.as_str(), value.path, value.expression, value.identity) {
        (FIELD, Some(_), None, Some(Namespace { namespace })) => {
            Ok(column(&format!("identityMap.{namespace}"), Some(header.unwrap_or(namespace))))
        }
        (FIELD, Some(path), None, None) => Ok(column(&path, header)),
        (EXPRESSION, None, Some(expression), None) => {
            let mut column = Map::new();
            column.insert("expression".to_owned(), expression.into());
            put(&mut column, "target", header);
            Ok(column.into())
        }
        _ => Err(misfit(&at, "The selector names no field.", hint)),
    }
}

/// What an entry of a mapping set is in the project file.
pub(super) fn mapped(index: usize, mapping: &Mapping) -> Result<Value, Problem> {
    match mapping.source_type.as_str() {
        "ATTRIBUTE" | "text/x.schema-path" => {
            Ok(column(&mapping.source, Some(mapping.destination.clone())))
        }
        EXPRESSION => Ok(json!({ "expression": mapping.source, "target": mapping.destination })),
        other => {
            let detail = format!("There are no sources of type `{other}`.");
            let hint =
                "Write ATTRIBUTE with the path of a field, or EXPRESSION with a SQL expression.";
            Err(misfit(&format!("/mappings/{index}/sourceType"), detail, hint))
        }
    }
}

/// A column of a field; dots in headers become underscores, as in all files.
fn column(path: &str, header: Option<String>) -> Value {
    let source = source(path);
    let default = underscored(&source);
    match header.map(|header| underscored(&header)).filter(|header| *header != default) {
        Some(header) => json!({ "source": source, "target": header }),
        None => source.into(),
    }
}

/// The path of the project file. `segmentMembership.NAMESPACE.SEGMENT.status` is about the segment that
/// is sent.
fn source(path: &str) -> String {
    let path = path.trim_start_matches("xdm:").trim();
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["segmentMembership", _, _, field] => format!("segmentMembership.{field}"),
        _ => path.to_owned(),
    }
}

fn underscored(text: &str) -> String {
    text.replace('.', "_")
}

/// Columns with marks: those that are named have them, the others have not.
pub(super) fn marked(columns: Vec<Value>, marks: &Marks) -> Result<Vec<Value>, Problem> {
    let mut mandatory = vec![false; columns.len()];
    let mut keys = vec![false; columns.len()];
    for (index, name) in marks.mandatory.iter().enumerate() {
        let at = format!("{MANDATORY_AT}/{index}");
        let hint = "Name a selected attribute by its path, or an identity by its namespace.";
        let Some(name) = name.as_str() else {
            return Err(misfit(&at, "A mandatory field is named by a text.", hint));
        };
        mark(&columns, &mut mandatory, name, &at, hint)?;
    }
    for (index, primary) in marks.primary.iter().enumerate() {
        let at = format!("{PRIMARY_AT}/{index}");
        let hint = "Send `fieldType` \"ATTRIBUTE\" with `attributePath`, or \"IDENTITY\" with `identityNamespace`, of a selected attribute.";
        let primary: Primary = serde_json::from_value(primary.clone()).map_err(|error| {
            misfit(&at, format!("The primary field does not have its form: {error}."), hint)
        })?;
        let Primary { field_type, attribute_path, identity_namespace } = primary;
        let name = match (field_type.as_str(), attribute_path, identity_namespace) {
            ("ATTRIBUTE", Some(path), None) => path,
            ("IDENTITY", None, Some(namespace)) => format!("identityMap.{namespace}"),
            _ => return Err(misfit(&at, "The primary field names no column.", hint)),
        };
        mark(&columns, &mut keys, &name, &at, hint)?;
    }
    let marked = columns.into_iter().zip(mandatory).zip(keys);
    Ok(marked.map(|((column, mandatory), key)| with_marks(column, mandatory, key)).collect())
}

/// Marks the columns that a name means.
fn mark(
    columns: &[Value],
    marks: &mut [bool],
    name: &str,
    at: &str,
    hint: &str,
) -> Result<(), Problem> {
    let name = source(name);
    let means = |column: &Value| {
        let of_column = source_of(column).unwrap_or_default();
        let header =
            column["target"].as_str().map_or_else(|| underscored(of_column), str::to_owned);
        name == of_column || name == header || of_column == format!("identityMap.{name}")
    };
    let mut is_there = false;
    for (column, mark) in columns.iter().zip(marks) {
        if means(column) {
            *mark = true;
            is_there = true;
        }
    }
    if is_there { Ok(()) } else { Err(misfit(at, format!("No column is `{name}`."), hint)) }
}

fn source_of(column: &Value) -> Option<&str> {
    column.as_str().or_else(|| column["source"].as_str())
}

/// A column with the marks, as short as it can be written. Identities have both anyway.
fn with_marks(column: Value, mandatory: bool, key: bool) -> Value {
    let is_identity = source_of(&column).is_some_and(|it| it.starts_with("identityMap"));
    let mut members = match column {
        Value::String(source) if is_identity || !(mandatory || key) => return source.into(),
        Value::String(source) => Map::from_iter([("source".to_owned(), source.into())]),
        Value::Object(members) => members,
        other => return other,
    };
    if is_identity {
        return members.into();
    }
    for (name, mark) in [("mandatory", mandatory), ("deduplicate", key)] {
        members.remove(name);
        put(&mut members, name, mark.then_some(true));
    }
    match members.get("source") {
        Some(source) if members.len() == 1 => source.clone(),
        _ => members.into(),
    }
}
