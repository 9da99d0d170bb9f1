//! `segue files`: what was delivered, file by file, and how it is kept now.

use std::path::{Path, PathBuf};

use ::plan::staged::ObjectKind;
use clap::{Subcommand, ValueEnum};
use delivery::s3::versions::{Archive, Kept, Restoring, Speed};
use delivery::s3::{Pace, S3Store};
use ledger::{FileRecord, Ledger, RunDetail, RunFilter, RunState};
use serde_json::{Value, json};

use crate::cli::{Format, Global, report, table};
use crate::failure::{Failure, Kind};
use crate::retrieve;
use crate::stores;
use crate::workspace::Workspace;

/// List the files that were delivered, and get back any version of them
///
/// Each line is an object as it was delivered, with its version where the bucket keeps versions.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only those of this activation
    activation: Option<String>,
    /// Only those of this run, by the beginning of its id
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Of at most so many runs
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how a delivered file is kept now: its version, its storage class, whether it is archived
    State {
        #[command(flatten)]
        which: Which,
    },
    /// Read a delivered file back, in the version that was delivered
    ///
    /// Its size and its SHA-256 are compared with what was sent. A file that is there is not replaced.
    Get {
        #[command(flatten)]
        which: Which,
        /// Where to write it (default: its own name, in this folder)
        #[arg(long, value_name = "PATH")]
        into: Option<PathBuf>,
    },
    /// Restore a delivered file from an archive (Glacier), so that it can be read for some days
    Restore {
        #[command(flatten)]
        which: Which,
        /// How long the copy is kept
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=365))]
        days: i32,
        /// How fast, and at which price
        #[arg(long, value_enum, default_value_t = Tier::Standard)]
        tier: Tier,
    },
}

/// Which object.
#[derive(Debug, clap::Args)]
struct Which {
    /// The key of the object, or its address (s3://bucket/key), as `segue files` shows it
    key: String,
    /// Another version than the one that was delivered last
    #[arg(long, value_name = "ID")]
    version: Option<String>,
    /// As this run delivered it, by the beginning of its id
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

/// How fast an archived object is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tier {
    /// Minutes, at the highest price; not from a deep archive
    Expedited,
    /// Hours
    Standard,
    /// Half a day or two, at the lowest price
    Bulk,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    match &args.action {
        None => list(global, &workspace, args).await,
        Some(Action::State { which }) => {
            let found = Found::find(&workspace, which).await?;
            let kept = found.kept().await?;
            match global.output {
                Format::Text => super::answer(&found.text(&kept)),
                Format::Json => super::answer_json(&found.json(&kept)),
            }
            Ok(())
        }
        Some(Action::Get { which, into }) => get(global, &workspace, which, into.as_deref()).await,
        Some(Action::Restore { which, days, tier }) => {
            restore(global, &workspace, which, *days, *tier).await
        }
    }
}

async fn list(global: &Global, workspace: &Workspace, args: &Args) -> Result<(), Failure> {
    let details = delivered(workspace, args).await?;
    match global.output {
        Format::Text if details.is_empty() => {
            super::say("Nothing was delivered yet. `segue run` delivers.");
        }
        Format::Text => super::answer(&listing(&details)),
        Format::Json => {
            let files = details.iter().flat_map(|detail| {
                detail.files.iter().map(move |file| {
                    let mut value = report::file_json(&detail.run, file);
                    value["runId"] = detail.run.run_id.to_string().into();
                    value["activation"] = detail.run.activation.clone().into();
                    value["segment"] = detail.run.segment.clone().into();
                    value
                })
            });
            super::answer_json(&files.collect());
        }
    }
    Ok(())
}

/// The delivered runs that are asked for, the newest first, with their files.
async fn delivered(workspace: &Workspace, args: &Args) -> Result<Vec<RunDetail>, Failure> {
    if let Some(activation) = &args.activation
        && workspace.project.activation(activation).is_none()
    {
        let known = workspace.project.activations.iter().map(|known| known.key.as_str());
        return Err(crate::workspace::unknown("activation", activation, known));
    }
    if let Some(prefix) = &args.run {
        return Ok(vec![super::show::find(workspace, prefix).await?]);
    }
    let Some(ledger) = Ledger::open_read_only(workspace.ledger_place()).await? else {
        return Ok(Vec::new());
    };
    let filter = RunFilter {
        activation: args.activation.clone(),
        state: Some(RunState::Delivered),
        limit: Some(args.limit.saturating_add(1)),
        ..RunFilter::default()
    };
    let mut details = Vec::new();
    for run in super::latest(ledger.runs(&filter).await?, args.limit) {
        details.extend(ledger.run(run.run_id).await?);
    }
    Ok(details)
}

