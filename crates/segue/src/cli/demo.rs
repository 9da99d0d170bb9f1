//! `segue demo`: the main job on sample data, with an S3 service in this process.

use std::path::{Path, PathBuf};

use s3lab::{Backend, Lab, Options, User};

use crate::ambient;
use crate::cli::{Format, Global, report, run};
use crate::demo;
use crate::failure::{Failure, Kind};
use crate::progress::Progress;
use crate::select::Request;
use crate::stores::Target;
use crate::workspace::Workspace;

/// The profiles of a demo, unless told otherwise.
const PROFILES_DEFAULT: u64 = 200_000;
/// The bucket of the demo project.
const BUCKET: &str = "segue-demo";
/// The access key of the demo project.
const ACCESS_KEY_ID: &str = "demo";
/// The folder of the demo that stands for the bucket.
const BUCKET_FOLDER: &str = "s3";
/// How many lines of a file are shown.
const LINES_SHOWN: usize = 6;

/// See the main job work: sample profiles, three segments, two activations, files in a bucket
///
/// It writes a project with invented profiles into a folder, starts an S3 service on this machine
/// alone, and runs the project against it by the very path that a real bucket takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the demo is written
    #[arg(default_value = "segue-demo")]
    folder: PathBuf,
    /// How many profiles are invented
    #[arg(long, default_value_t = PROFILES_DEFAULT)]
    profiles: u64,
    /// Write the project and its data, and run nothing
    #[arg(long)]
    data_only: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    super::say(&format!(
        "Writing {} invented profiles into {} …",
        super::table::number(args.profiles),
        args.folder.display()
    ));
    demo::prepare(&args.folder, args.profiles)?;
    if args.data_only {
        return Ok(());
    }
    let secret = ambient::nonce();
    let lab = start_service(&args.folder, &secret).await?;
    super::say(&format!("An S3 service runs at {} while the demo does.\n", lab.endpoint()));
    let global = Global {
        project: Some(args.folder.clone()),
        state_dir: None,
        database: None,
        ..global.clone()
    };
    let variables = demo_variables(lab.endpoint(), secret);
    let workspace = Workspace::load_with(&global, &variables).await?;
    let request = Request {
        activations: workspace
            .project
            .activations
            .iter()
            .map(|activation| activation.key.clone())
            .collect(),
        ..Request::default()
    };
    let outcome =
        run::perform(&global, &workspace, &request, &Target::Buckets, Progress::on_terminal())
            .await?;
    match global.output {
        Format::Text => super::answer(&text(args, &outcome)),
        Format::Json => super::answer_json(&run::json(&outcome)),
    }
    outcome.verdict()
}

/// The service keeps its objects as files, so that they can be opened.
async fn start_service(folder: &Path, secret: &str) -> Result<Lab, Failure> {
    let options = Options {
        backend: Backend::Folder(folder.join(BUCKET_FOLDER)),
        buckets: vec![BUCKET.into()],
        users: vec![User {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: secret.to_owned(),
            ..User::default()
        }],
        ..Options::default()
    };
    Lab::start(options).await.map_err(|error| {
        Failure::from_error(Kind::Internal, &error)
            .context("failed to start the S3 service of the demo")
    })
}

/// The variables that the demo project reads.
fn demo_variables(endpoint: String, secret: String) -> impl Fn(&str) -> Option<String> {
    move |name| match name {
        "SEGUE_DEMO_ENDPOINT" => Some(endpoint.clone()),
        "SEGUE_DEMO_ACCESS_KEY_ID" => Some(ACCESS_KEY_ID.to_owned()),
        "SEGUE_DEMO_SECRET_ACCESS_KEY" => Some(secret.clone()),
        _ => None,
    }
}

fn text(args: &Args, outcome: &run::Outcome) -> String {
    let mut text = run::text(outcome);
    let bucket = args.folder.join(BUCKET_FOLDER).join(BUCKET);
    if let Some(sample) = sample(&bucket, outcome) {
        text.push_str(&sample);
    }
    let (folder, segue) = (args.folder.display(), ambient::called());
    text.push_str(&format!(
        "\n\nThe objects are files below {bucket}.\n\n\
         Look around:\n\
         \x20 {segue} -p {folder} runs\n\
         \x20 {segue} -p {folder} count\n\
         \x20 {segue} -p {folder} preview partner-daily\n\
         \x20 {segue} -p {folder} run partner-daily --to out      deliver to a folder\n\
         \x20 {segue} -p {folder} serve                            all of it in a browser\n\n\
         A bucket of your own:\n\
         \x20 {segue} init my-project                             write a project file, then edit it\n\
         \x20 export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…\n\
         \x20 {segue} -p my-project validate\n\
         \x20 {segue} -p my-project plan partner-daily\n\
         \x20 {segue} -p my-project run partner-daily",
        bucket = bucket.display(),
    ));
    text
}

/// The first lines of the first data file.
fn sample(bucket: &Path, outcome: &run::Outcome) -> Option<String> {
    let detail = outcome.runs.first()?;
    let file = detail.files.first()?;
    let text = std::fs::read_to_string(bucket.join(&file.key)).ok()?;
    let lines: Vec<&str> = text.lines().take(LINES_SHOWN).collect();
    Some(format!(
        "\n\nThe first lines of {}:\n  {}",
        report::url(&detail.run, &file.key),
        lines.join("\n  ")
    ))
}
