//! `cargo xtask bench`: the main job at size, beside DuckDB doing the same query.
//!
//! Every figure is of a whole process. The contenders take turns, and medians are compared, so that
//! a noisy machine disturbs both alike.

mod comparison;
mod data;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use s3lab::{Backend, Lab, Options, User};

use crate::measure::{self, Cost};

/// Export generated profiles to a folder and to an S3 service in this process
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// How many profiles are exported
    #[arg(long, default_value_t = 5_000_000)]
    profiles: u64,
    /// Whom to compare with, in turns
    #[arg(long, value_enum)]
    against: Option<Peer>,
    /// The Python that has the peer
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Counted runs of each contender, after one that is not counted
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where data and results go
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// The binary to measure (default: the release build of this tree)
    #[arg(long)]
    segue: Option<PathBuf>,
    /// Leave out the S3 runs
    #[arg(long)]
    folder_only: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    Data(data::Args),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Peer {
    /// DuckDB's `COPY … TO`, by its Python package
    Duckdb,
}

/// What DuckDB is asked for.
#[derive(Debug, Clone, Copy)]
enum Job {
    /// The query alone.
    Query,
    /// Also what a run of Segue finds out and keeps: that nobody occurs twice, the SHA-256 of the file,
    /// and whose rows are in it.
    Proven,
}

/// What Python runs; names in capitals are filled in.
const SCRIPT: &str = r#"
import duckdb, hashlib
c = duckdb.connect()
c.execute("SET threads = THREADS; SET enable_progress_bar = false")
profiles = "read_parquet('DATA/data/profiles/*.parquet')"
rows = c.execute(f"COPY (SELECT COLUMNS FROM {profiles} WHERE SELECTED) TO 'OUT' (HEADER)").fetchone()[0]
PROOFS
print(rows)
"#;
const PROOFS: &str = r#"
records, people = c.execute(f"SELECT count(*), count(DISTINCT crmId) FROM {profiles}").fetchone()
assert records == people
digest = hashlib.sha256()
with open("OUT", "rb") as file:
    while piece := file.read(1 << 20):
        digest.update(piece)
kept = f"COPY (SELECT hash(crmId) AS person FROM {profiles} WHERE SELECTED) TO 'OUT.people.parquet'"
assert c.execute(kept).fetchone()[0] == rows
"#;

