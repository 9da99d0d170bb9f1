//! The command line: what can be asked, and how answers and failures are printed.
//!
//! Results go to stdout, everything else to stderr. Each command is a file of its own with an
//! `Args` type, whose documentation is its help page, and a `run` function.

mod apply;
mod backup;
pub(crate) mod check;
mod completions;
mod count;
mod decide;
mod demo;
mod evaluate;
pub(crate) mod explain;
mod export;
mod files;
mod init;
pub(crate) mod mask;
mod pages;
mod plan;
mod policy;
mod powers;
mod preview;
pub(crate) mod profile;
mod ready;
mod replay;
pub(crate) mod report;
mod run;
mod runs;
mod schedule;
mod schema;
mod secret;
pub(crate) mod segment;
mod segments;
mod serve;
mod show;
mod slots;
pub(crate) mod table;
mod token;
mod validate;
mod who_got;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::select::Request;
use crate::traces::{self, Traces};

/// Send the members of your segments, with the attributes you chose, as files to your own S3 bucket
///
/// A project is a folder with a `segue.yaml`. Start with `segue demo` to see everything work on
/// this machine, or with `segue init` to write a project file for your own data.
#[derive(Debug, Parser)]
#[command(name = "segue", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0    everything that was asked for is done
  1    a run failed; nothing of it is visible
  2    the command line or the project file is wrong
  3    the service cannot be reached, or refuses
  4    a guard stopped a run before anything was visible
  5    it may work when it is tried again later
  9    nothing was due (only with --error-on-nothing)
  70   a fault of Segue itself
  130  interrupted";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The project file, or a folder that holds a `segue.yaml`
    #[arg(long, short = 'p', global = true, value_name = "PATH", env = "SEGUE_PROJECT")]
    pub(crate) project: Option<PathBuf>,

    /// Where runs are recorded (default: `.segue` beside the project file)
    #[arg(long, global = true, value_name = "DIR", env = "SEGUE_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,

    /// A PostgreSQL database in which runs are recorded, for teams: postgres://USER@HOST/DATABASE;
    /// the password is in SEGUE_DATABASE_PASSWORD (default: a file in the state folder)
    #[arg(long, global = true, value_name = "URL", env = "SEGUE_DATABASE", hide_env_values = true, value_parser = secret)]
    pub(crate) database: Option<SecretString>,

    /// A folder below which destinations may be that are made over the API, on this machine's disk; can be
    /// repeated, and in the variable be separated by colons (default: none)
    #[arg(
        long = "outbox",
        global = true,
        value_name = "DIR",
        env = "SEGUE_OUTBOXES",
        value_delimiter = ':'
    )]
    pub(crate) outboxes: Vec<PathBuf>,

    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,

    /// What is logged to stderr, for example `debug` or `delivery=trace`
    #[arg(long, global = true, value_name = "FILTER", env = "SEGUE_LOG", default_value = "warn")]
    pub(crate) log: String,

    /// How logs are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) log_format: Format,

    /// Memory for sorting and deduplication; more goes to disk
    #[arg(long, global = true, value_name = "BYTES", default_value = "1GiB", value_parser = parse_bytes)]
    pub(crate) memory: usize,

    /// Threads that read and encode (default: one for each core)
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

/// Which runs a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct Runs {
    /// Keys of activations, to run now (default: what is due)
    activations: Vec<String>,
    /// Only this segment (can be repeated)
    #[arg(long = "segment", value_name = "KEY")]
    segments: Vec<String>,
    /// The slot, such as 2026-01-04T02:00:00Z (default: the due one, or now for what is named)
    #[arg(long, value_name = "TIME", value_parser = parse_slot)]
    slot: Option<jiff::Timestamp>,
}

