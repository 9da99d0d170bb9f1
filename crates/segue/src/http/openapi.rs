//! The API's document, OpenAPI 3.1, made from the table of routes and the types of what they take and
//! give. `docs/openapi.json` is a copy, and a test compares.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::problem::{Code, ProblemBody};
use super::rights::{Right, Role};
use super::route::{Gives, Need, Parameter, Route, schema};
use super::routes::ROUTES;

/// Returns the document.
pub(crate) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = schema::<ProblemBody>(&mut generator).to_value();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let operation = operation(route, &problem, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.extend(definitions());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Segue",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sends the members of your segments, with the attributes you chose, as files to your own S3 bucket, on schedule, and can prove what it sent.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": super::sign_in::COOKIE },
            },
        },
    });
    spell_out(&mut document);
    document
}

/// A schema that says nothing is `true` or `{}`. Generators of clients know the second only.
fn spell_out(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match (key.as_str(), &mut *member) {
                    ("items", Value::Bool(true)) => *member = json!({}),
                    ("properties", Value::Object(properties)) => {
                        let nothing =
                            properties.values_mut().filter(|it| **it == Value::Bool(true));
                        nothing.for_each(|it| *it = json!({}));
                    }
                    _ => {}
                }
                spell_out(member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        _ => {}
    }
}

/// What the name of a part of the project file ends with here, where others have its name.
const SUFFIX: &str = "Definition";

/// A reference to a part of the project file by its name there.
pub(crate) fn definition_of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}{SUFFIX}") })
}

/// The parts of the project file.
fn definitions() -> Map<String, Value> {
    let schema = plan::json_schema();
    let parts = schema["$defs"].as_object().into_iter().flatten();
    parts.map(|(name, part)| (format!("{name}{SUFFIX}"), renamed(part.clone()))).collect()
}

/// A part of the project file with its references leading to where the parts are here.
fn renamed(mut part: Value) -> Value {
    match &mut part {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                let name = member.as_str().and_then(|path| path.strip_prefix("#/$defs/"));
                let reference = name.filter(|_| key == "$ref").map(definition_of);
                *member = match reference {
                    Some(reference) => reference["$ref"].clone(),
                    None => renamed(member.take()),
                };
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = renamed(item.take()));
        }
        _ => {}
    }
    part
}

fn operation(route: &Route, problem: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(query_parameter));
    let of_key = match route.name {
        "run_activation" => {
            Some("The same key with the same request gives the same answer, and no second run.")
        }
        "add_token" => Some(
            "The same key with the same request makes no second token; the text is not told again.",
        ),
        _ => None,
    };
    if let Some(about) = of_key {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": about,
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        }));
    }
    if let Some(need) = route.condition() {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": need == Need::Must,
            "description": "The ETag of the version that the request was made for, or `*`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        }));
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [tag(route.path)],
        "parameters": parameters,
    });
    if let Some(takes) = route.takes {
        operation["requestBody"] = json!({
            "required": !matches!(
                route.name,
                "run_activation" | "evaluate_segments" | "preview_segment" | "preview_activation"
            ),
            "content": { "application/json": { "schema": takes(generator).to_value() } },
        });
    }
    let mut good = json!({ "description": "Done" });
    match route.gives {
        Gives::Nothing => {}
        Gives::Json(form) => {
            good["content"] =
                json!({ "application/json": { "schema": form(generator).to_value() } });
        }
        Gives::Text(media) => {
            good["content"] = json!({ media: { "schema": { "type": "string" } } });
        }
    }
    if route.is_versioned() {
        good["headers"] = json!({ "ETag": {
            "description": "The version, for `If-Match`", "required": true, "schema": { "type": "string" },
        } });
    }
    let mut responses = Map::new();
    responses.insert(route.status.to_string(), good);
    for status in statuses() {
        let content = json!({ "application/problem+json": { "schema": problem } });
        let codes: Vec<&str> = Code::ALL
            .iter()
            .filter(|code| code.facts().0 == status)
            .map(|code| code.facts().1)
            .collect();
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": codes.join(", "), "content": content }));
    }
    operation["responses"] = responses.into();
    operation["security"] = match route.right {
        Right::Open => json!([]),
        _ => json!([{ "token": [] }, { "session": [] }]),
    };
    let roles: Vec<&str> =
        Role::ALL.into_iter().filter(|role| role.may(route.right)).map(Role::as_str).collect();
    if route.right != Right::Open {
        operation["x-roles"] = json!(roles);
    }
    operation
}

fn statuses() -> Vec<u16> {
    let mut statuses: Vec<u16> = Code::ALL.iter().map(|code| code.facts().0).collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// The names between braces.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query_parameter(parameter: &Parameter) -> Value {
    let mut form = json!({ "type": "string" });
    if let Some((least, most)) = parameter.number {
        form = json!({ "type": "integer", "minimum": least, "maximum": most });
    }
    if !parameter.words.is_empty() {
        form["enum"] = json!(parameter.words);
    }
    json!({ "name": parameter.name, "in": "query", "required": false, "description": parameter.about, "schema": form })
}

/// The group of a route: the first part of the path behind the version.
fn tag(path: &str) -> &str {
    if path.starts_with("/data/") {
        return "flow service";
    }
    path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next()).unwrap_or("server")
}