fn listing(details: &[RunDetail]) -> String {
    let row = |detail: &RunDetail, file: &FileRecord| {
        vec![
            report::short_id(&detail.run),
            match file.kind {
                ObjectKind::Data => table::number(file.rows),
                ObjectKind::Manifest => String::new(),
            },
            table::size(file.bytes),
            file.sha256.chars().take(16).collect(),
            file.version_id.clone().unwrap_or_else(|| "-".to_owned()),
            report::url(&detail.run, &file.key),
        ]
    };
    let rows = details
        .iter()
        .flat_map(|detail| detail.files.iter().map(move |file| row(detail, file)))
        .collect();
    let headers = ["run", "rows", "size", "sha-256 begins", "version", "object"];
    table::table(&headers, &[1, 2], rows)
}

/// An object that was delivered to a bucket.
struct Found {
    detail: RunDetail,
    file: FileRecord,
    version_id: Option<String>,
    store: S3Store,
}

impl Found {
    async fn find(workspace: &Workspace, which: &Which) -> Result<Self, Failure> {
        let (detail, file) = find(workspace, which).await?;
        let run = &detail.run;
        if let Some(folder) = run.store.strip_prefix("file://") {
            return Err(Failure::usage(format!(
                "{} was delivered to the folder {folder}",
                file.key
            ))
            .hint("It is an ordinary file there."));
        }
        let Some(identity) = stores::identity(workspace, &run.destination) else {
            return Err(gone(run));
        };
        if identity != run.store {
            return Err(gone(run));
        }
        let (store, _) = stores::bucket(workspace, &run.destination, Pace::Run).await?;
        let version_id = which.version.clone().or_else(|| file.version_id.clone());
        Ok(Self { version_id, detail, file, store })
    }

    async fn kept(&self) -> Result<Kept, Failure> {
        let kept = self.store.kept(&self.file.key, self.version_id.as_deref()).await?;
        kept.ok_or_else(|| {
            let version = self.version_id.as_ref().map(|id| format!(" in version {id}"));
            Failure::new(
                Kind::Connection,
                format!("{} is not there any more{}", self.url(), version.unwrap_or_default()),
            )
            .hint("It was deleted, by a person or by a lifecycle rule; `segue show` has its checksum.")
        })
    }

    fn url(&self) -> String {
        report::url(&self.detail.run, &self.file.key)
    }

    /// Whether it is the very object that was delivered, going by its ETag.
    fn is_delivered(&self, kept: &Kept) -> bool {
        self.file.etag.as_deref() == Some(&*kept.etag)
    }

    fn text(&self, kept: &Kept) -> String {
        let mut lines = vec![
            self.url(),
            format!("run            {}", self.detail.run.run_id),
            format!("size           {}", table::size(kept.bytes)),
            format!(
                "version        {}",
                kept.version_id.as_deref().unwrap_or("none: the bucket keeps no versions")
            ),
            format!("storage class  {}", kept.storage_class.as_deref().unwrap_or("STANDARD")),
            format!("state          {}", said(&kept.archive)),
        ];
        if let Some(lock) = &kept.lock {
            lines.push(format!("locked until   {} ({})", lock.until, lock.mode));
        }
        if !self.is_delivered(kept) {
            lines.push(
                "This is not the object that was delivered: another one has taken its place."
                    .to_owned(),
            );
        }
        lines.join("\n")
    }

    fn json(&self, kept: &Kept) -> Value {
        let (state, until) = match &kept.archive {
            Archive::Online => ("online", None),
            Archive::Archived => ("archived", None),
            Archive::Restoring => ("restoring", None),
            Archive::Restored { until } => ("restored", Some(until)),
        };
        json!({
            "url": self.url(),
            "runId": self.detail.run.run_id.to_string(),
            "bytes": kept.bytes,
            "etag": kept.etag,
            "versionId": kept.version_id,
            "storageClass": kept.storage_class,
            "state": state,
            "readableUntil": until,
            "lock": kept.lock.as_ref().map(|lock| json!({
                "mode": lock.mode,
                "until": lock.until.to_string(),
            })),
            "isAsDelivered": self.is_delivered(kept),
        })
    }
}

