//! `cargo xtask bench data`: merging, segments, an increment, and the comparison of two sets, at size.
//!
//! All but the last are jobs of the whole binary over the demo's invented profiles, each a process of
//! its own; what a job needs to be there (the first run, the knowledge that nobody occurs twice) is
//! made before and not counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use clap::ValueEnum;

use super::comparison;
use crate::measure::{self, Cost};

/// Merge, evaluate, send an increment and compare two sets of rows, and print what each costs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many profiles there are
    #[arg(long, default_value_t = 10_000_000)]
    profiles: u64,
    /// How many rows each side of the comparison has
    #[arg(long, default_value_t = 100_000_000)]
    pub(super) rows: u64,
    /// The memory of each job, as `segue --memory` takes it
    #[arg(long, default_value = "1GiB")]
    memory: String,
    /// How many increments are sent, each beside a full file at the same instant
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=70))]
    runs: u32,
    /// Only these (default: all)
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The Python that has DuckDB or DataFusion; without it the comparison has no peer
    #[arg(long)]
    pub(super) python: Option<PathBuf>,
    /// Where data and results go
    #[arg(long, default_value = "target/bench")]
    pub(super) folder: PathBuf,
    /// The binary to measure (default: the release build of this tree)
    #[arg(long)]
    segue: Option<PathBuf>,
    /// The benchmark of the comparison (default: the release build of this tree)
    #[arg(long)]
    pub(super) comparison: Option<PathBuf>,
    /// Leave the data there
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Two profile datasets become merged profiles
    Merge,
    /// One segment and ten, each in one scan
    Segments,
    /// A daily increment beside the full export
    Increment,
    /// Two sets of rows, beside DuckDB
    Comparison,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let is_asked = |part: Part| args.only.is_empty() || args.only.contains(&part);
    if [Part::Merge, Part::Segments, Part::Increment].into_iter().any(is_asked) {
        let bench = Bench::prepare(args)?;
        if is_asked(Part::Merge) {
            bench.merge()?;
        }
        if is_asked(Part::Segments) {
            bench.segments()?;
        }
        if is_asked(Part::Increment) {
            bench.increment()?;
        }
        if !args.keep {
            super::clear(&bench.data)?;
        }
    }
    if is_asked(Part::Comparison) {
        comparison::run(args)?;
    }
    Ok(())
}

