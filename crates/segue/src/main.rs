//! The `segue` binary: it talks (command line, terminal, exit codes) and drives the run.
//!
//! Reading order: [`cli`] says what can be asked, [`workspace`] is a project on disk, [`run`] is
//! the spine that takes one run from claim to delivery, and [`failure`] is how everything that
//! goes wrong reaches a person.

// Futures that read profiles are deep; the compiler follows them further than it does by itself.
#![recursion_limit = "256"]

mod ambient;
mod app;
mod capabilities;
mod cli;
mod demo;
mod draw;
mod encryption;
mod failure;
mod http;
mod opening;
mod outbound;
mod outbox;
mod private_file;
mod progress;
mod recover;
mod remote;
mod retrieve;
mod run;
mod seals;
mod secrets;
mod select;
mod server;
mod sources;
mod stores;
mod traceless;
mod traces;
mod web;
mod workspace;

use std::panic;
use std::process::ExitCode;

/// The allocator matters here: batches are allocated on one thread and freed on another, and
/// mimalloc gives the memory back. It is built without transparent huge pages: with them a run of
/// five million profiles took twice the memory, and now and then three times the system time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panic::set_hook(Box::new(tell_panic));
    cli::main()
}

/// Tells where a panic happened and not what it says: its text could quote a value of a profile.
#[expect(clippy::print_stderr, reason = "the process may be about to end")]
fn tell_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    eprintln!("error: a fault of Segue at {place}; please report it with the version");
}
