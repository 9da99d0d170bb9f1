//! What the project says, without secrets: the file and the objects that the ledger keeps. What the file
//! says is changed there.

use std::sync::Arc;

use plan::Section;
use plan::project::{Addressing, Auth, DatasetFormat, DatasetKind};
use schemars::JsonSchema;
use serde::Serialize;

use super::objects::{self, Kept};
use crate::capabilities;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// The project as it was last read without errors.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    /// The project file
    path: String,
    /// Always true: what the file says is changed in the file
    read_only: bool,
    /// Objects that the ledger keeps
    stored: usize,
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
    #[serde(flatten)]
    kept: Kept,
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
    /// What kind of service is there, if it is said
    service: Option<String>,
    /// auto, path or virtual
    addressing: String,
    #[serde(flatten)]
    kept: Kept,
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
    /// Of a bucket
    account: Option<String>,
    bucket: Option<String>,
    /// A folder of the server's machine, in the place of account and bucket
    location: Option<String>,
    folder: String,
    extension: String,
    manifest: bool,
    /// A, B or C, once it was checked
    grade: Option<String>,
    #[serde(flatten)]
    kept: Kept,
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
        stored: workspace.source.parts.len(),
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
    let all = workspace.project.segments.iter();
    Reply::json(&Segments { items: all.map(|it| Segment::of(&workspace, it)).collect() })
}

pub(crate) async fn segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    one_segment(&app, ask.parameter("key"))
}

pub(crate) async fn add_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = objects::add(&app, &ask, Section::Segments).await?;
    Ok(objects::created(one_segment(&app, &key)?, Section::Segments, &key))
}

pub(crate) async fn change_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::change(&app, &ask, Section::Segments).await?;
    one_segment(&app, ask.parameter("key"))
}

pub(crate) async fn remove_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::remove(&app, &ask, Section::Segments).await
}

fn one_segment(app: &App, key: &str) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let found = workspace.project.segment(key).ok_or_else(|| Problem::not_found("segment", key))?;
    let reply = Reply::json(&Segment::of(&workspace, found))?;
    Ok(objects::tagged(reply, &workspace, Section::Segments, key))
}

impl Segment {
    fn of(workspace: &Workspace, segment: &plan::project::Segment) -> Self {
        let sends = |activation: &&plan::project::Activation| {
            activation.segments.iter().any(|export| export.segment == segment.key)
        };
        let activations = workspace.project.activations.iter().filter(sends);
        Self {
            key: segment.key.clone(),
            id: segment.id.to_string(),
            name: segment.name.clone(),
            rule: segment.rule.text.clone(),
            activations: activations.map(|it| it.key.clone()).collect(),
            kept: Kept::of(workspace, Section::Segments, &segment.key),
        }
    }
}

pub(crate) async fn accounts(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let all = workspace.project.accounts.iter();
    Reply::json(&Accounts { items: all.map(|it| Account::of(&workspace, it)).collect() })
}

pub(crate) async fn account(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    one_account(&app, ask.parameter("key"))
}

pub(crate) async fn add_account(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = objects::add(&app, &ask, Section::Accounts).await?;
    Ok(objects::created(one_account(&app, &key)?, Section::Accounts, &key))
}

pub(crate) async fn change_account(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::change(&app, &ask, Section::Accounts).await?;
    one_account(&app, ask.parameter("key"))
}

pub(crate) async fn remove_account(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::remove(&app, &ask, Section::Accounts).await
}

fn one_account(app: &App, key: &str) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let found = workspace.project.accounts.iter().find(|account| account.key == key);
    let found = found.ok_or_else(|| Problem::not_found("account", key))?;
    let reply = Reply::json(&Account::of(&workspace, found))?;
    Ok(objects::tagged(reply, &workspace, Section::Accounts, key))
}

impl Account {
    fn of(workspace: &Workspace, account: &plan::project::Account) -> Self {
        let (auth, principal) = match &account.auth {
            Auth::AccessKey { access_key_id, .. } => ("access-key", Some(access_key_id.clone())),
            Auth::AssumeRole { role_arn, .. } => ("assume-role", Some(role_arn.clone())),
            Auth::Default { profile } => ("default", profile.clone()),
        };
        Self {
            key: account.key.clone(),
            auth: auth.to_owned(),
            principal,
            region: account.region.clone(),
            endpoint_url: account.endpoint_url.clone(),
            service: account.service.map(|service| service.as_str().to_owned()),
            addressing: match account.addressing {
                Addressing::Auto => "auto".to_owned(),
                Addressing::Path => "path".to_owned(),
                Addressing::Virtual => "virtual".to_owned(),
            },
            kept: Kept::of(workspace, Section::Accounts, &account.key),
        }
    }
}

pub(crate) async fn destinations(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let all = workspace.project.destinations.iter();
    Reply::json(&Destinations { items: all.map(|it| Destination::of(&workspace, it)).collect() })
}

pub(crate) async fn destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    one_destination(&app, ask.parameter("key"))
}

pub(crate) async fn add_destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = objects::add(&app, &ask, Section::Destinations).await?;
    Ok(objects::created(one_destination(&app, &key)?, Section::Destinations, &key))
}

pub(crate) async fn change_destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::change(&app, &ask, Section::Destinations).await?;
    one_destination(&app, ask.parameter("key"))
}

pub(crate) async fn remove_destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::remove(&app, &ask, Section::Destinations).await
}

fn one_destination(app: &App, key: &str) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let found = workspace.project.destination(key);
    let found = found.ok_or_else(|| Problem::not_found("destination", key))?;
    let reply = Reply::json(&Destination::of(&workspace, found))?;
    Ok(objects::tagged(reply, &workspace, Section::Destinations, key))
}

fn of_bucket(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl Destination {
    fn of(workspace: &Workspace, destination: &plan::project::Destination) -> Self {
        let file = &destination.file;
        Self {
            key: destination.key.clone(),
            id: destination.id.to_string(),
            name: destination.name.clone(),
            account: of_bucket(&destination.account),
            bucket: of_bucket(&destination.bucket),
            location: destination.location.clone(),
            folder: destination.folder.text().to_owned(),
            extension: format!("{}{}", file.extension, file.compression.suffix()),
            manifest: destination.manifest,
            grade: capabilities::grade(workspace, &destination.key)
                .map(|grade| format!("{grade:?}")),
            kept: Kept::of(workspace, Section::Destinations, &destination.key),
        }
    }
}
