//! Target connections: destinations.

use std::sync::Arc;

use http::StatusCode;
use plan::Section;
use plan::file_format::Quoting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Common, Id, Items, Made, S3_SPECS, Spec, connections, free_key, misfit, put, tagged,
    version_or_any,
};
use crate::ambient;
use crate::app::objects::Edit;
use crate::http::App;
use crate::http::answers::objects;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// A target connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewTarget {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    description: Option<String>,
    base_connection_id: Id,
    connection_spec: Spec,
    /// Of 2021; it says nothing that `params` does not
    #[expect(dead_code, reason = "the parameters say what files are like")]
    data: Option<Value>,
    params: TargetParams,
}

/// Where files go, and what they are like.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TargetParams {
    #[expect(dead_code, reason = "there is one mode")]
    mode: Option<String>,
    bucket_name: String,
    path: Option<String>,
    /// CSV, JSON or PARQUET
    file_type: Option<String>,
    /// Of 2021: CSV, or TXT for tab-delimited text
    format: Option<String>,
    /// NONE or GZIP
    compression: Option<String>,
    csv_options: Option<CsvOptions>,
    /// Whether a manifest is published behind the files
    include_file_manifest: Option<bool>,
}

/// How rows become text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CsvOptions {
    null_value: Option<String>,
    empty_value: Option<String>,
    escape: Option<String>,
    /// Nothing for none
    quote: Option<String>,
    delimiter: Option<String>,
}

/// A target connection as it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    #[serde(flatten)]
    common: Common,
    base_connection_id: Id,
    connection_spec: Spec,
    params: Value,
}

/// The destination of a target connection.
pub(super) fn destination_of(workspace: &Workspace, id: Id) -> Option<&plan::project::Destination> {
    workspace.project.destinations.iter().find(|it| it.id == id.0 && it.location.is_none())
}

pub(crate) async fn add(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let target: NewTarget = ask.json_of_any_type()?;
    target.connection_spec.expect(&S3_SPECS, "/connectionSpec/id", "Amazon S3")?;
    let workspace = app.shared.workspace();
    let Some(account) = connections::account_of(&workspace, target.base_connection_id) else {
        let detail = format!("There is no connection `{}`.", target.base_connection_id);
        return Err(misfit("/baseConnectionId", detail, "POST /connections makes one."));
    };
    let key = free_key(&workspace, Section::Destinations, &target.name)?;
    let id = Id(ambient::id());
    let mut definition = Map::new();
    definition.insert("id".to_owned(), id.to_string().into());
    definition.insert("name".to_owned(), target.name.trim().into());
    put(&mut definition, "description", target.description);
    definition.insert("account".to_owned(), account.key.clone().into());
    definition.insert("bucket".to_owned(), target.params.bucket_name.clone().into());
    let folder = target.params.path.as_deref().map(|path| path.trim_matches('/'));
    put(&mut definition, "folder", folder.filter(|folder| !folder.is_empty()));
    definition.insert("file".to_owned(), file(&target.params)?);
    put(&mut definition, "manifest", target.params.include_file_manifest);
    let destination = (Section::Destinations, key.clone());
    let edits = [Edit::Add(destination.clone(), definition.into())];
    let edited = objects::edit_with(&app, &ask, &edits, &[]).await;
    edited.map_err(|refused| {
        let mut problem = objects::problem(refused, "", Some(&destination));
        problem.errors.iter_mut().for_each(|it| it.pointer = it.pointer.as_deref().and_then(at));
        problem
    })?;
    let workspace = app.shared.workspace();
    let revision = workspace.stored(Section::Destinations, &key).map(|it| it.revision);
    Made::reply(id, revision, StatusCode::CREATED)
}

/// Where in the request stands what the definition of a destination has at a pointer.
fn at(pointer: &str) -> Option<String> {
    let known = [
        ("/bucket", "/params/bucketName"),
        ("/folder", "/params/path"),
        ("/name", "/name"),
        ("/file/format", "/params/fileType"),
        ("/file/compression", "/params/compression"),
        ("/file/null", "/params/csvOptions/nullValue"),
        ("/file/empty", "/params/csvOptions/emptyValue"),
        ("/file/escape", "/params/csvOptions/escape"),
        ("/file/quote", "/params/csvOptions/quote"),
        ("/file/delimiter", "/params/csvOptions/delimiter"),
    ];
    known.iter().find(|(ours, _)| *ours == pointer).map(|(_, theirs)| (*theirs).to_owned())
}