/// The second dataset of the merge: the first half of the files again, so that one profile in two has
/// a record in both. The text begins with a line end, since a carried line would lose its indent.
const SECOND: &str = "
  web:
    location: web/*.parquet
    identities: { crmId: CRMID }
    timestamp: modifiedAt
profiles: { merge: timestamp }
";

/// Ten rules that take between a few and four in five of the profiles and read eleven fields.
const RULES: [(&str, &str); 10] = [
    ("most", "loyalty.points >= 120"),
    ("luxury", "loyalty.points >= 6000 AND homeAddress.country IN ('FR', 'BE', 'CH')"),
    ("newsletter", "marketing.email AND array_has(tags, 'newsletter')"),
    ("french", "homeAddress.country = 'FR' AND person.gender = 'female'"),
    ("buyers", "lastOrderAmount > 400"),
    ("young", "person.birthDate > DATE '2000-01-01'"),
    ("reachable", "mobilePhone.number IS NOT NULL AND personalEmail.address LIKE '%@example.com'"),
    ("platinum", "loyalty.tier = 'platinum' OR loyalty.tier = 'gold'"),
    ("new", "createdAt > TIMESTAMP '2025-06-01T00:00:00Z'"),
    ("vips", "array_has(tags, 'vip') AND loyalty.since < DATE '2020-01-01'"),
];

/// Members are those who were modified between 85 and 5 days before the slot, so that of the members
/// of one slot about 1 % are others ten hours later: half of them joined, and half left.
const INCREMENT: &str = "\
segments:
  recent:
    rule: modifiedAt < now() - INTERVAL '5 days' AND modifiedAt >= now() - INTERVAL '85 days'
accounts:
  nobody:
    type: amazon-s3
    auth: { kind: access-key, access_key_id: bench, secret_access_key: '${BENCH_SECRET}' }
    region: us-east-1
    endpoint_url: http://127.0.0.1:1
destinations:
  folder:
    account: nobody
    bucket: segue-bench
    folder: bench/%ACTIVATION_NAME%
    file: { format: csv }
    manifest: true
activations:
";
const FIRST_SLOT: &str = "2026-01-01T00:00:00Z";
const SLOT_HOURS: u32 = 10;

struct Bench<'a> {
    args: &'a Args,
    segue: PathBuf,
    /// A demo of its own.
    data: PathBuf,
}

impl<'a> Bench<'a> {
    fn prepare(args: &'a Args) -> anyhow::Result<Self> {
        let segue = match &args.segue {
            Some(segue) => segue.clone(),
            None => super::build()?,
        };
        let data = args.folder.join(format!("profiles-{}", args.profiles));
        super::make_data(&segue, &data, args.profiles)?;
        Ok(Self { args, segue, data: std::path::absolute(data)? })
    }

    fn merge(&self) -> anyhow::Result<()> {
        let project = self.project(&format!("{SECOND}{}", segments()))?;
        let records = self.link_half(&project.join("web"))?;
        let (merged, _) = self.segue(&project, &["count", "most"])?;
        print(&format!("merging {records} records of two datasets, and a count"), merged);
        let (again, _) = self.segue(&project, &["count", "most"])?;
        print("the same when nothing has changed", again);
        self.write_anew(&project.join("web"))?;
        let (once_more, _) = self.segue(&project, &["count", "most"])?;
        print("the same when one file was written anew", once_more);
        super::clear(&project)
    }

    /// Makes the second dataset of links to the first half of the files; returns how many records
    /// both have.
    fn link_half(&self, folder: &Path) -> anyhow::Result<String> {
        fs::create_dir_all(folder)?;
        let mut files: Vec<PathBuf> = fs::read_dir(self.data.join("data/profiles"))?
            .map(|file| Ok(file?.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
        let half = files.len().div_ceil(2);
        for file in &files[..half] {
            fs::hard_link(file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        let share = 1.0 + half as f64 / files.len() as f64;
        Ok(format!("about {:.1} M", self.args.profiles as f64 * share / 1e6))
    }

    /// Puts a copy in the place of the last file, which is another version of it then.
    fn write_anew(&self, folder: &Path) -> anyhow::Result<()> {
        let files = fs::read_dir(folder)?.map(|file| Ok(file?.path()));
        let mut files = files.collect::<std::io::Result<Vec<PathBuf>>>()?;
        files.sort();
        let last = files.pop().context("there is no file of profiles")?;
        let copy = last.with_extension("copy");
        fs::copy(&last, &copy)?;
        Ok(fs::rename(copy, last)?)
    }

    fn segments(&self) -> anyhow::Result<()> {
        let project = self.project(&segments())?;
        // Whether somebody occurs twice is found out once for each state of the data.
        self.segue(&project, &["count", "most"])?;
        let slot = ["evaluate", "--slot", FIRST_SLOT];
        let (one, _) = self.segue(&project, &[&slot[..], &["most"]].concat())?;
        print("evaluating one segment, with its history", one);
        super::clear(&project.join(".segue/membership"))?;
        let (ten, _) = self.segue(&project, &slot)?;
        print("evaluating ten segments, with their histories", ten);
        let ratio = ten.cpu.as_secs_f64() / one.cpu.as_secs_f64();
        println!("ten segments take {ratio:.2} times the CPU seconds of one");
        let (one, _) = self.segue(&project, &["count", "most"])?;
        print("counting one segment", one);
        let (ten, _) = self.segue(&project, &["count"])?;
        print("counting ten segments", ten);
        let ratio = ten.cpu.as_secs_f64() / one.cpu.as_secs_f64();
        println!("counting ten segments takes {ratio:.2} times the CPU seconds of one");
        super::clear(&project)
    }

    fn increment(&self) -> anyhow::Result<()> {
        let columns = super::COLUMNS.map(|path| format!("      - {path}\n")).concat();
        let activation = |key: &str, export: &str| {
            format!(
                "  {key}:\n    destination: folder\n    segments:\n      - {{ segment: recent, export: {export} }}\n    mapping:\n      - {{ source: segmentMembership.status, target: status }}\n{columns}"
            )
        };
        let project = self.project(&format!(
            "{INCREMENT}{}{}",
            activation("everybody", "full"),
            activation("changed", "incremental")
        ))?;
        let out = project.join("out");
        let export = |activation: &str, slot: &str| -> anyhow::Result<(Cost, u64)> {
            let to = out.join(activation).display().to_string();
            let run = ["run", activation, "--slot", slot, "--to", &to];
            let (cost, result) = self.segue(&project, &run)?;
            let rows = result["runs"][0]["rows"].as_u64().context("no count of rows")?;
            Ok((cost, rows))
        };
        let (first, rows) = export("changed", FIRST_SLOT)?;
        print(&format!("the first file of an increment, {rows} rows"), first);
        super::clear(&out.join("changed"))?;
        let (mut full, mut increment, mut shares) = (Vec::new(), Vec::new(), Vec::new());
        for run in 1..=self.args.runs {
            let hours = run * SLOT_HOURS;
            let slot = format!("2026-01-{:02}T{:02}:00:00Z", 1 + hours / 24, hours % 24);
            let (cost, full_rows) = export("everybody", &slot)?;
            full.push(cost);
            super::clear(&out.join("everybody"))?;
            let (cost, rows) = export("changed", &slot)?;
            increment.push(cost);
            super::clear(&out.join("changed"))?;
            shares.push(rows as f64 * 100.0 / full_rows as f64);
        }
        let (full, increment) = (measure::median(&full), measure::median(&increment));
        print(&format!("a full file, medians of {}", self.args.runs), full);
        print("the increment at the same instant, medians", increment);
        let share = shares.iter().sum::<f64>() / shares.len() as f64;
        println!(
            "the increments send {share:.2} % of the rows and take {:.2} of the CPU seconds of the full files",
            increment.cpu.as_secs_f64() / full.cpu.as_secs_f64(),
        );
        super::clear(&project)
    }

    /// A fresh project over the data.
    fn project(&self, rest: &str) -> anyhow::Result<PathBuf> {
        let folder = std::path::absolute(self.args.folder.join("data-project"))?;
        super::clear(&folder)?;
        fs::create_dir_all(&folder)?;
        let text = super::DATASETS.replace("DATA", &self.data.display().to_string());
        fs::write(folder.join("segue.yaml"), text + rest)?;
        Ok(folder)
    }

    fn segue(
        &self,
        project: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<(Cost, serde_json::Value)> {
        let mut command = Command::new(&self.segue);
        command.arg("--project").arg(project).args(["--memory", &self.args.memory]);
        command.args(["--output", "json"]).args(arguments).env("BENCH_SECRET", "bench-secret");
        let (cost, printed) = measure::process(&mut command)?;
        Ok((cost, serde_json::from_str(&printed)?))
    }
}

fn segments() -> String {
    let rules = RULES.map(|(key, rule)| format!("  {key}: {{ rule: \"{rule}\" }}\n"));
    format!("segments:\n{}", rules.concat())
}

/// Prints what one process cost.
pub(super) fn print(what: &str, cost: Cost) {
    println!(
        "{what}: wall {:.2} s, CPU {:.2} s, peak memory {:.0} MiB",
        cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        cost.memory_bytes as f64 / f64::from(1 << 20),
    );
}
