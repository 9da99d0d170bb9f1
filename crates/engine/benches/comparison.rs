//! The comparison of an increment at size: today's rows, in any order, with those of the last
//! delivered run. `cargo xtask bench data --only comparison` runs it beside DuckDB, one step in a
//! process, so that the peak memory of each is told apart.
//!
//! ```text
//! comparison make FILE FIRST ROWS DAY      rows as Parquet: an id and a hash of its attributes
//! comparison remember FILE BASELINE        keeps them as the rows of the last run
//! comparison compare FILE BASELINE         prints what changed since
//! ```
//!
//! Without arguments it does all three with a million rows in a temporary folder.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use engine::{Baselines, Movement, RowHashes, Settings};
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use twox_hash::XxHash3_128;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rows of a row group of what is made.
const GROUP_ROWS: u64 = 1_000_000;
/// Rows that are made and read at once.
const BATCH_ROWS: u64 = 65_536;
/// Every so many rows are others on the second day.
const CHANGED_EVERY: u64 = 100;
/// Rows of a run without arguments.
const ROWS_DEFAULT: u64 = 1_000_000;

fn main() -> Outcome<()> {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", file, first, rows, day] => {
            make(Path::new(file), first.parse()?, rows.parse()?, day.parse()?)
        }
        ["remember", file, baseline] => step(Path::new(file), None, Some(Path::new(baseline))),
        ["compare", file, baseline] => step(Path::new(file), Some(Path::new(baseline)), None),
        [] => small(),
        _ => {
            Err("make FILE FIRST ROWS DAY, remember FILE BASELINE, or compare FILE BASELINE".into())
        }
    }
}

fn small() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let [first, second, baseline] =
        ["first", "second", "baseline"].map(|name| folder.path().join(name));
    make(&first, 0, ROWS_DEFAULT, 1)?;
    make(&second, ROWS_DEFAULT / 50, ROWS_DEFAULT, 2)?;
    step(&first, None, Some(&baseline))?;
    step(&second, Some(&baseline), None)
}

/// Prints what a step found, and how long it took.
fn step(file: &Path, last: Option<&Path>, next: Option<&Path>) -> Outcome<()> {
    let started = Instant::now();
    let Movement { members, added, changed, removed, .. } = compare(file, last, next)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{{\"members\":{members},\"added\":{added},\"changed\":{changed},\"removed\":{removed},\"seconds\":{seconds:.2}}}"
    );
    Ok(())
}

fn compare(file: &Path, last: Option<&Path>, next: Option<&Path>) -> Outcome<Movement> {
    let folder = tempfile::tempdir_in(file.parent().unwrap_or(Path::new(".")))?;
    let threads = std::thread::available_parallelism()?.get();
    let settings = Settings { threads, ..Settings::new(folder.path()) };
    let rows = RowHashes::new(&settings);
    let metadata = ArrowReaderMetadata::load(&File::open(file)?, Default::default())?;
    let next_group = AtomicUsize::new(0);
    let read = || -> Outcome<()> {
        loop {
            let group = next_group.fetch_add(1, Ordering::Relaxed);
            if group >= metadata.metadata().num_row_groups() {
                return Ok(());
            }
            read_group(file, &metadata, group, &rows)?;
        }
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(read)).collect();
        readers.into_iter().try_for_each(|reader| reader.join().map_err(|_| "a reader panicked")?)
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let _inside = runtime.enter();
    Ok(rows.compare(Baselines { last, next }, Timestamp::UNIX_EPOCH)?)
}

fn read_group(
    file: &Path,
    metadata: &ArrowReaderMetadata,
    group: usize,
    rows: &RowHashes,
) -> Outcome<()> {
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(file)?, metadata.clone());
    let mut first_row = 0;
    let mut entries = Vec::new();
    let reader = reader.with_row_groups(vec![group]).with_batch_size(BATCH_ROWS as usize);
    for batch in reader.build()? {
        let batch = batch?;
        let [ids, hashes] = [0, 1].map(|column| batch.column(column).as_primitive::<Int64Type>());
        entries.clear();
        let pairs = ids.values().iter().zip(hashes.values());
        entries.extend(
            pairs.map(|(id, hash)| (XxHash3_128::oneshot(&id.to_le_bytes()), *hash as u64)),
        );
        rows.add(&entries, group, first_row)?;
        first_row += entries.len() as u64;
    }
    Ok(())
}

/// Makes rows from their numbers alone: ids in no order, and hashes that depend on the day for one
/// row in [`CHANGED_EVERY`].
fn make(path: &Path, first: u64, rows: u64, day: u64) -> Outcome<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP_ROWS as usize))
        .build();
    let batch = |numbers: std::ops::Range<u64>| {
        let hash = |number: u64| {
            let seed = if number.is_multiple_of(CHANGED_EVERY) { day } else { 0 };
            mixed(number ^ 0x5e60_0000_0000_0000 ^ seed << 48) as i64
        };
        let ids: ArrayRef =
            Arc::new(numbers.clone().map(|it| mixed(it) as i64).collect::<Int64Array>());
        let hashes: ArrayRef = Arc::new(numbers.map(hash).collect::<Int64Array>());
        RecordBatch::try_from_iter([("id", ids), ("hash", hashes)])
    };
    let schema = batch(0..0)?.schema();
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?;
    let mut start = first;
    while start < first + rows {
        let end = (start + BATCH_ROWS).min(first + rows);
        writer.write(&batch(start..end)?)?;
        start = end;
    }
    writer.close()?;
    Ok(())
}

/// Another number for each number (the finish of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