/// The `file` of a destination.
fn file(params: &TargetParams) -> Result<Value, Problem> {
    let word = |word: &Option<String>| word.as_deref().map(str::to_ascii_uppercase);
    let mut file = Map::new();
    let (kind, pointer) = match (word(&params.file_type), word(&params.format)) {
        (Some(_), Some(_)) => {
            let hint = "Leave `format` out.";
            return Err(misfit("/params/format", "`fileType` says it already.", hint));
        }
        (Some(kind), None) => (kind, "/params/fileType"),
        (None, Some(kind)) => (kind, "/params/format"),
        (None, None) => ("CSV".to_owned(), "/params/fileType"),
    };
    let format = match kind.as_str() {
        "CSV" => "csv",
        "TXT" | "TSV" => "tsv",
        "JSON" => "json",
        "PARQUET" => "parquet",
        other => {
            let detail = format!("There is no kind of file `{other}`.");
            return Err(misfit(pointer, detail, "Write CSV, JSON or PARQUET."));
        }
    };
    file.insert("format".to_owned(), format.into());
    match word(&params.compression).as_deref() {
        None | Some("NONE") => {}
        Some("GZIP") => put(&mut file, "compression", Some("gzip")),
        Some(other) => {
            let detail = format!("There is no compression `{other}`.");
            return Err(misfit("/params/compression", detail, "Write NONE or GZIP."));
        }
    }
    if let Some(options) = &params.csv_options {
        if format != "csv" {
            let detail = format!("`csvOptions` mean nothing for {kind}.");
            return Err(misfit("/params/csvOptions", detail, "Leave them out."));
        }
        let is_quoted = options.quote.as_deref().is_none_or(|quote| !is_no_sign(quote));
        put(&mut file, "delimiter", options.delimiter.clone());
        match &options.quote {
            Some(_) if !is_quoted => put(&mut file, "quote", Some("none")),
            quote => put(&mut file, "quote", quote.clone()),
        }
        // Where nothing is quoted nothing is escaped.
        put(&mut file, "escape", options.escape.clone().filter(|it| is_quoted && !is_no_sign(it)));
        put(&mut file, "null", options.null_value.clone());
        put(&mut file, "empty", options.empty_value.clone());
    }
    Ok(file.into())
}

/// Whether a sign is the way to say that there is none.
fn is_no_sign(text: &str) -> bool {
    matches!(text, "" | "\0")
}

impl Target {
    fn of(workspace: &Workspace, destination: &plan::project::Destination) -> Self {
        let stored = workspace.stored(Section::Destinations, &destination.key);
        Self {
            common: Common::of(Id(destination.id), &destination.name, "enabled", stored),
            base_connection_id: connections::id_of(workspace, &destination.account),
            connection_spec: Spec::of(S3_SPECS[0]),
            params: params(destination),
        }
    }
}

fn params(destination: &plan::project::Destination) -> Value {
    let (file, dialect) = (&destination.file, &destination.file.dialect);
    let sign = |sign: u8| char::from(sign).to_string();
    let mut params = json!({
        "mode": "Server-to-server",
        "bucketName": destination.bucket,
        "path": destination.folder.text(),
        "fileType": if file.layout.is_delimited() { "CSV".to_owned() } else { file.layout.as_str().to_uppercase() },
        "compression": file.compression.as_str().to_uppercase(),
        "includeFileManifest": destination.manifest,
    });
    if file.layout.is_delimited() {
        let is_quoted = dialect.quoting != Quoting::None;
        params["csvOptions"] = json!({
            "delimiter": sign(dialect.delimiter),
            "quote": if is_quoted { sign(dialect.quote) } else { String::new() },
            "escape": if is_quoted { sign(dialect.escape) } else { String::new() },
            "nullValue": dialect.null,
            "emptyValue": dialect.empty,
        });
    }
    params
}

pub(crate) async fn list(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    // A folder of the server is nothing that such a script knows.
    let all = workspace.project.destinations.iter().filter(|it| it.location.is_none());
    Reply::json(&Items { items: all.map(|it| Target::of(&workspace, it)).collect() })
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let target = Target::of(&workspace, find(&workspace, &ask)?);
    let etag = target.common.etag.clone();
    Ok(tagged(Reply::json(&Items { items: vec![target] })?, &etag))
}

pub(crate) async fn remove(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let destination = (Section::Destinations, find(&workspace, &ask)?.key.clone());
    let edits = [Edit::Remove(destination.clone(), version_or_any(&ask.headers))];
    let edited = objects::edit_with(&app, &ask, &edits, &[]).await;
    edited.map_err(|refused| objects::problem(refused, "", Some(&destination)))?;
    Ok(Reply::nothing())
}

fn find<'a>(
    workspace: &'a Workspace,
    ask: &Ask,
) -> Result<&'a plan::project::Destination, Problem> {
    let text = ask.parameter("id");
    let found = text.parse().ok().and_then(|id| destination_of(workspace, id));
    found.ok_or_else(|| Problem::not_found("target connection", text))
}
