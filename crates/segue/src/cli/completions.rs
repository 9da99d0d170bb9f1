//! `segue completions`: completion scripts for shells.

use clap::CommandFactory as _;

use crate::failure::Failure;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "segue", &mut script);
    super::answer(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
