//! Two sets of rows compared: an increment's way, and the best SQL plans that DataFusion and DuckDB have
//! for it.
//!
//! A row is an id of 8 bytes and a hash of its attributes; of each set 2 % of the ids are not in the
//! other one, and 1 % of the rest have another hash. Segue reads today's rows in any order and
//! compares them, by a hash of 16 bytes of the id, with the file that the last run left; the others read
//! both sets as they are and count the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::data::{Args, print};
use crate::measure::{self, Cost};

/// Plans, as their names and SQL; `TODAY` and `YESTERDAY` are the two sets.
const PLANS: [(&str, &str); 2] = [
    (
        "a full outer join",
        "SELECT count(*) FILTER (WHERE y.id IS NULL), count(*) FILTER (WHERE t.hash <> y.hash), count(*) FILTER (WHERE t.id IS NULL) FROM TODAY t FULL JOIN YESTERDAY y ON t.id = y.id WHERE t.hash IS DISTINCT FROM y.hash",
    ),
    (
        "a union, grouped by id",
        "SELECT count(*) FILTER (WHERE y IS NULL), count(*) FILTER (WHERE t <> y), count(*) FILTER (WHERE t IS NULL) FROM (SELECT max(t) AS t, max(y) AS y FROM (SELECT id, hash AS t, CAST(NULL AS BIGINT) AS y FROM TODAY UNION ALL SELECT id, NULL, hash FROM YESTERDAY) GROUP BY id) WHERE t IS DISTINCT FROM y",
    ),
];

/// Who is given the plans, and how much memory in turns, in bytes; nothing is as much as it likes.
/// DataFusion, the engine that Segue is built on, joins so many rows by sorting both sides: no other
/// join of it can go to disk, and without a limit the sets would have to fit the memory.
const PEERS: [Peer; 2] = [
    Peer {
        name: "DataFusion",
        module: "datafusion",
        memory: &[Some(1 << 30)],
        script: r#"
import datafusion
runtime = datafusion.RuntimeEnvBuilder().with_disk_manager_specified("SPILL").with_fair_spill_pool(MEMORY)
config = datafusion.SessionConfig().with_target_partitions(THREADS).set("datafusion.optimizer.prefer_hash_join", "false")
c = datafusion.SessionContext(config, runtime)
c.sql("SET datafusion.runtime.max_temp_directory_size = '100G'").collect()
c.register_parquet("today", "TODAY")
c.register_parquet("yesterday", "YESTERDAY")
row = c.sql("""QUERY""").collect()[0]
print(*[row.column(i)[0].as_py() for i in range(3)])
"#,
        sets: ["today", "yesterday"],
    },
    Peer {
        name: "DuckDB",
        module: "duckdb",
        memory: &[Some(1 << 30), None],
        script: r#"
import duckdb
c = duckdb.connect()
c.execute("SET threads = THREADS; SET enable_progress_bar = false; SET preserve_insertion_order = false; SET temp_directory = 'SPILL'")
if MEMORY: c.execute("SET memory_limit = 'MEMORYB'")
print(*c.execute("""QUERY""").fetchone())
"#,
        sets: ["'TODAY'", "'YESTERDAY'"],
    },
];

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
        let sets = [today_text.as_str(), yesterday_text.as_str()];
        let contest = Contest { python, folder: &folder, sets, found };
        for peer in &PEERS {
            contest.against(peer, ours)?;
        }
    }
    if args.keep { Ok(()) } else { super::clear(&folder) }
}

/// Another program that answers the same question, by way of its Python package.
struct Peer {
    name: &'static str,
    module: &'static str,
    memory: &'static [Option<u64>],
    /// What Python runs: `QUERY`, `TODAY`, `YESTERDAY`, `SPILL`, `MEMORY` and `THREADS` are filled in.
    script: &'static str,
    /// What the two sets are called in a query.
    sets: [&'static str; 2],
}

struct Contest<'a> {
    python: &'a Path,
    folder: &'a Path,
    /// The files of today's and yesterday's rows.
    sets: [&'a str; 2],
    /// What a peer has to find too.
    found: [u64; 3],
}

impl Contest<'_> {
    fn against(&self, peer: &Peer, ours: Cost) -> anyhow::Result<()> {
        let Peer { name, module, memory, .. } = peer;
        let imported = Command::new(self.python).arg("-c").arg(format!("import {module}")).output();
        if !imported.is_ok_and(|imported| imported.status.success()) {
            println!("{name} is left out: {} has no package {module}", self.python.display());
            return Ok(());
        }
        for memory in *memory {
            let mut best: Option<Cost> = None;
            let limit = memory.map_or_else(|| "what it likes".to_owned(), mebibytes);
            for (plan, query) in PLANS {
                match self.plan(peer, query, *memory)? {
                    Some(cost) => {
                        print(&format!("{name} with {limit}: {plan}"), cost);
                        if best.is_none_or(|best| cost.cpu < best.cpu) {
                            best = Some(cost);
                        }
                    }
                    None => println!("{name} with {limit}: {plan} ends with an error"),
                }
            }
            if let Some(best) = best {
                println!(
                    "segue takes 1/{:.2} of the wall time, 1/{:.2} of the CPU seconds and {:.2} of the memory of {name}'s best plan with {limit}",
                    best.wall.as_secs_f64() / ours.wall.as_secs_f64(),
                    best.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
                    ours.memory_bytes as f64 / best.memory_bytes as f64,
                );
            }
        }
        Ok(())
    }

    /// What a plan costs; nothing if it fails.
    fn plan(&self, peer: &Peer, query: &str, memory: Option<u64>) -> anyhow::Result<Option<Cost>> {
        let threads = std::thread::available_parallelism()?.to_string();
        let spill = self.folder.join("spill");
        fs::create_dir_all(&spill)?;
        let query = query.replace("YESTERDAY", peer.sets[1]).replace("TODAY", peer.sets[0]);
        let script = peer
            .script
            .replace("QUERY", &query)
            .replace("YESTERDAY", self.sets[1])
            .replace("TODAY", self.sets[0])
            .replace("SPILL", &spill.display().to_string())
            .replace("MEMORY", &memory.unwrap_or(0).to_string())
            .replace("THREADS", &threads);
        let measured = measure::process(Command::new(self.python).arg("-c").arg(script));
        super::clear(&spill)?;
        let Ok((cost, printed)) = measured else { return Ok(None) };
        let numbers = printed.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>();
        let numbers = numbers.with_context(|| format!("no counts in {printed:?}"))?;
        let (name, found) = (peer.name, self.found);
        ensure!(numbers == found, "{name} found {numbers:?}, and segue {found:?}");
        Ok(Some(cost))
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
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
