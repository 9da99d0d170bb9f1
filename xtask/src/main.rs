//! What `cargo test` cannot do: benchmarks of the whole binary. `cargo xtask bench --help`.
#![expect(clippy::print_stdout, reason = "a tool for a terminal")]

mod bench;
mod measure;

use clap::Parser;

#[derive(Debug, Parser)]
enum Task {
    Bench(bench::Args),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Bench(args) => bench::run(&args),
    }
}
