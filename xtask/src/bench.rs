//! `cargo xtask bench`: the main job at size, beside DuckDB doing the same query.
//!
//! Every figure is of a whole process. The contenders take turns, and medians are compared, so that
//! a noisy machine disturbs both alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use s3lab::{Backend, Lab, Options};

use crate::measure::{self, Cost};

/// Export generated profiles to a folder and to an S3 service in this process
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    /// Leave out the S3 runs
    #[arg(long)]
    folder_only: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Peer {
    /// DuckDB's `COPY … TO`, by its Python package
    Duckdb,
}

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
const BUCKET: &str = "segue-bench";
const SECRET: &str = "bench-secret";

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let segue = build()?;
    let data = args.folder.join(format!("profiles-{}", args.profiles));
    make_data(&segue, &data, args.profiles)?;
    let contest = Contest { segue, data, args };
    let folder = contest.to_folder()?;
    if !args.folder_only {
        contest.to_s3()?;
    }
    if args.against.is_some() {
        contest.compare(&folder)?;
    }
    Ok(())
}

/// What is measured, and with what.
struct Contest<'a> {
    segue: PathBuf,
    data: PathBuf,
    args: &'a Args,
}

impl Contest<'_> {
    fn to_folder(&self) -> anyhow::Result<Vec<Cost>> {
        let out = self.args.folder.join("out");
        let costs = self.repeat(|| self.segue_to_folder(&out))?;
        self.print("segue to a folder", &costs, &out)?;
        Ok(costs)
    }

    fn segue_to_folder(&self, out: &Path) -> anyhow::Result<Cost> {
        clear(out)?;
        let project = self.project("http://127.0.0.1:1")?;
        measure::process(self.segue_run(&project).arg("--to").arg(out))
    }

    /// The service keeps no bytes, so that the exporter is measured and not a server's memory.
    fn to_s3(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Runtime::new()?;
        let options = Options {
            backend: Backend::Discard,
            buckets: vec![BUCKET.to_owned()],
            ..Options::single_user("bench", SECRET)
        };
        let lab = runtime.block_on(Lab::start(options))?;
        let project = self.project(&lab.endpoint())?;
        let costs = self.repeat(|| measure::process(&mut self.segue_run(&project)))?;
        self.print("segue to S3 in the measuring process", &costs, &self.args.folder.join("out"))
    }

    fn segue_run(&self, project: &Path) -> Command {
        let mut command = Command::new(&self.segue);
        command.arg("--project").arg(project).args(["run", "bench"]);
        command
    }

    fn compare(&self, segue: &[Cost]) -> anyhow::Result<()> {
        let peer_out = self.args.folder.join("duckdb.csv");
        let out = self.args.folder.join("out");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.args.runs {
            theirs.push(self.duckdb(&peer_out)?);
            ours.push(self.segue_to_folder(&out)?);
        }
        self.print("DuckDB COPY to a file", &theirs, &peer_out)?;
        let (ours, theirs) = (measure::median(&ours), measure::median(&theirs));
        let _ = segue;
        println!(
            "segue is {:.2} times as fast as DuckDB in wall time, {:.2} times in CPU seconds (medians, in turns)",
            theirs.wall.as_secs_f64() / ours.wall.as_secs_f64(),
            theirs.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
        );
        Ok(())
    }

    fn duckdb(&self, out: &Path) -> anyhow::Result<Cost> {
        let columns: Vec<String> =
            COLUMNS.iter().map(|path| format!("{path} AS {}", header(path))).collect();
        let query = format!(
            "COPY (SELECT {} FROM read_parquet('{}/data/profiles/*.parquet') WHERE {RULE}) TO '{}' (HEADER)",
            columns.join(", "),
            self.data.display(),
            out.display(),
        );
        let script = format!(
            "import duckdb; duckdb.sql(\"SET threads = 2\"); duckdb.sql(\"\"\"{query}\"\"\")"
        );
        measure::process(Command::new(&self.args.python).arg("-c").arg(script))
    }

    fn repeat(&self, once: impl Fn() -> anyhow::Result<Cost>) -> anyhow::Result<Vec<Cost>> {
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
        let text = format!(
            "version: 1\nname: bench\n\
             datasets:\n  crm:\n    location: {}/data/profiles/*.parquet\n    identities: {{ crmId: CRMID }}\n    timestamp: modifiedAt\n\
             segments:\n  most: {{ rule: \"{RULE}\" }}\n\
             accounts:\n  lab:\n    type: amazon-s3\n    auth: {{ kind: access-key, access_key_id: bench, secret_access_key: \"${{BENCH_SECRET:-{SECRET}}}\" }}\n    region: us-east-1\n    endpoint_url: {endpoint}\n\
             destinations:\n  lab: {{ account: lab, bucket: {BUCKET}, folder: bench, file: {{ format: csv }}, manifest: true }}\n\
             activations:\n  bench:\n    destination: lab\n    segments:\n      - segment: most\n    mapping:\n{}",
            data.display(),
            mapping.concat(),
        );
        fs::write(folder.join("segue.yaml"), text)?;
        Ok(folder)
    }

    fn print(&self, what: &str, costs: &[Cost], out: &Path) -> anyhow::Result<()> {
        let cost = measure::median(costs);
        let (bytes, rows) = written(&self.args.folder.join("out"))?;
        let bytes = if out.is_file() { fs::metadata(out)?.len() } else { bytes };
        println!(
            "{what}: {rows} rows, {:.1} MB; median of {}: wall {:.2} s, CPU {:.2} s, peak memory {:.0} MiB; \
             {:.2} M rows/s and {:.0} MB/s wall, {:.2} M rows and {:.0} MB per CPU second",
            bytes as f64 / 1e6,
            costs.len(),
            cost.wall.as_secs_f64(),
            cost.cpu.as_secs_f64(),
            cost.memory_bytes as f64 / f64::from(1 << 20),
            rows as f64 / 1e6 / cost.wall.as_secs_f64(),
            bytes as f64 / 1e6 / cost.wall.as_secs_f64(),
            rows as f64 / 1e6 / cost.cpu.as_secs_f64(),
            bytes as f64 / 1e6 / cost.cpu.as_secs_f64(),
        );
        Ok(())
    }
}

/// Bytes of all CSV files below a folder, and their line ends without the headers.
fn written(folder: &Path) -> anyhow::Result<(u64, u64)> {
    let (mut bytes, mut rows) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir()
            && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
        {
            let (more_bytes, more_rows) = written(&path)?;
            bytes += more_bytes;
            rows += more_rows;
        } else if path.extension().is_some_and(|extension| extension == "csv") {
            let text = fs::read(&path)?;
            bytes += text.len() as u64;
            // The sample has line breaks inside cells; each of those is followed by `Bât.`.
            let lines = text.iter().filter(|byte| **byte == b'\n').count();
            let inside = count(&text, "\nBât.".as_bytes());
            rows += (lines - inside - 1) as u64;
        }
    }
    Ok((bytes, rows))
}

fn count(text: &[u8], wanted: &[u8]) -> usize {
    text.windows(wanted.len()).filter(|window| *window == wanted).count()
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
