//! One process from start to end: wall time, CPU seconds, peak memory, as the kernel counted them.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

/// What one process cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) memory_bytes: u64,
}

/// Runs a command to its end and returns what it cost and what it printed.
pub(crate) fn process(command: &mut Command) -> anyhow::Result<(Cost, String)> {
    let shown = format!("{command:?}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {shown}"))?;
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed)?;
    }
    let ended = child.wait4().with_context(|| format!("failed to wait for {shown}"))?;
    ensure!(ended.status.success(), "{shown} ended with {}", ended.status);
    let usage = ended.rusage;
    let cpu = usage.utime + usage.stime;
    Ok((Cost { wall: started.elapsed(), cpu, memory_bytes: usage.maxrss }, printed))
}

/// The median run of several, each figure for itself.
pub(crate) fn median(costs: &[Cost]) -> Cost {
    Cost {
        wall: middle(costs.iter().map(|cost| cost.wall)),
        cpu: middle(costs.iter().map(|cost| cost.cpu)),
        memory_bytes: middle(costs.iter().map(|cost| cost.memory_bytes)),
    }
}

fn middle<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values[values.len() / 2]
}