impl Runs {
    /// The same without the command line.
    pub(crate) fn request(&self) -> Request {
        let Self { activations, segments, slot } = self.clone();
        Request { activations, segments, slot }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Validate(validate::Args),
    Check(check::Args),
    Policy(policy::Args),
    Files(files::Args),
    Secret(secret::Args),
    Plan(plan::Args),
    Run(run::Args),
    Release(decide::ReleaseArgs),
    Replay(replay::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Reject(decide::RejectArgs),
    Apply(apply::Args),
    Export(export::Args),
    Preview(preview::Args),
    Profile(profile::Args),
    WhoGot(who_got::Args),
    Count(count::Args),
    Evaluate(evaluate::Args),
    Explain(explain::Args),
    Segment(segment::Args),
    Segments(segments::Args),
    Ready(ready::Args),
    Runs(runs::Args),
    Schedule(schedule::Args),
    Serve(serve::Args),
    Slots(slots::Args),
    Token(token::Args),
    Show(show::Args),
    Pages(pages::Args),
    Demo(demo::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

/// Parses the command line, does what it asks, and returns the exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not failures; clap knows which stream they go to.
            let _ = error.print();
            let code = if error.use_stderr() { Kind::Usage.exit_code() } else { 0 };
            return ExitCode::from(code);
        }
    };
    let format = cli.global.output;
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure, format);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error(Kind::Internal, &error))?;
    let traces = Traces::from_environment(runtime.handle())?;
    start_logging(&cli.global.log, cli.global.log_format, traces.as_ref())?;
    let outcome = runtime.block_on(async {
        let outcome = dispatch(cli).await;
        if let Some(traces) = traces {
            traces.finish().await;
        }
        outcome
    });
    // Reading threads that are still busy after an error are not waited for.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let global = cli.global;
    match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Validate(args) => validate::run(&global, &args).await,
        Command::Check(args) => check::run(&global, &args).await,
        Command::Policy(args) => policy::run(&global, &args).await,
        Command::Plan(args) => plan::run(&global, &args).await,
        Command::Run(args) => run::run(&global, &args).await,
        Command::Backup(args) => backup::backup(&global, &args).await,
        Command::Restore(args) => backup::restore(&global, &args).await,
        Command::Release(args) => decide::release(&global, &args).await,
        Command::Replay(args) => replay::run(&global, &args).await,
        Command::Reject(args) => decide::reject(&global, &args).await,
        Command::Apply(args) => apply::run(&global, &args).await,
        Command::Export(args) => export::run(&global, &args).await,
        Command::Preview(args) => preview::run(&global, &args).await,
        Command::Profile(args) => profile::run(&global, &args).await,
        Command::WhoGot(args) => who_got::run(&global, &args).await,
        Command::Count(args) => count::run(&global, &args).await,
        Command::Evaluate(args) => evaluate::run(&global, &args).await,
        Command::Segments(args) => segments::run(&global, &args).await,
        Command::Explain(args) => explain::run(&global, &args).await,
        Command::Ready(args) => ready::run(&global, &args).await,
        Command::Runs(args) => runs::run(&global, &args).await,
        Command::Show(args) => show::run(&global, &args).await,
        Command::Pages(args) => pages::run(&global, &args).await,
        Command::Demo(args) => demo::run(&global, &args).await,
        Command::Files(args) => files::run(&global, &args).await,
        Command::Secret(args) => secret::run(&global, &args),
        Command::Serve(args) => serve::run(&global, &args).await,
        Command::Token(args) => token::run(&global, &args).await,
        Command::Slots(args) => slots::run(&global, &args).await,
        Command::Schedule(args) => schedule::run(&global, &args).await,
        Command::Segment(args) => segment::run(&global, &args).await,
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

/// Logs go to stderr, as text or as one JSON object a line; no event holds a profile value or a secret.
fn start_logging(filter: &str, format: Format, traces: Option<&Traces>) -> Result<(), Failure> {
    // The protocol layer of the demo's service logs whole requests, signatures included.
    // What goes wrong on a connection, in signing in or at the database is told by the error, once.
    let filter = format!(
        "s3s=warn,aws_smithy_http_client=error,aws_config=error,opentelemetry=warn,sqlx=error,sqlx_core=error,{}=off,{filter}",
        traces::TARGET
    );
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        Failure::from_error(Kind::Usage, &error).context("--log is not a filter")
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = match format {
        Format::Text => lines.with_ansi(is_terminal).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer))
        .init();
    Ok(())
}

/// Prints a failure: text for people on stderr, or one JSON object on stdout.
fn report(failure: &Failure, format: Format) {
    say(&failure.text());
    if format == Format::Json && !failure.is_answered {
        answer_json(&failure.json());
    }
}

/// Prints a line of a result. A reader that closed the pipe (as `head` does) is not an error.
pub(crate) fn answer(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a line that is not part of a result.
pub(crate) fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// The first `limit` of a list that begins with the latest, and says so when there are more: whoever counts
/// must know that they do not see all.
pub(crate) fn latest<T>(mut items: Vec<T>, limit: u32) -> Vec<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items.len() > limit {
        items.truncate(limit);
        say(&format!("note: these are the latest {limit}; --limit shows more"));
    }
    items
}

/// Prints a result for machines.
pub(crate) fn answer_json(value: &serde_json::Value) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => answer(&text),
        Err(error) => say(&format!("error: the result cannot be printed: {error}")),
    }
}

impl Global {
    /// The number of reading and encoding threads.
    pub(crate) fn thread_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// Takes what may hold a secret as it is; what is wrong with it is told later, and without it.
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// Reads `512MiB`, `1GiB`, `2GB` or plain bytes.
fn parse_bytes(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, usize); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (digits, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1));
    let number: usize =
        digits.trim().parse().map_err(|_| "expected a size such as 512MiB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "the size is too large".to_owned())
}

/// Reads a slot: an instant such as `2026-01-04T02:00:00Z`.
pub(crate) fn parse_slot(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| "expected an instant such as 2026-01-04T02:00:00Z".to_owned())
}

/// The instant at which the command was given, to the second: the slot of runs that are named
/// without one.
pub(crate) fn slot_now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(ambient::now().as_second()).unwrap_or_else(|_| ambient::now())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_bytes("512MiB"), Ok(512 << 20));
        assert_eq!(parse_bytes("1GiB"), Ok(1 << 30));
        assert_eq!(parse_bytes("2 GB"), Ok(2_000_000_000));
        assert_eq!(parse_bytes("4096"), Ok(4_096));
        assert!(parse_bytes("much").is_err());
        assert!(parse_bytes("99999999999999999999").is_err());
        assert!(parse_bytes("9999999999999GiB").is_err());
    }
}