/// 15 of the sample's fields, and the rule that selects about 80 % of the profiles.
const COLUMNS: [&str; 15] = [
    "crmId",
    "person.name.firstName",
    "person.name.lastName",
    "person.gender",
    "person.birthDate",
    "personalEmail.address",
    "mobilePhone.number",
    "homeAddress.street",
    "homeAddress.postalCode",
    "homeAddress.city",
    "homeAddress.country",
    "loyalty.points",
    "marketing.email",
    "lastOrderAmount",
    "modifiedAt",
];
const RULE: &str = "loyalty.points >= 120";
/// Who asked not to be addressed, whom every activation leaves out (`docs/consent.md`).
const OPT_OUT: &str = "privacy.optOut";
const BUCKET: &str = "segue-bench";
const SECRET: &str = "bench-secret";
const RUN: [&str; 4] = ["run", "bench", "--output", "json"];
/// What every project of a benchmark begins with.
const DATASETS: &str = "\
version: 1
name: bench
datasets:
  crm:
    location: DATA/data/profiles/*.parquet
    identities: { crmId: CRMID }
    timestamp: modifiedAt
";
const PROJECT: &str = "\
segments:
  most:
    rule: RULE
accounts:
  lab:
    type: amazon-s3
    auth:
      kind: access-key
      access_key_id: bench
      secret_access_key: ${BENCH_SECRET}
    region: us-east-1
    endpoint_url: ENDPOINT
destinations:
  lab:
    account: lab
    bucket: BUCKET
    folder: bench
    file: { format: csv }
    manifest: true
activations:
  bench:
    destination: lab
    segments:
      - segment: most
    mapping:
";

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(Other::Data(args)) = &args.other {
        return data::run(args);
    }
    let segue = match &args.segue {
        Some(segue) => segue.clone(),
        None => build()?,
    };
    let data = args.folder.join(format!("profiles-{}", args.profiles));
    make_data(&segue, &data, args.profiles)?;
    let contest = Contest { segue, data, args };
    contest.to_folder()?;
    if !args.folder_only {
        contest.to_s3()?;
    }
    match args.against {
        Some(Peer::Duckdb) => contest.compare(),
        None => Ok(()),
    }
}

/// One finished export.
#[derive(Debug, Clone, Copy)]
struct Export {
    cost: Cost,
    rows: u64,
    bytes: u64,
}

/// What is measured, and with what.
struct Contest<'a> {
    segue: PathBuf,
    data: PathBuf,
    args: &'a Args,
}

impl Contest<'_> {
    fn to_folder(&self) -> anyhow::Result<()> {
        let exports = self.repeat(|| self.segue_to_folder())?;
        print("segue to a folder", &exports);
        Ok(())
    }

    fn segue_to_folder(&self) -> anyhow::Result<Export> {
        let out = self.args.folder.join("out");
        clear(&out)?;
        // No service is asked when the files go to a folder.
        let project = self.project("http://127.0.0.1:1")?;
        self.segue_run(
            Command::new(&self.segue).arg("--project").arg(project).args(RUN).arg("--to").arg(&out),
        )
    }

    /// The service keeps no bytes, so that the exporter is measured and not a server's memory.
    fn to_s3(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Runtime::new()?;
        let user = User {
            access_key_id: "bench".to_owned(),
            secret_access_key: SECRET.to_owned(),
            ..User::default()
        };
        let options = Options {
            backend: Backend::Discard,
            buckets: vec![BUCKET.into()],
            users: vec![user],
            hash_bodies: false,
            ..Options::default()
        };
        let lab = runtime.block_on(Lab::start(options))?;
        let mut number = 0;
        let exports = self.repeat(|| {
            number += 1;
            let project = self.project(&lab.endpoint())?;
            // A slot of its own for each run: the service remembers the names of the last.
            let slot = format!("2026-01-01T00:00:{number:02}Z");
            let mut command = Command::new(&self.segue);
            self.segue_run(command.arg("--project").arg(project).args(RUN).args(["--slot", &slot]))
        })?;
        print("segue to S3, the service in the measuring process", &exports);
        Ok(())
    }

    fn segue_run(&self, command: &mut Command) -> anyhow::Result<Export> {
        let (cost, printed) = measure::process(command.env("BENCH_SECRET", SECRET))?;
        let result: serde_json::Value = serde_json::from_str(&printed)?;
        let figure = |name: &str| {
            result["runs"][0][name].as_u64().with_context(|| format!("no {name} in {printed}"))
        };
        Ok(Export { cost, rows: figure("rows")?, bytes: figure("bytes")? })
    }

    fn compare(&self) -> anyhow::Result<()> {
        let (mut ours, mut theirs, mut proven) = (Vec::new(), Vec::new(), Vec::new());
        self.duckdb(Job::Query)?;
        for _ in 0..self.args.runs {
            theirs.push(self.duckdb(Job::Query)?);
            ours.push(self.segue_to_folder()?);
            proven.push(self.duckdb(Job::Proven)?);
        }
        print("DuckDB COPY to a file", &theirs);
        print("DuckDB COPY, with what segue finds out besides", &proven);
        print("segue to a folder, in turns with them", &ours);
        let rows = |exports: &[Export]| exports.first().map(|export| export.rows);
        ensure!(rows(&ours) == rows(&theirs), "the two did not export the same rows");
        let ours = median(&ours);
        for (theirs, what) in [(theirs, "COPY"), (proven, "COPY with the same proofs")] {
            let theirs = median(&theirs);
            println!(
                "segue takes 1/{:.2} of the wall time and 1/{:.2} of the CPU seconds of DuckDB's {what} (medians)",
                theirs.wall.as_secs_f64() / ours.wall.as_secs_f64(),
                theirs.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
            );
        }
        Ok(())
    }

    fn duckdb(&self, job: Job) -> anyhow::Result<Export> {
        let out = self.args.folder.join("duckdb.csv");
        let columns: Vec<String> =
            COLUMNS.iter().map(|path| format!("{path} AS {}", header(path))).collect();
        let threads = std::thread::available_parallelism()?;
        let proofs = match job {
            Job::Query => "",
            Job::Proven => PROOFS,
        };
        let script = SCRIPT
            .replace("PROOFS", proofs)
            .replace("COLUMNS", &columns.join(", "))
            .replace("SELECTED", &format!("{RULE} AND NOT coalesce({OPT_OUT}, false)"))
            .replace("THREADS", &threads.to_string())
            .replace("DATA", &self.data.display().to_string())
            .replace("OUT", &out.display().to_string());
        let (cost, printed) =
            measure::process(Command::new(&self.args.python).arg("-c").arg(script))?;
        let rows = printed.split_whitespace().next_back().unwrap_or_default().parse();
        let rows = rows.with_context(|| format!("no count of rows in {printed:?}"))?;
        Ok(Export { cost, rows, bytes: fs::metadata(out)?.len() })
    }

    fn repeat(
        &self,
        mut once: impl FnMut() -> anyhow::Result<Export>,
    ) -> anyhow::Result<Vec<Export>> {
        once()?;
        (0..self.args.runs).map(|_| once()).collect()
    }

    /// A fresh project each time: its state is made anew, so that each run is a first run.
    fn project(&self, endpoint: &str) -> anyhow::Result<PathBuf> {
        let folder = self.args.folder.join("project");
        clear(&folder)?;
        fs::create_dir_all(&folder)?;
        let data = std::path::absolute(&self.data)?;
        let mapping: Vec<String> = COLUMNS.iter().map(|path| format!("      - {path}\n")).collect();
        let text = format!("{DATASETS}{PROJECT}")
            .replace("DATA", &data.display().to_string())
            .replace("RULE", RULE)
            .replace("ENDPOINT", endpoint)
            .replace("BUCKET", BUCKET)
            + &mapping.concat();
        fs::write(folder.join("segue.yaml"), text)?;
        Ok(folder)
    }
}

fn print(what: &str, exports: &[Export]) {
    let cost = median(exports);
    let (wall, cpu) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
    let Some(Export { rows, bytes, .. }) = exports.first() else { return };
    let (rows, megabytes) = (*rows as f64, *bytes as f64 / 1e6);
    println!(
        "{what}: {rows} rows, {megabytes:.1} MB; medians of {} runs: wall {wall:.2} s, CPU {cpu:.2} s, peak memory {:.0} MiB; \
         {:.2} M rows/s and {:.0} MB/s, {:.2} M rows and {:.0} MB per CPU second",
        exports.len(),
        cost.memory_bytes as f64 / f64::from(1 << 20),
        rows / 1e6 / wall,
        megabytes / wall,
        rows / 1e6 / cpu,
        megabytes / cpu,
    );
}

fn median(exports: &[Export]) -> Cost {
    let costs: Vec<Cost> = exports.iter().map(|export| export.cost).collect();
    measure::median(&costs)
}

fn header(path: &str) -> String {
    path.replace('.', "_")
}

fn clear(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("failed to clear {}", folder.display()))?;
    }
    Ok(())
}

/// Builds the release binary and returns its path.
fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--release", "--package", "segue"]).status()?;
    ensure!(built.success(), "the release build failed");
    let this = std::env::current_exe()?;
    Ok(this.with_file_name("segue"))
}

/// Makes the profiles once; later runs find them.
fn make_data(segue: &Path, folder: &Path, profiles: u64) -> anyhow::Result<()> {
    fs::create_dir_all(folder.parent().unwrap_or(folder))?;
    let made = Command::new(segue)
        .arg("demo")
        .arg(folder)
        .args(["--data-only", "--profiles", &profiles.to_string()])
        .status()?;
    ensure!(made.success(), "failed to make the profiles");
    Ok(())
}
