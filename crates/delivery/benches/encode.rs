//! How fast batches become text, alone and beside the writer of arrow-csv on the same rows.
//!
//! `cargo bench -p delivery` first prints a table in which the two take turns on each batch, so
//! that a busy machine slows both alike, and then lets criterion measure the encoder.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

mod batches;

use std::hint::black_box;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use delivery::encode::{Chunk, Encoder};
use plan::file_format::{FileFormat, Layout};

/// Turns of the comparison.
const ROUNDS: usize = 41;
/// Batches encoded in each turn.
const REPEATS: u32 = 16;

fn encoder(batch: &RecordBatch) -> Encoder {
    Encoder::new(&FileFormat::new(Layout::Csv), &batch.schema()).expect("the batch can be written")
}

fn ours(encoder: &Encoder, batch: &RecordBatch, chunk: &mut Chunk) {
    encoder.encode_into(batch, chunk).expect("the batch can be written");
    black_box(chunk.text.len());
}

fn theirs(batch: &RecordBatch, text: &mut Vec<u8>) {
    text.clear();
    let mut writer = arrow_csv::WriterBuilder::new().with_header(false).build(&mut *text);
    writer.write(batch).expect("the batch can be written");
    drop(writer);
    black_box(text.len());
}

fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..REPEATS {
        work();
    }
    start.elapsed() / REPEATS
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn gigabytes_per_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e9
}

fn compare(name: &str, batch: &RecordBatch, with_arrow_csv: bool) {
    let encoder = encoder(batch);
    let (mut chunk, mut text) = (Chunk::default(), Vec::new());
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_times.push(timed(|| ours(&encoder, batch, &mut chunk)));
        if with_arrow_csv {
            their_times.push(timed(|| theirs(batch, &mut text)));
        }
    }
    let our_time = median(our_times);
    let bytes = chunk.text.len();
    print!(
        "{name:12} {:>5.0} bytes/row  {:>5.2} GB/s  {:>6.2} million rows/s",
        bytes as f64 / batch.num_rows() as f64,
        gigabytes_per_second(bytes, our_time),
        batch.num_rows() as f64 / our_time.as_secs_f64() / 1e6,
    );
    if !with_arrow_csv {
        return println!();
    }
    let their_time = median(their_times);
    println!(
        "   arrow-csv {:>5.2} GB/s   {:.1} times as fast",
        gigabytes_per_second(text.len(), their_time),
        their_time.as_secs_f64() / our_time.as_secs_f64(),
    );
}

fn encode(criterion: &mut Criterion) {
    let cases = batches::all();
    for case in &cases {
        compare(case.name, &case.batch, case.in_arrow_csv);
    }
    let mut group = criterion.benchmark_group("encode");
    for case in &cases {
        let encoder = encoder(&case.batch);
        let mut chunk = encoder.encode(&case.batch).expect("the batch can be written");
        group.throughput(Throughput::Bytes(chunk.text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(case.name), |bencher| {
            bencher.iter(|| ours(&encoder, &case.batch, &mut chunk));
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
