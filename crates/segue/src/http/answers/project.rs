//! What the project file says, without secrets. It is changed in the file, not here.

use std::sync::Arc;

use plan::project::{Addressing, Auth, DatasetFormat, DatasetKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::capabilities;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// The project as it was last read without errors.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    /// The project file
    path: String,
    /// Always true for now: what the project file says is changed in the file
    read_only: bool,
    datasets: usize,
    segments: usize,
    accounts: usize,
    destinations: usize,
    activations: usize,
    /// What is worth knowing about the file
    warnings: Vec<String>,
    /// Why the file as it is now is not used, if it is not
    trouble: Option<String>,
}

/// A dataset.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Dataset {
    key: String,
    /// profile or event
    kind: String,
    location: String,
    /// parquet, csv or json
    format: String,
    account: Option<String>,
    identities: Vec<Identity>,
    timestamp: Option<String>,
}

/// An identity field.
#[derive(Serialize, JsonSchema)]
struct Identity {
    field: String,
    namespace: String,
}

/// Datasets.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Datasets {
    items: Vec<Dataset>,
}

/// A segment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Segment {
    key: String,
    id: String,
    name: String,
    /// The rule, as SQL
    rule: String,
    /// The activations that send it
    activations: Vec<String>,
    read_only: bool,
}

/// Segments.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Segments {
    items: Vec<Segment>,
}

/// An account, without its secrets.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    key: String,
    /// access-key, assume-role or default
    auth: String,
    /// The public half of the key, or the role
    principal: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    /// auto, path or virtual
    addressing: String,
    read_only: bool,
}

/// Accounts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Accounts {
    items: Vec<Account>,
}

/// A destination.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Destination {
    key: String,
    id: String,
    name: String,
    account: String,
    bucket: String,
    folder: String,
    extension: String,
    manifest: bool,
    /// A, B or C, once it was checked
    grade: Option<String>,
    read_only: bool,
}

/// Destinations.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Destinations {
    items: Vec<Destination>,
}

pub(crate) async fn project(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let project = &workspace.project;
    Reply::json(&Project {
        path: workspace.path.display().to_string(),
        read_only: true,
        datasets: project.datasets.len(),
        segments: project.segments.len(),
        accounts: project.accounts.len(),
        destinations: project.destinations.len(),
        activations: project.activations.len(),
        warnings: workspace.warnings.iter().map(|it| it.message.clone()).collect(),
        trouble: app.shared.planning.borrow().trouble.clone(),
    })
}

pub(crate) async fn datasets(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let items = workspace.project.datasets.iter().map(|dataset| Dataset {
        key: dataset.key.clone(),
        kind: match dataset.kind {
            DatasetKind::Profile => "profile".to_owned(),
            DatasetKind::Event => "event".to_owned(),
        },
        location: dataset.location.clone(),
        format: match dataset.format {
            DatasetFormat::Parquet => "parquet".to_owned(),
            DatasetFormat::Csv { .. } => "csv".to_owned(),
            DatasetFormat::JsonLines => "jsonl".to_owned(),
            DatasetFormat::Delta { .. } => "delta".to_owned(),
            DatasetFormat::Postgres => "postgres".to_owned(),
        },
        account: dataset.account.clone(),
        identities: dataset
            .identities
            .iter()
            .map(|identity| Identity {
                field: identity.field.to_string(),
                namespace: identity.namespace.clone(),
            })
            .collect(),
        timestamp: dataset.timestamp.as_ref().map(ToString::to_string),
    });
    Reply::json(&Datasets { items: items.collect() })
}

pub(crate) async fn segments(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let project = &workspace.project;
    let items = project.segments.iter().map(|segment| Segment::of(project, segment)).collect();
    Reply::json(&Segments { items })
}

pub(crate) async fn segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let key = ask.parameter("key");
    let segment = workspace.project.segment(key);
    let segment = segment.ok_or_else(|| Problem::not_found("segment", key))?;
    Reply::json(&Segment::of(&workspace.project, segment))
}

impl Segment {
    fn of(project: &plan::Project, segment: &plan::project::Segment) -> Self {
        let sends = |activation: &&plan::project::Activation| {
            activation.segments.iter().any(|export| export.segment == segment.key)
        };
        Self {
            key: segment.key.clone(),
            id: segment.id.to_string(),
            name: segment.name.clone(),
            rule: segment.rule.text.clone(),
            activations: project
                .activations
                .iter()
                .filter(sends)
                .map(|it| it.key.clone())
                .collect(),
            read_only: true,
        }
    }
}

pub(crate) async fn accounts(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let items = workspace.project.accounts.iter().map(|account| {
        let (auth, principal) = match &account.auth {
            Auth::AccessKey { access_key_id, .. } => ("access-key", Some(access_key_id.clone())),
            Auth::AssumeRole { role_arn, .. } => ("assume-role", Some(role_arn.clone())),
            Auth::Default { profile } => ("default", profile.clone()),
        };
        Account {
            key: account.key.clone(),
            auth: auth.to_owned(),
            principal,
            region: account.region.clone(),
            endpoint_url: account.endpoint_url.clone(),
            addressing: match account.addressing {
                Addressing::Auto => "auto".to_owned(),
                Addressing::Path => "path".to_owned(),
                Addressing::Virtual => "virtual".to_owned(),
            },
            read_only: true,
        }
    });
    Reply::json(&Accounts { items: items.collect() })
}

pub(crate) async fn destinations(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let all = workspace.project.destinations.iter();
    let items = all.map(|destination| Destination::of(&app, destination)).collect();
    Reply::json(&Destinations { items })
}

pub(crate) async fn destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let key = ask.parameter("key");
    let destination = workspace.project.destination(key);
    let destination = destination.ok_or_else(|| Problem::not_found("destination", key))?;
    Reply::json(&Destination::of(&app, destination))
}

impl Destination {
    fn of(app: &App, destination: &plan::project::Destination) -> Self {
        let workspace = app.shared.workspace();
        let file = &destination.file;
        Self {
            key: destination.key.clone(),
            id: destination.id.to_string(),
            name: destination.name.clone(),
            account: destination.account.clone(),
            bucket: destination.bucket.clone(),
            folder: destination.folder.text().to_owned(),
            extension: format!("{}{}", file.extension, file.compression.suffix()),
            manifest: destination.manifest,
            grade: capabilities::grade(&workspace, &destination.key)
                .map(|grade| format!("{grade:?}")),
            read_only: true,
        }
    }
}
