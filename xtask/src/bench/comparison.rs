//! Two sets of rows compared: an increment's way, and the best plan that DuckDB has for it.
//!
//! A row is an id of 8 bytes and a hash of its attributes; of each set 2 % of the ids are not in the
//! other one, and 1 % of the rest have another hash. Segue reads today's rows in any order and
//! compares them, by a hash of 16 bytes of the id, with the file that the last run left; DuckDB reads
//! both sets as they are and counts the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::data::{Args, print};
use crate::measure::{self, Cost};

/// The plans that DuckDB is given.
const PLANS: [(&str, &str); 2] = [
    (
        "a full outer join",
        "SELECT count(*) FILTER (WHERE y.id IS NULL), count(*) FILTER (WHERE t.hash <> y.hash), count(*) FILTER (WHERE t.id IS NULL) FROM 'TODAY' t FULL JOIN 'YESTERDAY' y ON t.id = y.id WHERE t.hash IS DISTINCT FROM y.hash",
    ),
    (
        "a union, grouped by id",
        "SELECT count(*) FILTER (WHERE y IS NULL), count(*) FILTER (WHERE t <> y), count(*) FILTER (WHERE t IS NULL) FROM (SELECT max(t) AS t, max(y) AS y FROM (SELECT id, hash AS t, NULL::BIGINT AS y FROM 'TODAY' UNION ALL SELECT id, NULL, hash FROM 'YESTERDAY') GROUP BY id) WHERE t IS DISTINCT FROM y",
    ),
];
/// The memory that DuckDB may take, in turns.
const DUCKDB_MEMORY: [Option<&str>; 2] = [Some("1GiB"), None];

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let comparison = match &args.comparison {
        Some(comparison) => comparison.clone(),
        None => build()?,
    };
    let folder = std::path::absolute(args.folder.join("comparison"))?;
    super::clear(&folder)?;
    fs::create_dir_all(&folder)?;
    let [today, yesterday, baseline] =
        ["today.parquet", "yesterday.parquet", "baseline.parquet"].map(|name| folder.join(name));
    let step = |arguments: &[&str]| -> anyhow::Result<(Cost, String)> {
        measure::process(Command::new(&comparison).args(arguments))
    };
    let [today_text, yesterday_text, baseline_text] =
        [&today, &yesterday, &baseline].map(|file| file.display().to_string());
    let (rows, gone) = (args.rows.to_string(), (args.rows / 50).to_string());
    step(&["make", &yesterday_text, "0", &rows, "1"])?;
    step(&["make", &today_text, &gone, &rows, "2"])?;
    let (cost, _) = step(&["remember", &yesterday_text, &baseline_text])?;
    print(&format!("keeping {rows} rows for the next comparison"), cost);
    let (ours, printed) = step(&["compare", &today_text, &baseline_text])?;
    print(&format!("comparing {rows} rows with {rows}"), ours);
    fs::remove_file(&baseline)?;
    let found: serde_json::Value = serde_json::from_str(&printed)?;
    let found = ["added", "changed", "removed"].map(|name| found[name].as_u64().unwrap_or(0));
    println!("  added, changed, removed: {found:?}");
    if let Some(python) = &args.python {
        let peer = Peer { python, folder: &folder, files: [&today, &yesterday], found };
        peer.compare(ours)?;
    }
    if args.keep { Ok(()) } else { super::clear(&folder) }
}

struct Peer<'a> {
    python: &'a Path,
    folder: &'a Path,
    files: [&'a Path; 2],
    /// What it has to find too.
    found: [u64; 3],
}

impl Peer<'_> {
    fn compare(&self, ours: Cost) -> anyhow::Result<()> {
        for memory in DUCKDB_MEMORY {
            let mut best: Option<Cost> = None;
            let limit = memory.unwrap_or("what it likes");
            for (name, plan) in PLANS {
                match self.plan(plan, memory)? {
                    Some(cost) => {
                        print(&format!("DuckDB with {limit}: {name}"), cost);
                        if best.is_none_or(|best| cost.wall < best.wall) {
                            best = Some(cost);
                        }
                    }
                    None => println!("DuckDB with {limit}: {name} ends with an error"),
                }
            }
            if let Some(best) = best {
                println!(
                    "segue takes 1/{:.2} of the wall time, 1/{:.2} of the CPU seconds and {:.2} of the memory of the best plan with {limit}",
                    best.wall.as_secs_f64() / ours.wall.as_secs_f64(),
                    best.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
                    ours.memory_bytes as f64 / best.memory_bytes as f64,
                );
            }
        }
        Ok(())
    }

    /// What a plan costs; nothing if it fails.
    fn plan(&self, plan: &str, memory: Option<&str>) -> anyhow::Result<Option<Cost>> {
        let [today, yesterday] = self.files.map(|file| file.display().to_string());
        let query = plan.replace("TODAY", &today).replace("YESTERDAY", &yesterday);
        let threads = std::thread::available_parallelism()?;
        let spill = self.folder.join("spill");
        let mut settings = format!(
            "SET threads = {threads}; SET enable_progress_bar = false; SET preserve_insertion_order = false; SET temp_directory = '{}';",
            spill.display()
        );
        if let Some(memory) = memory {
            settings.push_str(&format!(" SET memory_limit = '{memory}';"));
        }
        let script = format!(
            "import duckdb; c = duckdb.connect(); c.execute(\"{settings}\"); print(*c.execute(\"\"\"{query}\"\"\").fetchone())"
        );
        let measured = measure::process(Command::new(self.python).arg("-c").arg(script));
        super::clear(&spill)?;
        let Ok((cost, printed)) = measured else { return Ok(None) };
        let numbers = printed.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>();
        let numbers = numbers.with_context(|| format!("no counts in {printed:?}"))?;
        ensure!(numbers == self.found, "DuckDB found {numbers:?}, and segue {:?}", self.found);
        Ok(Some(cost))
    }
}

/// Builds the benchmark and returns its path. Naming `segue` too keeps the features of what they
/// share, which need not be built again.
fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["bench", "--package", "engine", "--package", "segue", "--bench", "comparison"])
        .args(["--no-run", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(built.status.success(), "the release build of the comparison failed");
    let messages = String::from_utf8(built.stdout)?;
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_ours = message["target"]["name"] == "comparison";
        message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
    });
    executable.context("cargo told of no executable")
}