async fn find(workspace: &Workspace, which: &Which) -> Result<(RunDetail, FileRecord), Failure> {
    let missing = || {
        Failure::usage(format!("no file `{}` was delivered", which.key))
            .hint("`segue files` lists those that were.")
    };
    let details = match &which.run {
        Some(prefix) => vec![super::show::find(workspace, prefix).await?],
        None => {
            let opened = Ledger::open_read_only(workspace.ledger_place()).await?;
            let ledger = opened.ok_or_else(missing)?;
            let filter = RunFilter { state: Some(RunState::Delivered), ..RunFilter::default() };
            let mut found = Vec::new();
            for run in ledger.runs(&filter).await? {
                let Some(detail) = ledger.run(run.run_id).await? else { continue };
                if detail.files.iter().any(|file| names(&detail, file, &which.key)) {
                    found.push(detail);
                    break;
                }
            }
            found
        }
    };
    for detail in details {
        if let Some(file) = detail.files.iter().find(|file| names(&detail, file, &which.key)) {
            let file = file.clone();
            return Ok((detail, file));
        }
    }
    Err(missing())
}

fn names(detail: &RunDetail, file: &FileRecord, wanted: &str) -> bool {
    file.key == wanted || report::url(&detail.run, &file.key) == wanted
}

fn gone(run: &ledger::RunRecord) -> Failure {
    Failure::usage(format!(
        "run {} went to destination `{}` at {}, which the project does not have any more",
        report::short_id(run),
        run.destination,
        run.store
    ))
    .hint("Bring the destination back into the project file to reach what was delivered there.")
}

fn said(archive: &Archive) -> String {
    match archive {
        Archive::Online => "can be read".to_owned(),
        Archive::Archived => "archived: `segue files restore` makes it readable".to_owned(),
        Archive::Restoring => "is being restored from its archive".to_owned(),
        Archive::Restored { until } => {
            format!("restored from its archive, can be read until {until}")
        }
    }
}

async fn get(
    global: &Global,
    workspace: &Workspace,
    which: &Which,
    into: Option<&Path>,
) -> Result<(), Failure> {
    let found = Found::find(workspace, which).await?;
    let kept = found.kept().await?;
    if matches!(kept.archive, Archive::Archived | Archive::Restoring) {
        let message = format!(
            "{} cannot be read: it is {}",
            found.url(),
            match kept.archive {
                Archive::Restoring => "still being restored from its archive",
                _ => "in an archive",
            }
        );
        return Err(Failure::new(Kind::Temporary, message)
            .hint("Restore it with `segue files restore`, and look with `segue files state`."));
    }
    let name = ::plan::Output::name_of(&found.file.key);
    let path = into.map_or_else(|| PathBuf::from(name), Path::to_path_buf);
    let path = if path.is_dir() { path.join(name) } else { path };
    let sha256 =
        retrieve::into_file(&found.store, &found.file.key, found.version_id.as_deref(), &path)
            .await?;
    let is_as_delivered = sha256 == found.file.sha256;
    if !is_as_delivered && found.is_delivered(&kept) {
        return Err(Failure::new(
            Kind::Run,
            format!(
                "{} is damaged: its SHA-256 is {sha256}, and {} was delivered",
                path.display(),
                found.file.sha256
            ),
        )
        .hint("Read it again; if it stays so, the object has changed at the service."));
    }
    match global.output {
        Format::Text => super::answer(&format!(
            "{} → {} ({}, {})",
            found.url(),
            path.display(),
            table::size(kept.bytes),
            match is_as_delivered {
                true => "as it was delivered",
                false => "another version than the one that was delivered",
            }
        )),
        Format::Json => {
            let mut value = found.json(&kept);
            value["path"] = path.display().to_string().into();
            value["sha256"] = sha256.into();
            value["isAsDelivered"] = is_as_delivered.into();
            super::answer_json(&value);
        }
    }
    Ok(())
}

async fn restore(
    global: &Global,
    workspace: &Workspace,
    which: &Which,
    days: i32,
    tier: Tier,
) -> Result<(), Failure> {
    let found = Found::find(workspace, which).await?;
    let kept = found.kept().await?;
    if kept.archive == Archive::Online {
        return Err(Failure::usage(format!("{} is in no archive: it can be read", found.url())));
    }
    let speed = match tier {
        Tier::Expedited => Speed::Expedited,
        Tier::Standard => Speed::Standard,
        Tier::Bulk => Speed::Bulk,
    };
    let version_id = found.version_id.as_deref();
    let came = found.store.restore(&found.file.key, version_id, days, speed).await?;
    let (word, text) = match came {
        Restoring::Begun => ("begun", "is being restored"),
        Restoring::UnderWay => ("underWay", "was being restored already"),
        Restoring::Extended => {
            ("extended", "is restored, and kept for the days that were asked for")
        }
    };
    match global.output {
        Format::Text => super::answer(&format!(
            "{} {text}; `segue files state` tells when it can be read",
            found.url()
        )),
        Format::Json => {
            super::answer_json(&json!({ "url": found.url(), "restore": word, "days": days }))
        }
    }
    Ok(())
}
